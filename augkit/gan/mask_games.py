"""Stage I's games: the VAE's (one player) and the GAN's (two)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from augkit.gan.batch import Batch
from augkit.gan.condition import one_hot
from augkit.gan.players import Play
from augkit.models.registries import MaskModel

View = Callable[[Batch], Tensor]


class VariationalPair(nn.Module):
    """Encoder and decoder as one module, so that one player owns both."""

    def __init__(self, model: MaskModel) -> None:
        super().__init__()
        self.encoder, self.decoder = model.opponent, model.generator

    def forward(self, masks: Tensor, classes: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One-hot masks -> logits, mean, log-variance; the reparametrised sample of Kingma and Welling 2014."""
        mean, log_variance = self.encoder(masks, classes)
        z = mean + (0.5 * log_variance).exp() * noise
        return self.decoder(z, classes), mean, log_variance


def variational_play(pair: VariationalPair, channels: int, latent: int) -> Callable[[Batch], Play]:
    """Reconstructs the batch's masks."""

    def play(batch: Batch) -> Play:
        noise = batch.noise("latent", latent)
        logits, mean, log_variance = pair(one_hot(batch.masks, channels), batch.classes, noise)
        return Play(fake=logits, masks=batch.masks, mean=mean, log_variance=log_variance)

    return play


def discriminator_play(model: MaskModel, view: View) -> Callable[[Batch], Play]:
    """D's move: scores of the real view and of fresh fakes."""

    def play(batch: Batch) -> Play:
        z = batch.noise("latent-d", model.latent)
        with torch.no_grad():
            fake = model.generator(z, batch.classes)
        real = view(batch)
        scores = model.opponent(real, batch.classes), model.opponent(fake, batch.classes)
        return Play(real=real, fake=fake, real_features=[[scores[0]]], fake_features=[[scores[1]]])

    return play


def generator_play(model: MaskModel) -> Callable[[Batch], Play]:
    """G's move: fresh fakes and their scores."""

    def play(batch: Batch) -> Play:
        fake = model.generator(batch.noise("latent-g", model.latent), batch.classes)
        return Play(fake=fake, fake_features=[[model.opponent(fake, batch.classes)]])

    return play


def palette_view(palette: Tensor) -> View:
    """Real masks as RGB pictures in [-1, 1], in the schema's colours ((256, 3) uint8)."""

    def view(batch: Batch) -> Tensor:
        colours = palette.to(batch.masks.device)[batch.masks]
        return colours.permute(0, 3, 1, 2).float() / 127.5 - 1

    return view
