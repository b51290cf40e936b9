"""A small convolutional, class-conditional VAE of categorical masks (Kingma and Welling 2014; Sohn et al. 2015)."""

from __future__ import annotations

import itertools
import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from augkit.classes import ALL_CLASSES
from augkit.errors import ConfigError
from augkit.models.registries import MASK_MODELS, MaskModel


class MaskEncoder(nn.Module):
    """One-hot masks (N, K, S, S) and classes (N,) -> mean and log-variance, each (N, latent)."""

    def __init__(self, channels: int, size: int, latent: int, base: int) -> None:
        super().__init__()
        widths = _widths(size, base)
        blocks: list[nn.Module] = []
        previous = channels
        for width in widths:
            blocks += [nn.Conv2d(previous, width, 4, 2, 1), nn.GroupNorm(8, width), nn.LeakyReLU(0.2)]
            previous = width
        self.trunk = nn.Sequential(*blocks, nn.Flatten())
        self.embed = nn.Embedding(len(ALL_CLASSES), 16)
        self.head = nn.Linear(widths[-1] * 16 + 16, 2 * latent)

    def forward(
        self, masks: Float[Tensor, "n k s s"], classes: Int[Tensor, " n"]
    ) -> tuple[Float[Tensor, "n latent"], Float[Tensor, "n latent"]]:
        """See the class."""
        mean, log_variance = self.head(torch.cat([self.trunk(masks), self.embed(classes)], 1)).chunk(2, 1)
        return mean, log_variance.clamp(-10, 10)


class MaskDecoder(nn.Module):
    """Latents (N, latent) and classes (N,) -> mask logits (N, K, S, S)."""

    def __init__(self, channels: int, size: int, latent: int, base: int) -> None:
        super().__init__()
        widths = _widths(size, base)[::-1]
        self.embed = nn.Embedding(len(ALL_CLASSES), 16)
        self.project = nn.Sequential(nn.Linear(latent + 16, widths[0] * 16), nn.Unflatten(1, (widths[0], 4, 4)))
        blocks: list[nn.Module] = []
        for wide, narrow in itertools.pairwise(widths):
            blocks += [nn.GroupNorm(8, wide), nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2)]
            blocks += [nn.Conv2d(wide, narrow, 3, 1, 1)]
        last = widths[-1]
        blocks += [nn.Conv2d(last, last, 3, 1, 1), nn.GroupNorm(8, last), nn.LeakyReLU(0.2)]
        self.trunk = nn.Sequential(*blocks, nn.ConvTranspose2d(last, channels, 4, 2, 1))

    def forward(self, z: Float[Tensor, "n latent"], classes: Int[Tensor, " n"]) -> Float[Tensor, "n k s s"]:
        """See the class."""
        logits: Tensor = self.trunk(self.project(torch.cat([z, self.embed(classes)], 1)))
        return logits


@MASK_MODELS.register("mask-vae")
def build_mask_vae(channels: int, size: int, latent: int = 48, base: int = 48) -> MaskModel:
    """The default of stage I. ``size`` a power of two from 16 px; ``base`` channels at the finest level.

    Raises ConfigError for another size.
    """
    if size & (size - 1) or size < 16:
        raise ConfigError(f"mask-vae at {size} px", "a power of two from 16 px", "set mask.size to 64 or 128")
    if base % 8:
        raise ConfigError(f"mask-vae with base {base}", "a multiple of 8 (group norm has 8 groups)")
    decoder, encoder = (part(channels, size, latent, base) for part in (MaskDecoder, MaskEncoder))
    return MaskModel("vae", "categorical", latent, decoder, encoder)


def _widths(size: int, base: int) -> list[int]:
    """Channels of the levels from size/2 down to 4 px."""
    levels = int(math.log2(size)) - 2
    return [min(base * (level + 1), base * 5) for level in range(levels)]
