"""GANs of residual networks: D in the shape of torchvision's ResNet, G its mirror (He et al. 2016).

The Cityscapes report gives a ResNet34 GAN as D 21.30 M parameters, G 22.96 M, "blocks 3-4-6-4". torchvision's ResNet34
(stages of 3, 4, 6, 3 blocks) with a linear score has 21.285 M: that is D. G is 22.74 M with stages of 3, 4, 6, 4
blocks from its wide end (512 channels at 4 px) to its narrow one (64 at 32 px); the order of D turned round in G, or
a fourth block of 512 in D, is further off the report's figures. 22.74 M is for RGB at 64 px. Weights start
Xavier uniform, as in the report.
"""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from augkit.models.attention import Block, attend
from augkit.models.discriminator_norm import chosen_norm, has_bias, normed
from augkit.models.initialise import xavier
from augkit.models.registries import PICTURE_MODELS, PictureModel, Trunk, doublings

WIDTHS = (64, 128, 256, 512)


class ResNetBlock(nn.Module):
    """relu(shortcut(x) + conv3(relu(conv3(x)))), normed: (N, inside, H, W) -> (N, outside, H * scale, W * scale).

    ``scale`` is 1, 0.5 (by stride) or 2 (by repeating pixels). The shortcut is a 1 x 1 convolution where the shape
    changes. ``norm``: see ``discriminator_norm``.
    """

    def __init__(self, inside: int, outside: int, scale: float = 1, norm: str = "batch") -> None:
        super().__init__()
        stride = 2 if scale == 0.5 else 1
        self.resize = nn.Upsample(scale_factor=2) if scale == 2 else nn.Identity()
        self.body = nn.Sequential(
            *_convolution(inside, outside, 3, stride, norm),
            nn.ReLU(),
            *_convolution(outside, outside, 3, 1, norm),
        )
        changes = inside != outside or scale != 1
        self.shortcut = nn.Sequential(*_convolution(inside, outside, 1, stride, norm) if changes else ())
        self.activation = nn.ReLU()

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        """See the class."""
        x = self.resize(x)
        out: Tensor = self.activation(self.shortcut(x) + self.body(x))
        return out


@PICTURE_MODELS.register("resnet18-gan")
def build_resnet18(
    channels: int,
    size: int,
    condition: int = 0,
    *,
    latent: int = 100,
    attention: int = 0,
    norm: str = "batch",
    spectral: bool = False,
) -> PictureModel:
    """Two blocks a stage. Options and errors as for ``resnet34-gan``."""
    doublings("resnet18-gan", size, smallest=32)
    generator = _generator((2, 2, 2, 2), latent + condition, channels, size, attention)
    trunk = _trunk((2, 2, 2, 2), channels, size, attention, chosen_norm(norm, spectral))
    return PictureModel("gan", latent, xavier(generator), xavier(trunk))


@PICTURE_MODELS.register("resnet34-gan")
def build_resnet34(
    channels: int,
    size: int,
    condition: int = 0,
    *,
    latent: int = 100,
    attention: int = 0,
    norm: str = "batch",
    spectral: bool = False,
) -> PictureModel:
    """See the module for the blocks.

    ``attention``: side in px at which G and D attend to themselves, 0 for none; ``norm``: that of D
    (``discriminator_norm``), and ``spectral`` the older way to say ``norm: spectral``. Raises ConfigError for a size
    that is no power of two from 32 px, and for a side that a network does not have.
    """
    doublings("resnet34-gan", size, smallest=32)
    generator = _generator((3, 4, 6, 4), latent + condition, channels, size, attention)
    trunk = _trunk((3, 4, 6, 3), channels, size, attention, chosen_norm(norm, spectral))
    return PictureModel("gan", latent, xavier(generator), xavier(trunk))


def _generator(stages: Sequence[int], latent: int, channels: int, size: int, attention: int) -> nn.Module:
    """z -> 512 x 4 x 4 -> the stages, 64 x 32 x 32 -> x2 and a convolution of half the width, up to the side."""
    width, side = WIDTHS[-1], 4
    start = [nn.Linear(latent, width * side**2, bias=False), nn.Unflatten(1, (width, side, side))]
    blocks = [Block(nn.Sequential(*start, nn.BatchNorm2d(width), nn.ReLU()), width, side)]
    for number, (count, wide) in enumerate(zip(stages, WIDTHS[::-1], strict=True)):
        for index in range(count):
            grows = number > 0 and index == 0
            side *= 2 if grows else 1
            blocks.append(Block(ResNetBlock(width, wide, 2 if grows else 1), wide, side))
            width = wide
    while side < size:
        inside, width, side = width, width // 2, side * 2
        step = [nn.Upsample(scale_factor=2), *_convolution(inside, width, 3, 1, "batch"), nn.ReLU()]
        blocks.append(Block(nn.Sequential(*step), width, side))
    return nn.Sequential(*attend(blocks, attention), nn.Conv2d(width, channels, 3, 1, 1))


def _trunk(stages: Sequence[int], channels: int, size: int, attention: int, norm: str) -> Trunk:
    """7 x 7 convolution and max-pooling to a quarter of the side, the stages, the mean over the picture."""
    width, side = WIDTHS[0], size // 2
    blocks = [Block(nn.Sequential(*_convolution(channels, width, 7, 2, norm), nn.ReLU()), width, side)]
    for number, (count, wide) in enumerate(zip(stages, WIDTHS, strict=True)):
        for index in range(count):
            shrinks = number > 0 and index == 0
            block: nn.Module = ResNetBlock(width, wide, 0.5 if shrinks else 1, norm)
            if number == index == 0:
                block = nn.Sequential(nn.MaxPool2d(3, 2, 1), block)
            side //= 2 if index == 0 else 1
            blocks.append(Block(block, wide, side))
            width = wide
    *modules, last = attend(blocks, attention)
    return Trunk([*modules, nn.Sequential(last, nn.AdaptiveAvgPool2d(1), nn.Flatten())], width, norm == "spectral")


def _convolution(inside: int, outside: int, kernel: int, stride: int, norm: str) -> list[nn.Module]:
    return normed(nn.Conv2d(inside, outside, kernel, stride, kernel // 2, bias=has_bias(norm)), norm)
