"""The games that make pictures from latents: a GAN's, a VAE's, and a VAE's with a critic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from augkit.gan.batch import Batch
from augkit.gan.fake_cache import KeptFakes
from augkit.gan.image_tensors import Output, Show
from augkit.gan.latents import Draw, mixed_latents
from augkit.gan.players import StepOutputs
from augkit.gan.slots import Refiner, View
from augkit.models.conditioning import DiscriminatorOutput

Forward = Callable[[Batch], StepOutputs]


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
    """What the players' forward passes run through.

    ``learner.generator(z, classes) -> raw``, ``learner.encoder(pictures, classes) -> mean, log-variance`` and
    ``discriminator(pictures, classes, z) -> DiscriminatorOutput``; ``refine`` and ``view`` are slots of techniques.
    """

    learner: LatentGenerator
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

    def generate(self, z: Tensor, batch: Batch, name: str) -> Tensor:
        """Pictures from latents."""
        return self.output(self.learner.generator(z, batch.classes), batch, name)


class _GeneratorOutputs(NamedTuple):
    z: Tensor
    moves: Tensor
    pictures: Tensor


class LatentFakes(KeptFakes):
    """Pictures of D's latents, made once for both turns, as the DCGAN tutorial does."""

    def __init__(self, networks: GameNetworks) -> None:
        super().__init__()
        self.networks = networks

    def make(self, batch: Batch) -> Tensor:
        """Pictures of ``latents``."""
        return self.networks.generate(self.latents(batch), batch, "d")

    def latents(self, batch: Batch) -> Tensor:
        """As they are drawn for D's turn."""
        return self.networks.latents(batch, "d-latent")


def discriminator_forward(networks: GameNetworks, fakes: LatentFakes | None = None) -> Forward:
    """D's: real and fresh fake pictures, as the view shows them. ``fakes`` keeps the latter for G."""
    if fakes is None:
        return _both_sides(networks, "d")

    def outputs_of(batch: Batch) -> StepOutputs:
        return _beside_real(networks, batch, _unmoved(fakes.latents(batch), fakes.paint(batch)), "d")

    return outputs_of


def generator_forward(networks: GameNetworks, fakes: LatentFakes | None = None) -> Forward:
    """G's: fakes and their scores; fresh ones, or those that D saw and ``fakes`` has kept."""

    def outputs_of(batch: Batch) -> StepOutputs:
        made = _generate(networks, batch, "g") if fakes is None else _unmoved(fakes.latents(batch), fakes.take(batch))
        fake = networks.view(made.pictures, batch, "g-fake")
        judged = networks.judge(fake, batch, made.z)
        return StepOutputs(
            fake=fake,
            classes=batch.classes,
            moves=made.moves,
            fake_features=[[judged.scores]],
            fake_logits=judged.class_logits,
        )

    return outputs_of


def joint_forward(networks: GameNetworks) -> Forward:
    """G's and its encoder's in a bidirectional game: D judges (G(z), z) and (x, E(x)) (Donahue et al. 2017)."""
    return _both_sides(networks, "g")


def variational_forward(networks: GameNetworks) -> Forward:
    """Reconstructs the batch from a sample of its latents (Kingma and Welling 2014)."""

    def outputs_of(batch: Batch) -> StepOutputs:
        real = networks.show(batch)
        mean, log_variance = networks.learner.encoder(real, batch.classes)
        z = mean + (0.5 * log_variance).exp() * batch.noise("latent", mean.shape[1])
        raw = networks.learner.generator(z, batch.classes)
        return StepOutputs(
            real=real, fake=raw, masks=batch.masks, classes=batch.classes, mean=mean, log_variance=log_variance
        )  # fmt: skip

    return outputs_of


def criticised_forward(networks: GameNetworks, noise: float) -> Forward:
    """The VAE's with a critic: it reconstructs, and D judges what it makes of mixed latents.

    The mixed latents are those of ``mixed_latents``; only the decoder learns from D.
    """
    reconstruct = variational_forward(networks)

    def outputs_of(batch: Batch) -> StepOutputs:
        outputs = reconstruct(batch)
        z = mixed_latents(outputs.mean.detach().float(), batch.classes, batch, noise)
        fake = networks.view(networks.generate(z, batch, "g"), batch, "g-fake")
        judged = networks.judge(fake, batch, z)
        outputs.fake_features, outputs.fake_logits = [[judged.scores]], judged.class_logits
        return outputs

    return outputs_of


def critic_forward(networks: GameNetworks, noise: float) -> Forward:
    """The critic's: real pictures against those made of mixed latents."""

    def outputs_of(batch: Batch) -> StepOutputs:
        real = networks.show(batch)
        with torch.no_grad():
            mean, _ = networks.learner.encoder(real, batch.classes)
            z = mixed_latents(mean.float(), batch.classes, batch, noise)
            fake = networks.generate(z, batch, "d")
        return _judged(networks, batch, _unmoved(z, fake), real, mean, "d")

    return outputs_of


def _both_sides(networks: GameNetworks, name: str) -> Forward:
    def outputs_of(batch: Batch) -> StepOutputs:
        return _beside_real(networks, batch, _generate(networks, batch, name), name)

    return outputs_of


def _beside_real(networks: GameNetworks, batch: Batch, made: _GeneratorOutputs, name: str) -> StepOutputs:
    real = networks.show(batch)
    code, _ = networks.learner.encoder(real, batch.classes)
    return _judged(networks, batch, made, real, code, name)


def _unmoved(z: Tensor, pictures: Tensor) -> _GeneratorOutputs:
    return _GeneratorOutputs(z, torch.zeros_like(z), pictures)


def _generate(networks: GameNetworks, batch: Batch, name: str) -> _GeneratorOutputs:
    def score(z: Tensor) -> Tensor:
        pictures = networks.view(networks.generate(z, batch, f"{name}-refined"), batch, f"{name}-refined")
        return networks.judge(pictures, batch, z).scores

    z, moves = networks.refine(networks.latents(batch, f"{name}-latent"), score, batch, name)
    return _GeneratorOutputs(z, moves, networks.generate(z, batch, name))


def _judged(  # noqa: PLR0917  # both sides of a judgement
    networks: GameNetworks, batch: Batch, made: _GeneratorOutputs, real: Tensor, code: Tensor, name: str
) -> StepOutputs:
    """Both sides as D sees them."""
    seen, fake = networks.view(real, batch, f"{name}-real"), networks.view(made.pictures, batch, f"{name}-fake")
    of_real, of_fake = networks.judge(seen, batch, code), networks.judge(fake, batch, made.z)
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
        score=lambda pictures: networks.judge(pictures, batch, code.detach()).scores,
    )
