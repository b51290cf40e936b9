"""SN-GAN's residual networks (Miyato et al. 2018, appendix B.4), with the options of SAGAN and BigGAN.

G: linear layer to 16 ch x 4 x 4, a pre-activated residual block a doubling, BatchNorm, ReLU, convolution. D: residual
blocks without norm, every layer under spectral norm, ReLU, sum over the picture. Self-attention in both
(``attention``) and spectral norm in G as well (``spectral_generator``) make it SAGAN's and, with orthogonal initial
weights, BigGAN's manner; the class joins z instead of G's BatchNorm. Weights start Xavier uniform (the paper's scales
the residual convolutions by sqrt(2); BatchNorm in G and spectral norm in D undo a scale).
"""

from __future__ import annotations

import itertools

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from augkit.models.attention import Block, attend
from augkit.models.initialise import xavier
from augkit.models.registries import PICTURE_MODELS, PictureModel, Trunk, doublings

RISING = {32: (8, 4, 2, 1), 64: (16, 8, 4, 2, 1), 128: (16, 16, 8, 4, 2, 1), 256: (16, 16, 8, 8, 4, 2, 1)}
"""Channels of G in multiples of ch, from 4 px to the side."""

FALLING = {32: (1, 2, 4, 8), 64: (1, 2, 4, 8, 16), 128: (1, 2, 4, 8, 16, 16), 256: (1, 2, 4, 8, 8, 16, 16)}
"""Channels of D's blocks in multiples of ch. Each halves the side; from 128 px on the last leaves 4 px as they are."""


class UpBlock(nn.Module):
    """(N, inside, H, W) -> (N, outside, 2H, 2W): BatchNorm, ReLU, x2, conv, BatchNorm, ReLU, conv; 1 x 1 beside it."""

    def __init__(self, inside: int, outside: int, spectral: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(inside),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            _convolution(inside, outside, 3, spectral),
            nn.BatchNorm2d(outside),
            nn.ReLU(),
            _convolution(outside, outside, 3, spectral),
        )
        self.shortcut = nn.Sequential(_convolution(inside, outside, 1, spectral), nn.Upsample(scale_factor=2))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        """See the class."""
        out: Tensor = self.body(x) + self.shortcut(x)
        return out


class DownBlock(nn.Module):
    """(N, inside, H, W) -> (N, outside, H/2, W/2), or H and W as they are where not ``halves``.

    ReLU, conv, ReLU, conv, average pooling; the ``first`` block does without the first ReLU, for a picture has signs.
    """

    def __init__(self, inside: int, outside: int, halves: bool = True, first: bool = False) -> None:
        super().__init__()
        hidden = outside if first else inside
        pool = nn.AvgPool2d(2) if halves else nn.Identity()
        self.body = nn.Sequential(
            nn.Identity() if first else nn.ReLU(),
            _convolution(inside, hidden, 3, True),
            nn.ReLU(),
            _convolution(hidden, outside, 3, True),
            pool,
        )
        changes = halves or inside != outside
        self.shortcut = nn.Sequential(*(pool, _convolution(inside, outside, 1, True)) if changes else ())

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        """See the class."""
        out: Tensor = self.body(x) + self.shortcut(x)
        return out


class SumPool(nn.Module):
    """(N, C, H, W) -> (N, C): the sum over the picture, rectified before."""

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c"]:
        """See the class."""
        return x.relu().sum((2, 3))


@PICTURE_MODELS.register("sngan")
def build_sngan(
    channels: int,
    size: int,
    condition: int = 0,
    *,
    latent: int = 128,
    ch: int = 64,
    attention: int = 0,
    spectral_generator: bool = False,
) -> PictureModel:
    """``ch``: channels at the fine end; ``attention``: side in px at which G and D attend to themselves, 0 for none.

    Raises ConfigError for a size other than 32, 64, 128 and 256 px, and for a side that a network does not have.
    """
    doublings("sngan", size, smallest=32, largest=256)
    generator = _generator(latent + condition, channels, size, ch, attention=attention, spectral=spectral_generator)
    trunk = _trunk(channels, size, ch, attention)
    return PictureModel("gan", latent, xavier(generator), xavier(trunk))


def _generator(latent: int, channels: int, size: int, ch: int, *, attention: int, spectral: bool) -> nn.Module:
    widths, side = [ch * multiple for multiple in RISING[size]], 4
    linear = nn.Linear(latent, widths[0] * side**2)
    start = nn.Sequential(spectral_norm(linear) if spectral else linear, nn.Unflatten(1, (widths[0], side, side)))
    blocks = [Block(start, widths[0], side)]
    for inside, outside in itertools.pairwise(widths):
        side *= 2
        blocks.append(Block(UpBlock(inside, outside, spectral), outside, side))
    output = _convolution(widths[-1], channels, 3, spectral)
    return nn.Sequential(*attend(blocks, attention), nn.BatchNorm2d(widths[-1]), nn.ReLU(), output)


def _trunk(channels: int, size: int, ch: int, attention: int) -> Trunk:
    widths, side = [ch * multiple for multiple in FALLING[size]], size // 2
    blocks = [Block(DownBlock(channels, widths[0], first=True), widths[0], side)]
    for inside, outside in itertools.pairwise(widths):
        halves = side > 4 or size <= 64
        side //= 2 if halves else 1
        blocks.append(Block(DownBlock(inside, outside, halves), outside, side))
    *modules, last = attend(blocks, attention)
    return Trunk([*modules, nn.Sequential(last, SumPool())], widths[-1], spectral=True)


def _convolution(inside: int, outside: int, kernel: int, spectral: bool) -> nn.Module:
    layer = nn.Conv2d(inside, outside, kernel, 1, kernel // 2)
    return spectral_norm(layer) if spectral else layer
