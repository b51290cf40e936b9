"""What happens to latents before G sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from augkit.gan.batch import Batch

Score = Callable[[Tensor], Tensor]
"""Latents (N, d) -> D's raw scores (N,) of what G makes of them."""


class Refiner(Protocol):
    """``(latents, score, batch, name) -> (latents, moves)``, both (N, d)."""

    def __call__(self, z: Tensor, score: Score, batch: Batch, name: str) -> tuple[Tensor, Tensor]:
        """Latents that G is fed, and how far they were moved."""


def unrefined(z: Tensor, score: Score, batch: Batch, name: str) -> tuple[Tensor, Tensor]:
    """The latents as they are."""
    del score, batch, name
    return z, torch.zeros_like(z)


@dataclass(frozen=True)
class LatentOptimisation:
    """LOGAN's natural gradient step (Wu et al. 2019, eq. 8): dz = alpha * g / (beta + ||g||^2), g = df/dz per sample.

    ``steps`` steps, each clipped to [-1, 1]. The moves stay in the graph: who trains on them trains through the
    gradient. A random ``share`` of the latents is moved, the others stay.
    """

    alpha: float = 0.9
    beta: float = 5.0
    share: float = 0.5
    steps: int = 1

    def __call__(
        self, z: Float[Tensor, "n d"], score: Score, batch: Batch, name: str
    ) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]]:
        """See the class; ``moves`` are the sums of dz before clipping, 0 where a latent stays."""
        chosen = batch.uniform(f"{name}-moved", 1) < self.share
        start = z.requires_grad_()
        place, moves = start, torch.zeros_like(start)
        for _ in range(self.steps):
            [gradient] = torch.autograd.grad(score(place).float().sum(), place, create_graph=True)
            step = self.alpha * gradient / (self.beta + gradient.square().sum(1, keepdim=True))
            moves = moves + step
            place = (place + step).clamp(-1, 1)
        return torch.where(chosen, place, start), torch.where(chosen, moves, torch.zeros_like(moves))
