"""Slots of a game that a technique may fill, and what is in them where none does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from augkit.gan.batch import Batch
from augkit.gan.latents import NormalPrior, UniformPrior

Score = Callable[[Tensor], Tensor]
"""Latents (N, d) -> D's raw scores (N,) of what G makes of them."""


class Refiner(Protocol):
    """What happens to latents before G sees them: ``(z, score, batch, name) -> (latents, moves)``, all (N, d)."""

    def __call__(self, z: Tensor, score: Score, batch: Batch, name: str) -> tuple[Tensor, Tensor]:
        """Latents that G is fed, and how far they were moved."""

    def prior(self, latent: int) -> NormalPrior | UniformPrior:
        """Where the latents come from."""


class Unrefined:
    """The latents as they are."""

    def __call__(self, z: Tensor, score: Score, batch: Batch, name: str) -> tuple[Tensor, Tensor]:
        """No moves."""
        del score, batch, name
        return z, torch.zeros_like(z)

    def prior(self, latent: int) -> NormalPrior:
        """Standard normal."""
        return NormalPrior(latent)


class View(Protocol):
    """What D is shown: ``(pictures, batch, name of the draw) -> pictures``, differentiable in the pictures."""

    def __call__(self, pictures: Tensor, batch: Batch, name: str) -> Tensor:
        """What D sees of the pictures."""


@dataclass(frozen=True)
class Views:
    """Views one after the other; with none the pictures stay as they are."""

    views: tuple[View, ...] = ()

    def __call__(self, pictures: Tensor, batch: Batch, name: str) -> Tensor:
        """See the class."""
        for view in self.views:
            pictures = view(pictures, batch, name)
        return pictures
