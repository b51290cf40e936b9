"""SinGAN's game at one scale: everything below it is trained and fixed (Shaham et al. 2019)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from augkit.gan.batch import Batch
from augkit.gan.players import StepOutputs
from augkit.models.singan import Pyramid, ScaleGenerator, Side, enlarge

Forward = Callable[[Batch], StepOutputs]


@dataclass(frozen=True)
class ScaleNetworks:
    """What the players' forward passes at one scale run through.

    ``below`` are the coarser scales; ``base`` (1, 3, H, W) is their photo made again and enlarged, ``fixed`` the noise
    that this scale adds to it there.
    """

    below: Pyramid
    generator: ScaleGenerator
    discriminator: nn.Module
    side: Side
    base: Float[Tensor, "1 3 h w"]
    fixed: Tensor

    def generate(self, batch: Batch, name: str) -> Float[Tensor, "n 3 h w"]:
        """New pictures: fresh noise at every scale."""
        with torch.no_grad():
            start = self.below.nothing(len(batch))
            before = self.below.climb(start, lambda n: _noise(batch, f"{name}-{n}", self.below.sizes[n], n))
        scale = len(self.below)
        made: Tensor = self.generator(enlarge(before, self.side), _noise(batch, f"{name}-{scale}", self.side, scale))
        return made

    def rebuild(self) -> Float[Tensor, "1 3 h w"]:
        """The photo, from the fixed noise."""
        made: Tensor = self.generator(self.base, self.fixed)
        return made

    def places(self, batch: Batch, name: str, judged: Tensor) -> Tensor:
        """All places of D's map, in an order that is drawn for this turn."""
        count = judged.shape[2] * judged.shape[3]
        return batch.uniform(f"{name}-patches", count)[0].argsort()


def discriminator_forward(networks: ScaleNetworks) -> Forward:
    """D's: the photo against a fresh fake."""

    def outputs_of(batch: Batch) -> StepOutputs:
        with torch.no_grad():
            fake = networks.generate(batch, "d")
        real, made = networks.discriminator(batch.photos), networks.discriminator(fake)
        return StepOutputs(
            real=batch.photos,
            fake=fake,
            real_features=[[real]],
            fake_features=[[made]],
            chance=batch.uniform("d-chance"),
            places=networks.places(batch, "d", made),
            score=networks.discriminator,
        )

    return outputs_of


def generator_forward(networks: ScaleNetworks) -> Forward:
    """G's: a fresh fake, made anew in every turn, and the photo from the fixed noise."""

    def outputs_of(batch: Batch) -> StepOutputs:
        fake = networks.generate(batch, "g")
        judged = networks.discriminator(fake)
        return StepOutputs(
            real=batch.photos,
            fake=fake,
            fake_features=[[judged]],
            rebuilt=networks.rebuild(),
            places=networks.places(batch, "g", judged),
            score=networks.discriminator,
        )

    return outputs_of


def _noise(batch: Batch, name: str, side: Side, scale: int) -> Float[Tensor, "n 3 h w"]:
    """Standard normal; one number for the three colours of a pixel at the coarsest scale, as in the paper's code."""
    return batch.noise(name, 1 if scale == 0 else 3, *side).expand(-1, 3, -1, -1)
