"""The games that make pictures from latents: a GAN's, a VAE's, and a VAE's with a critic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from augkit.gan.batch import Batch
from augkit.gan.image_tensors import Output, Show
from augkit.gan.latents import Draw, mixed_latents
from augkit.gan.players import StepOutputs
from augkit.gan.refiners import Refiner
from augkit.gan.views import View
from augkit.models.conditioning import DiscriminatorOutput

Move = Callable[[Batch], StepOutputs]


class NoEncoder(nn.Module):
    """Of a GAN that has none: every picture stands for the same latent, which no head reads."""

    def forward(self, pictures: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 0) mean and log-variance."""
        del classes
        return pictures.new_zeros((len(pictures), 0)), pictures.new_zeros((len(pictures), 0))


class LatentGenerator(nn.Module):
    """What is trained to make pictures: the generator, and the encoder that is trained with it."""

    def __init__(self, generator: nn.Module, encoder: nn.Module) -> None:
        super().__init__()
        self.generator, self.encoder = generator, encoder


@dataclass(frozen=True)
class GameNetworks:
    """What a game is played with.

    ``maker.generator(z, classes) -> raw``, ``maker.encoder(pictures, classes) -> mean, log-variance`` and
    ``discriminator(pictures, classes, z) -> Judgement``; the rest are the slots that techniques fill.
    """

    maker: LatentGenerator
    discriminator: nn.Module
    latents: Draw
    output: Output
    show: Show
    refine: Refiner
    view: View

    def judge(self, pictures: Tensor, batch: Batch, z: Tensor) -> DiscriminatorOutput:
        """D's opinion."""
        judgement: DiscriminatorOutput = self.discriminator(pictures, batch.classes, z)
        return judgement

    def make(self, z: Tensor, batch: Batch, name: str) -> Tensor:
        """Pictures from latents."""
        return self.output(self.maker.generator(z, batch.classes), batch, name)


class _GeneratorOutputs(NamedTuple):
    z: Tensor
    moves: Tensor
    pictures: Tensor


def discriminator_forward(table: GameNetworks) -> Move:
    """D's move: real and fresh fake pictures, as the view shows them."""
    return _both_sides(table, "d")


def generator_forward(table: GameNetworks) -> Move:
    """G's move: fresh fakes and their scores."""

    def move(batch: Batch) -> StepOutputs:
        made = _make(table, batch, "g")
        fake = table.view(made.pictures, batch, "g-fake")
        judged = table.judge(fake, batch, made.z)
        return StepOutputs(
            fake=fake,
            classes=batch.classes,
            moves=made.moves,
            fake_features=[[judged.scores]],
            fake_logits=judged.class_logits,
        )

    return move


def joint_forward(table: GameNetworks) -> Move:
    """G's and its encoder's move in a bidirectional game: D judges (G(z), z) and (x, E(x)) (Donahue et al. 2017)."""
    return _both_sides(table, "g")


def variational_forward(table: GameNetworks) -> Move:
    """Reconstructs the batch from a sample of its latents (Kingma and Welling 2014)."""

    def move(batch: Batch) -> StepOutputs:
        real = table.show(batch)
        mean, log_variance = table.maker.encoder(real, batch.classes)
        z = mean + (0.5 * log_variance).exp() * batch.noise("latent", mean.shape[1])
        raw = table.maker.generator(z, batch.classes)
        return StepOutputs(
            real=real, fake=raw, masks=batch.masks, classes=batch.classes, mean=mean, log_variance=log_variance
        )  # fmt: skip

    return move


def criticised_forward(table: GameNetworks, noise: float) -> Move:
    """The VAE's move with a critic: it reconstructs, and D judges what it makes of mixed latents.

    The mixed latents are those of ``mixed_latents``; only the decoder learns from D.
    """
    reconstruct = variational_forward(table)

    def move(batch: Batch) -> StepOutputs:
        outputs = reconstruct(batch)
        z = mixed_latents(outputs.mean.detach().float(), batch.classes, batch, noise)
        fake = table.view(table.make(z, batch, "g"), batch, "g-fake")
        judged = table.judge(fake, batch, z)
        outputs.fake_features, outputs.fake_logits = [[judged.scores]], judged.class_logits
        return outputs

    return move


def critic_forward(table: GameNetworks, noise: float) -> Move:
    """The critic's move: real pictures against those made of mixed latents."""

    def move(batch: Batch) -> StepOutputs:
        real = table.show(batch)
        with torch.no_grad():
            mean, _ = table.maker.encoder(real, batch.classes)
            z = mixed_latents(mean.float(), batch.classes, batch, noise)
            fake = table.make(z, batch, "d")
        return _judged(table, batch, _GeneratorOutputs(z, torch.zeros_like(z), fake), real, mean, "d")

    return move


def _both_sides(table: GameNetworks, name: str) -> Move:
    def move(batch: Batch) -> StepOutputs:
        made = _make(table, batch, name)
        real = table.show(batch)
        code, _ = table.maker.encoder(real, batch.classes)
        return _judged(table, batch, made, real, code, name)

    return move


def _make(table: GameNetworks, batch: Batch, name: str) -> _GeneratorOutputs:
    def score(z: Tensor) -> Tensor:
        pictures = table.view(table.make(z, batch, f"{name}-refined"), batch, f"{name}-refined")
        return table.judge(pictures, batch, z).scores

    z, moves = table.refine(table.latents(batch, f"{name}-latent"), score, batch, name)
    return _GeneratorOutputs(z, moves, table.make(z, batch, name))


def _judged(  # noqa: PLR0917  # both sides of a judgement
    table: GameNetworks, batch: Batch, made: _GeneratorOutputs, real: Tensor, code: Tensor, name: str
) -> StepOutputs:
    """Both sides as D sees them."""
    seen, fake = table.view(real, batch, f"{name}-real"), table.view(made.pictures, batch, f"{name}-fake")
    of_real, of_fake = table.judge(seen, batch, code), table.judge(fake, batch, made.z)
    return StepOutputs(
        real=seen,
        fake=fake,
        classes=batch.classes,
        moves=made.moves,
        chance=batch.uniform(f"{name}-chance"),
        real_features=[[of_real.scores]],
        fake_features=[[of_fake.scores]],
        real_logits=of_real.class_logits,
        fake_logits=of_fake.class_logits,
        score=lambda pictures: table.judge(pictures, batch, code.detach()).scores,
    )
