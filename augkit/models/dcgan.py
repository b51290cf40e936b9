"""The DCGANs of the reports (after Radford et al. 2016). Weights start N(0, .02).

=======================  ==============================================================================================
``dcgan-deconvolution``  the two-stage report's: strided convolutions, 1024 channels at 4 px of 128
``dcgan-upsampling``     the two-stage report's: nearest-neighbour x2 and pairs of convolutions
``dcgan``                the Cityscapes report's baseline: 512 channels at 4 px
``dcgan-bigger``         the Cityscapes report's bigger one: levels down to 2 px
=======================  ==============================================================================================

``norm`` is that of D (``discriminator_norm``); ``spectral`` is the older way to say ``norm: spectral``.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from torch import nn

from augkit.models.convolution import Convolution, Deconvolution
from augkit.models.discriminator_norm import chosen_norm, has_bias, normed
from augkit.models.initialise import normal
from augkit.models.registries import PICTURE_MODELS, PictureModel, Trunk, doublings
from augkit.models.upsampled import Doubled, UpsampledConvolution


@PICTURE_MODELS.register("dcgan-deconvolution")
def build_deconvolution(
    channels: int, size: int, condition: int = 0, *, latent: int = 100, norm: str = "batch", spectral: bool = False
) -> PictureModel:
    """64 channels at half the side, doubled a level down to 4 px, at most 1024: the report's widths at 128 px.

    G: ConvTranspose, BatchNorm, ReLU; D: strided convolution, BatchNorm (not on the first), LeakyReLU. Raises
    ConfigError for a size that is no power of two from 16 px.
    """
    levels = doublings("dcgan-deconvolution", size) - 2
    norm = chosen_norm(norm, spectral)
    widths = [min(64 * 2**level, 1024) for level in range(levels)]
    generator = _deconvolutions(latent + condition, widths[::-1], Deconvolution(widths[0], channels, 4, 2, 1))
    return PictureModel("gan", latent, normal(generator), normal(_strided_trunk(channels, widths, 4, norm)))


@PICTURE_MODELS.register("dcgan")
def build_baseline(
    channels: int, size: int, condition: int = 0, *, latent: int = 100, norm: str = "batch", spectral: bool = False
) -> PictureModel:
    """512 channels at 4 px, halved a level: at 64 px the layers of ``dcgan-deconvolution`` at 64 px.

    RGB at 64 px: G 3,576,707 parameters (reported: about 3.5 M), D 2,765,633 with the bias of its first layer, and
    8,193 of them in a linear head (reported: about 2.8 M). Raises ConfigError as ``dcgan-deconvolution`` does.
    """
    levels = doublings("dcgan", size) - 2
    norm = chosen_norm(norm, spectral)
    widths = [512 // 2**level for level in range(levels)][::-1]
    generator = _deconvolutions(latent + condition, widths[::-1], Deconvolution(widths[0], channels, 4, 2, 1))
    return PictureModel("gan", latent, normal(generator), normal(_strided_trunk(channels, widths, 4, norm)))


@PICTURE_MODELS.register("dcgan-bigger")
def build_bigger(
    channels: int, size: int, condition: int = 0, *, latent: int = 100, norm: str = "batch", spectral: bool = False
) -> PictureModel:
    """Seven deconvolutions in G and, with the score, six convolutions in D, at 64 px.

    The report gives no widths. These come to its counts within 2 % for RGB at 64 px: G 896, 512, 512, 256, 128, 64
    channels at 2 to 64 px, 15.73 M parameters (reported: 16 M); D 64, 128, 256, 512, 768 channels at 32 to 2 px,
    9.06 M (reported: 9.1 M). Other sizes add or drop levels at the fine end. Raises ConfigError as
    ``dcgan-deconvolution`` does.
    """
    levels = doublings("dcgan-bigger", size)
    norm = chosen_norm(norm, spectral)
    rising = [896, 512, 512, 256, 128, 64, *(max(64 // 2**extra, 16) for extra in range(1, levels))][:levels]
    falling = [768, 512, 256, 128, 64, *(max(64 // 2**extra, 16) for extra in range(1, levels))][: levels - 1][::-1]
    output = Deconvolution(rising[-1], channels, 3, 1, 1)
    generator = _deconvolutions(latent + condition, rising, output, side=2)
    return PictureModel("gan", latent, normal(generator), normal(_strided_trunk(channels, falling, 2, norm)))


@PICTURE_MODELS.register("dcgan-upsampling")
def build_upsampling(
    channels: int, size: int, condition: int = 0, *, latent: int = 100, norm: str = "batch", spectral: bool = False
) -> PictureModel:
    """512, 512, 512, 256, 128, 64 channels from 4 to 128 px, as in the report; other sizes start or end elsewhere.

    G: linear layer, then two of [convolution, BatchNorm, LeakyReLU] a level, and two without norm at the full side.
    D: two convolutions of 16, then a level two of the same from 32 to 512 channels and average pooling, down to
    512 x 1 x 1. Raises ConfigError as ``dcgan-deconvolution`` does.
    """
    levels = doublings("dcgan-upsampling", size) - 1
    norm = chosen_norm(norm, spectral)
    widths = [min(64 * 2 ** (levels - 1 - level), 512) for level in range(levels)]
    layers: list[nn.Module] = [
        nn.Linear(latent + condition, widths[0] * 16),
        nn.Unflatten(1, (widths[0], 4, 4)),
        *_two_convolutions(widths[0], widths[0]),
    ]
    for wide, narrow in itertools.pairwise(widths):
        layers += [Doubled(), UpsampledConvolution(wide, narrow, bias=False), nn.BatchNorm2d(narrow), nn.LeakyReLU(0.2)]
        layers += _convolution(narrow, narrow, 3, "batch")
    for _ in range(2):
        layers += [Convolution(widths[-1], widths[-1], 3, 1, 1), nn.LeakyReLU(0.2)]
    generator = nn.Sequential(*layers, Convolution(widths[-1], channels, 3, 1, 1))
    return PictureModel("gan", latent, normal(generator), normal(_pooling_trunk(channels, levels, norm)))


def _deconvolutions(latent: int, widths: Sequence[int], output: nn.Module, side: int = 4) -> nn.Module:
    """z -> widths[0] x side x side -> ... -> widths[-1], normed and rectified -> ``output``. ``side`` is 4 or 2."""
    stride, padding = {4: (1, 0), 2: (2, 1)}[side]
    layers: list[nn.Module] = [
        nn.Unflatten(1, (latent, 1, 1)),
        Deconvolution(latent, widths[0], 4, stride, padding, bias=False),
    ]
    for wide, narrow in itertools.pairwise(widths):
        layers += [nn.BatchNorm2d(wide), nn.ReLU(), Deconvolution(wide, narrow, 4, 2, 1, bias=False)]
    return nn.Sequential(*layers, nn.BatchNorm2d(widths[-1]), nn.ReLU(), output)


def _strided_trunk(channels: int, widths: Sequence[int], side: int, norm: str) -> Trunk:
    """Pictures -> widths[0] at half the side -> ... -> widths[-1] x side x side, flattened."""
    blocks = [_convolution(channels, widths[0], 4, _of_first(norm))]
    blocks += [_convolution(narrow, wide, 4, norm) for narrow, wide in itertools.pairwise(widths)]
    blocks[-1].append(nn.Flatten())
    return Trunk([nn.Sequential(*block) for block in blocks], widths[-1] * side**2, norm == "spectral")


def _pooling_trunk(channels: int, levels: int, norm: str) -> Trunk:
    blocks = [[*_convolution(channels, 16, 3, _of_first(norm)), *_convolution(16, 16, 3, _of_first(norm))]]
    width = 16
    for level in range(levels):
        inside, width = width, min(32 * 2**level, 512)
        blocks.append([nn.AvgPool2d(2), *_two_convolutions(inside, width, norm)])
    blocks[-1] += [nn.AvgPool2d(2), nn.Flatten()]
    return Trunk([nn.Sequential(*block) for block in blocks], width, norm == "spectral")


def _two_convolutions(inside: int, outside: int, norm: str = "batch") -> list[nn.Module]:
    return [*_convolution(inside, outside, 3, norm), *_convolution(outside, outside, 3, norm)]


def _convolution(inside: int, outside: int, kernel: int, norm: str) -> list[nn.Module]:
    """Convolution (kernel 4 halves the side) under its norm, LeakyReLU."""
    layer = Convolution(inside, outside, kernel, 2 if kernel == 4 else 1, 1, bias=has_bias(norm))
    return [*normed(layer, norm), nn.LeakyReLU(0.2)]


def _of_first(norm: str) -> str:
    """The picture's own brightness and contrast are not normed away."""
    return norm if norm == "spectral" else "none"
