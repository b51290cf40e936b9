"""Multi-scale PatchGAN discriminator (Isola et al. 2017; Wang et al. 2018, section 3.2), with a choice of norm."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from augkit.core.errors import ConfigError
from augkit.core.needs import BOUNDED_SLOPE, D_LAYERS, DISCRIMINATOR, OWN_SCORE, Need
from augkit.models.instance_norm import PlaneNorm
from augkit.models.registries import PHOTO_DISCRIMINATORS, PhotoDiscriminator

NORMS = ("instance", "spectral", "none")

Features = list[list[Tensor]]


class PatchDiscriminator(nn.Module):
    """(N, C, H, W) -> the features of every layer; the last is the (N, 1, h, w) map of scores.

    ``norm`` is ``instance``, ``spectral`` or ``none``; raises ConfigError for another.
    """

    def __init__(self, channels: int, base: int, layers: int, norm: str) -> None:
        super().__init__()
        if norm not in NORMS:
            raise ConfigError(
                f"a PatchGAN with norm {norm!r}", "one of " + ", ".join(NORMS), "set image.discriminator.norm"
            )
        widths = [min(base * 2**layer, 512) for layer in range(layers + 1)]
        wrap: Callable[[nn.Module], nn.Module] = spectral_norm if norm == "spectral" else _unchanged
        middle: Callable[[int], nn.Module] = PlaneNorm if norm == "instance" else _identity
        stages: list[nn.Module] = [
            nn.Sequential(wrap(nn.Conv2d(channels, widths[0], 4, 2, 2)), nn.LeakyReLU(0.2)),
        ]
        for number, (narrow, wide) in enumerate(itertools.pairwise(widths), 1):
            convolution = nn.Conv2d(narrow, wide, 4, 1 if number == layers else 2, 2)
            stages.append(nn.Sequential(wrap(convolution), middle(wide), nn.LeakyReLU(0.2)))
        stages.append(wrap(nn.Conv2d(widths[-1], 1, 4, 1, 2)))
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Float[Tensor, "n c h w"]) -> list[Tensor]:
        """See the class."""
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


@PHOTO_DISCRIMINATORS.register("patch")
class MultiScaleDiscriminator(PhotoDiscriminator):
    """(N, C, H, W) -> one list of features a scale, each scale on the pair average-pooled once more."""

    def __init__(self, channels: int, base: int = 64, layers: int = 3, scales: int = 2, norm: str = "instance") -> None:
        super().__init__()
        self.spectral = norm == "spectral"
        self.scales = nn.ModuleList(PatchDiscriminator(channels, base, layers, norm) for _ in range(scales))
        self.pool = nn.AvgPool2d(3, 2, 1, count_include_pad=False)

    @property
    def stacks(self) -> list[list[nn.Module]]:
        """The blocks of every scale, from the input on."""
        return [list(scale.stages) for scale in self.scales if isinstance(scale, PatchDiscriminator)]

    @property
    def gives(self) -> frozenset[Need]:
        """What techniques may count on: no norm of these mixes the pictures of a batch."""
        given = {DISCRIMINATOR, OWN_SCORE, D_LAYERS}
        return frozenset(given | {BOUNDED_SLOPE} if self.spectral else given)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Features:
        """See the class."""
        x = x.contiguous(memory_format=torch.channels_last)  # once, not in every convolution that reads it
        features = []
        for scale in self.scales:
            features.append(scale(x))
            x = self.pool(x)
        return features


def _unchanged(module: nn.Module) -> nn.Module:
    return module


def _identity(_: Any) -> nn.Module:
    return nn.Identity()
