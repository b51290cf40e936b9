"""A lean mask-to-photo translator for small data: pix2pixHD's generator with U-Net skips and few channels."""

from __future__ import annotations

import itertools

from jaxtyping import Float
from torch import Tensor, nn

from augkit.models.instance_norm import PlaneNorm
from augkit.models.registries import PHOTO_GENERATORS
from augkit.models.upsampled import UpsampledJoin


class ResidualBlock(nn.Module):
    """x + conv(conv(x)), reflection-padded, instance-normalised (Johnson et al. 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, padding_mode="reflect"),
            PlaneNorm(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1, padding_mode="reflect"),
            PlaneNorm(width),
        )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """See the class."""
        out: Tensor = x + self.body(x)
        return out


class Translator(nn.Module):
    """Condition (N, C, H, W) -> photo (N, 3, H, W) in [-1, 1]; H and W divisible by ``divisor``."""

    def __init__(self, condition: int, base: int = 16, levels: int = 3, blocks: int = 4) -> None:
        super().__init__()
        self.divisor = 2**levels
        widths = [base * 2**level for level in range(levels + 1)]
        self.stem = nn.Sequential(nn.Conv2d(condition, base, 5, 1, 2), PlaneNorm(base), nn.ReLU())
        self.down = nn.ModuleList(_step(a, b, stride=2) for a, b in itertools.pairwise(widths))
        self.middle = nn.Sequential(*(ResidualBlock(widths[-1]) for _ in range(blocks)))
        rising = list(zip(widths[::-1], widths[-2::-1], strict=False))
        self.up = nn.ModuleList(_Rise(UpsampledJoin(wide, narrow, narrow), *_normed(narrow)) for wide, narrow in rising)
        self.head = nn.Sequential(nn.Conv2d(base, 3, 5, 1, 2), nn.Tanh())

    def forward(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 3 h w"]:
        """See the class."""
        skips = [self.stem(condition)]
        for down in self.down:
            skips.append(down(skips[-1]))
        x = self.middle(skips.pop())
        for up in self.up:
            x = up(x, skips.pop())
        photo: Tensor = self.head(x)
        return photo


@PHOTO_GENERATORS.register("translator")
def build_translator(condition: int, base: int = 16, levels: int = 3, blocks: int = 4) -> nn.Module:
    """The default of stage II on small data."""
    return Translator(condition, base, levels, blocks)


class _Rise(nn.Sequential):
    """The first layer reads the coarse maps and the finer ones that skipped them; the others follow."""

    def forward(  # type: ignore[override]
        self, maps: Float[Tensor, "n c h w"], finer: Float[Tensor, "n d u v"]
    ) -> Float[Tensor, "n k u v"]:
        """See the class."""
        join, *others = self
        x: Tensor = join(maps, finer)
        for layer in others:
            x = layer(x)
        return x


def _step(inside: int, outside: int, stride: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inside, outside, 3, stride, 1), *_normed(outside))


def _normed(width: int) -> list[nn.Module]:
    return [PlaneNorm(width), nn.ReLU()]
