"""Where latents come from: the same distribution in training and in sampling."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from augkit.core.classes import CarClass
from augkit.gan.batch import Batch

Draw = Callable[[Batch, str], Tensor]
"""``(batch, name of the draw) -> (N, latent)``."""


class NormalPrior(nn.Module):
    """Standard normal latents."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.latent = latent

    def batch(self, batch: Batch, name: str) -> Float[Tensor, "n d"]:
        """Latents for training."""
        return batch.noise(name, self.latent)

    def draw(self, car_class: CarClass, seed: int) -> Float[Tensor, " d"]:
        """One latent for sampling; the class does not matter."""
        del car_class
        return torch.randn(self.latent, generator=torch.Generator().manual_seed(seed))


class UniformPrior(nn.Module):
    """Latents uniform on [-1, 1]^d: LOGAN's, whose moves are clipped to that cube."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.latent = latent

    def batch(self, batch: Batch, name: str) -> Float[Tensor, "n d"]:
        """Latents for training."""
        return batch.uniform(name, self.latent) * 2 - 1

    def draw(self, car_class: CarClass, seed: int) -> Float[Tensor, " d"]:
        """One latent for sampling; the class does not matter."""
        del car_class
        return torch.rand(self.latent, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def mixed_latents(
    means: Float[Tensor, "n d"], classes: Int[Tensor, " n"], batch: Batch, noise: float
) -> Float[Tensor, "n d"]:
    """Every latent moved by a random share towards the nearest other of its class in the batch, plus noise.

    What ``LatentBank`` draws after the training, made from a batch: a latent alone of its class only takes noise.
    ``noise`` is in standard deviations of the batch (over n, so that a latent alone in its batch has none).
    """
    distances = torch.cdist(means, means)
    apart = (classes[:, None] != classes[None]) | torch.eye(len(means), dtype=torch.bool, device=means.device)
    nearest = distances.masked_fill(apart, torch.inf).min(1)
    partner = means[nearest.indices].where(nearest.values.isfinite()[:, None], means)
    share = batch.uniform("mix", 1)
    return means + share * (partner - means) + noise * means.std(0, correction=0) * batch.noise("mix", means.shape[1])
