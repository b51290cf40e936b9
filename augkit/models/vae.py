"""The two plain VAEs of the car-image report: dense and convolutional (Kingma and Welling 2014).

Weights start as PyTorch draws them. The class-conditional versions are these with ``condition``.
"""

from __future__ import annotations

import itertools

from torch import nn

from augkit.core.errors import ConfigError
from augkit.models.convolution import Convolution, Deconvolution
from augkit.models.registries import PICTURE_MODELS, PictureModel, Trunk, doublings


@PICTURE_MODELS.register("vae-dense")
def build_dense(channels: int, size: int, condition: int = 0, *, latent: int = 64, hidden: int = 512) -> PictureModel:
    """Every pixel to ``hidden`` units, to half as many, and back.

    Its parameters grow with the pixels, about 2 * hidden * channels * size^2. Raises ConfigError for a size that is
    no power of two from 16 px, and for fewer than two hidden units.
    """
    doublings("vae-dense", size)
    if hidden < 2:
        raise ConfigError(f"vae-dense with {hidden} hidden units", "2 or more")
    pixels, half = channels * size**2, hidden // 2
    generator = nn.Sequential(
        *(nn.Linear(latent + condition, half), nn.LeakyReLU(0.2)),
        *(nn.Linear(half, hidden), nn.LeakyReLU(0.2)),
        *(nn.Linear(hidden, pixels), nn.Unflatten(1, (channels, size, size))),
    )
    first = nn.Sequential(nn.Flatten(), nn.Linear(pixels, hidden), nn.LeakyReLU(0.2))
    second = nn.Sequential(nn.Linear(hidden, half), nn.LeakyReLU(0.2))
    return PictureModel("vae", latent, generator, Trunk([first, second], half))


@PICTURE_MODELS.register("vae-convolutional")
def build_convolutional(
    channels: int, size: int, condition: int = 0, *, latent: int = 64, base: int = 32
) -> PictureModel:
    """Strided convolutions to 4 px and transposed ones back, BatchNorm and LeakyReLU between them.

    ``base`` channels at half the side, doubled a level, at most eightfold. Raises ConfigError for a size that is no
    power of two from 16 px.
    """
    levels = doublings("vae-convolutional", size) - 2
    widths = [base * min(2**level, 8) for level in range(levels)]
    features = widths[-1] * 16
    layers: list[nn.Module] = [nn.Linear(latent + condition, features), nn.Unflatten(1, (widths[-1], 4, 4))]
    for wide, narrow in itertools.pairwise(widths[::-1]):
        layers += [*_normed(wide), Deconvolution(wide, narrow, 4, 2, 1, bias=False)]
    layers += [*_normed(widths[0]), Deconvolution(widths[0], channels, 4, 2, 1)]
    blocks = [
        [Convolution(inside, outside, 4, 2, 1, bias=False), *_normed(outside)]
        for inside, outside in itertools.pairwise([channels, *widths])
    ]
    blocks[-1].append(nn.Flatten())
    trunk = Trunk([nn.Sequential(*block) for block in blocks], features)
    return PictureModel("vae", latent, nn.Sequential(*layers), trunk)


def _normed(width: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(width), nn.LeakyReLU(0.2)]
