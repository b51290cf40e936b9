"""pix2pixHD's generators and feature encoder (Wang et al. 2018, sections 3.2 to 3.4 and appendix A).

Layers as in the authors' code: reflection padding in the 7x7 convolutions and the residual blocks, InstanceNorm without
affine weights, transposed convolutions on the way up.
"""

from __future__ import annotations

import itertools

from jaxtyping import Float
from torch import Tensor, nn

from augkit.models.initialise import normal
from augkit.models.instance_norm import PlaneNorm
from augkit.models.registries import PHOTO_GENERATORS
from augkit.models.translator import ResidualBlock


class GlobalFeatures(nn.Module):
    """G1 without its last convolution: condition (N, C, H, W) -> features (N, base, H, W).

    7x7 convolution, ``levels`` stride-2 convolutions, ``blocks`` residual blocks, as many transposed convolutions.
    """

    def __init__(self, condition: int, base: int, levels: int, blocks: int) -> None:
        super().__init__()
        widths = [base * 2**level for level in range(levels + 1)]
        layers = [_widest(condition, base)]
        layers += [_down(narrow, wide) for narrow, wide in itertools.pairwise(widths)]
        layers += [ResidualBlock(widths[-1]) for _ in range(blocks)]
        layers += [_up(wide, narrow) for wide, narrow in itertools.pairwise(widths[::-1])]
        self.trunk = nn.Sequential(*layers)

    def forward(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n f h w"]:
        """See the class."""
        features: Tensor = self.trunk(condition)
        return features


class EnhancedFeatures(nn.Module):
    """A local enhancer around coarser features: condition (N, C, H, W) -> features (N, base, H, W).

    ``coarse`` sees the condition average-pooled to half the size and gives 2 * base channels, to which the enhancer's
    own stride-2 features are added before ``blocks`` residual blocks and a transposed convolution.
    """

    def __init__(self, coarse: nn.Module, condition: int, base: int, blocks: int) -> None:
        super().__init__()
        self.coarse = coarse
        self.pool = nn.AvgPool2d(3, 2, 1, count_include_pad=False)
        self.down = nn.Sequential(_widest(condition, base), _down(base, 2 * base))
        self.up = nn.Sequential(*(ResidualBlock(2 * base) for _ in range(blocks)), _up(2 * base, base))

    def forward(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n f h w"]:
        """See the class."""
        features: Tensor = self.up(self.down(condition) + self.coarse(self.pool(condition)))
        return features


class Pix2PixHD(nn.Module):
    """Condition (N, C, H, W) -> photo (N, 3, H, W) in [-1, 1]; H and W divisible by ``divisor``."""

    def __init__(self, features: nn.Module, base: int, divisor: int) -> None:
        super().__init__()
        self.features, self.divisor = features, divisor
        self.head = nn.Sequential(nn.Conv2d(base, 3, 7, 1, 3, padding_mode="reflect"), nn.Tanh())

    def forward(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 3 h w"]:
        """See the class."""
        photo: Tensor = self.head(self.features(condition))
        return photo


class StyleEncoder(nn.Module):
    """The feature encoder E: photos (N, 3, H, W) in [-1, 1] -> styles (N, ``styles``, H, W) in [-1, 1].

    An encoder-decoder without residual blocks; whoever uses it pools the styles over each part. H and W divisible by
    2**levels.
    """

    def __init__(self, styles: int = 3, base: int = 16, levels: int = 4) -> None:
        super().__init__()
        self.divisor = 2**levels
        self.features = GlobalFeatures(3, base, levels, blocks=0)
        self.head = nn.Sequential(nn.Conv2d(base, styles, 7, 1, 3, padding_mode="reflect"), nn.Tanh())
        normal(self)

    def forward(self, photos: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n s h w"]:
        """See the class."""
        styles: Tensor = self.head(self.features(photos))
        return styles


@PHOTO_GENERATORS.register("pix2pixhd-global")
def build_global(condition: int, base: int = 64, levels: int = 4, blocks: int = 9) -> nn.Module:
    """G1 alone: the published generator up to 512 px."""
    return normal(Pix2PixHD(GlobalFeatures(condition, base, levels, blocks), base, 2**levels))


@PHOTO_GENERATORS.register("pix2pixhd-local")
def build_local(  # noqa: PLR0917  # as the others of its kind
    condition: int, base: int = 32, levels: int = 4, blocks: int = 9, enhancers: int = 1, local_blocks: int = 3
) -> nn.Module:
    """G1 and its local enhancers, one a doubling of the size: the published generator for 1024 px.

    ``base`` counts the finest enhancer's channels; each coarser one, and G1 at last, has twice as many. Raises
    ValueError for fewer enhancers than one.
    """
    if enhancers < 1:
        raise ValueError(f"enhancers {enhancers}: at least 1, or take pix2pixhd-global")
    width = base * 2**enhancers
    features: nn.Module = GlobalFeatures(condition, width, levels, blocks)
    for _ in range(enhancers):
        width //= 2
        features = EnhancedFeatures(features, condition, width, local_blocks)
    return normal(Pix2PixHD(features, base, 2 ** (levels + enhancers)))


def coarse_options(options: dict[str, int]) -> tuple[str, dict[str, int]]:
    """Model and options of the generator that ``pix2pixhd-local`` with these options starts from, at half its size."""
    defaults = {"base": 32, "levels": 4, "blocks": 9, "enhancers": 1, "local_blocks": 3}
    full = defaults | options
    full |= {"base": 2 * full["base"], "enhancers": full["enhancers"] - 1}
    if full["enhancers"]:
        return "pix2pixhd-local", full
    return "pix2pixhd-global", {name: full[name] for name in ("base", "levels", "blocks")}


def _normed(convolution: nn.Module, width: int) -> nn.Module:
    return nn.Sequential(convolution, PlaneNorm(width), nn.ReLU())


def _widest(inside: int, outside: int) -> nn.Module:
    return _normed(nn.Conv2d(inside, outside, 7, 1, 3, padding_mode="reflect"), outside)


def _down(inside: int, outside: int) -> nn.Module:
    return _normed(nn.Conv2d(inside, outside, 3, 2, 1), outside)


def _up(inside: int, outside: int) -> nn.Module:
    return _normed(nn.ConvTranspose2d(inside, outside, 3, 2, 1, output_padding=1), outside)
