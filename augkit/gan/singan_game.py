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

Move = Callable[[Batch], StepOutputs]


@dataclass(frozen=True)
class ScaleNetworks:
    """What a scale is played with.

    ``below`` are the coarser scales; ``base`` (1, 3, H, W) is their photo made again and enlarged, ``fixed`` the noise
    that this scale adds to it there. ``patches`` is how many places of D's map are drawn for a loss that compares
    patches with each other; 0 where none does.
    """

    below: Pyramid
    generator: ScaleGenerator
    discriminator: nn.Module
    side: Side
    base: Float[Tensor, "1 3 h w"]
    fixed: Tensor
    patches: int = 0

    def make(self, batch: Batch, name: str) -> Float[Tensor, "n 3 h w"]:
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
        """(P,) different places of D's map, drawn for this turn."""
        count = judged.shape[2] * judged.shape[3]
        return batch.uniform(f"{name}-patches", count)[0].argsort()[: self.patches]


def discriminator_forward(table: ScaleNetworks) -> Move:
    """D's move: the photo against a fresh fake."""

    def move(batch: Batch) -> StepOutputs:
        with torch.no_grad():
            fake = table.make(batch, "d")
        real, made = table.discriminator(batch.photos), table.discriminator(fake)
        return StepOutputs(
            real=batch.photos,
            fake=fake,
            real_features=[[real]],
            fake_features=[[made]],
            chance=batch.uniform("d-chance"),
            patches=table.places(batch, "d", made),
            score=table.discriminator,
        )

    return move


def generator_forward(table: ScaleNetworks) -> Move:
    """G's move: a fresh fake, made anew in every turn, and the photo from the fixed noise."""

    def move(batch: Batch) -> StepOutputs:
        fake = table.make(batch, "g")
        judged = table.discriminator(fake)
        return StepOutputs(
            real=batch.photos,
            fake=fake,
            fake_features=[[judged]],
            rebuilt=table.rebuild(),
            patches=table.places(batch, "g", judged),
            score=table.discriminator,
        )

    return move


def _noise(batch: Batch, name: str, side: Side, scale: int) -> Float[Tensor, "n 3 h w"]:
    """Standard normal; one number for the three colours of a pixel at the coarsest scale, as in the paper's code."""
    return batch.noise(name, 1 if scale == 0 else 3, *side).expand(-1, 3, -1, -1)
