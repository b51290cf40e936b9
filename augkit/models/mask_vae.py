"""A small convolutional VAE for categorical masks (Kingma and Welling 2014; with a condition, Sohn et al. 2015)."""

from __future__ import annotations

import itertools

from torch import nn

from augkit.core.errors import ConfigError
from augkit.models.convolution import Convolution, Deconvolution
from augkit.models.group_norm import PictureNorm
from augkit.models.registries import PICTURE_MODELS, PictureModel, Trunk, doublings
from augkit.models.upsampled import Doubled, UpsampledConvolution


@PICTURE_MODELS.register("mask-vae")
def build_mask_vae(channels: int, size: int, condition: int = 0, *, latent: int = 48, base: int = 48) -> PictureModel:
    """Strided convolutions to 4 px, nearest-neighbour x2 and convolutions back; GroupNorm, so no batch statistics.

    ``base`` channels at the finest level, one more ``base`` a level, at most five. Weights start as PyTorch draws
    them. Raises ConfigError for a size that is no power of two from 16 px, and for a ``base`` that the eight groups
    do not divide.
    """
    levels = doublings("mask-vae", size) - 2
    if base % 8:
        raise ConfigError(f"mask-vae with base {base}", "a multiple of 8 (group norm has 8 groups)")
    widths = [min(base * (level + 1), base * 5) for level in range(levels)]
    generator = _decoder(latent + condition, widths[::-1], channels)
    return PictureModel("vae", latent, generator, _trunk(channels, widths))


def _trunk(channels: int, widths: list[int]) -> Trunk:
    blocks = [
        [Convolution(inside, outside, 4, 2, 1), PictureNorm(8, outside), nn.LeakyReLU(0.2)]
        for inside, outside in itertools.pairwise([channels, *widths])
    ]
    blocks[-1].append(nn.Flatten())
    return Trunk([nn.Sequential(*block) for block in blocks], widths[-1] * 16)


def _decoder(latent: int, widths: list[int], channels: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Linear(latent, widths[0] * 16), nn.Unflatten(1, (widths[0], 4, 4))]
    for wide, narrow in itertools.pairwise(widths):
        layers += [PictureNorm(8, wide), nn.LeakyReLU(0.2), Doubled()]
        layers += [UpsampledConvolution(wide, narrow)]
    last = widths[-1]
    layers += [Convolution(last, last, 3, 1, 1), PictureNorm(8, last), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, Deconvolution(last, channels, 4, 2, 1))
