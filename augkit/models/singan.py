"""SinGAN: a pyramid of small patch networks that one photo trains (Shaham et al. 2019).

Scale n makes its picture from that of scale n - 1, enlarged, and from noise: x_n = u + tanh(G_n(u + sigma_n z)), where
u is the enlarged picture (0 at the coarsest scale). G_n and D_n are five convolutions of 3 x 3, so both judge and
change patches of 11 x 11; what such a patch covers of the photo shrinks from scale to scale.

The batch normalisation of the paper sees batches of one picture, in training and in sampling. Here it is that of one
picture by construction (a group a channel), which gives the same numbers and never mixes pictures of a batch.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from augkit.core.errors import DataError
from augkit.models.initialise import normal

LAYERS, SLOPE = 5, 0.2
WIDEST = 4
"""Times that the channels may have grown: 32 to 128 in the paper's code."""

Side = tuple[int, int]
"""(height, width) in pixels."""


def pyramid_sizes(height: int, width: int, coarsest: int, factor: float, largest: int) -> list[Side]:
    """The sizes of all scales, the coarsest first.

    The finest is the photo's, shrunk so that the longer side is at most ``largest``. The number of scales is what
    comes nearest to ``factor`` from each to the next coarser one; then the factor is fitted, so that the shorter side
    of the coarsest is ``coarsest`` exactly. Raises DataError for a photo that is smaller than that.
    """
    shrink = min(1.0, largest / max(height, width))
    short = min(height, width) * shrink
    if short < coarsest:
        raise DataError(
            f"a photo of {width} x {height} px, {short:.0f} px at its shorter side"
            + (f" once its longer one is {largest} px" if shrink < 1 else ""),
            f"at least the coarsest scale, {coarsest} px",
            "take a larger photo, or a smaller --set paint.coarsest" + ("; or raise paint.size" if shrink < 1 else ""),
        )
    steps = round(math.log(coarsest / short) / math.log(factor))
    fitted = (coarsest / short) ** (1 / steps) if steps else 1.0
    scales = [shrink * fitted**power for power in range(steps, -1, -1)]
    return [(round(height * scale), round(width * scale)) for scale in scales]


def channels_at(scale: int, base: int, double_every: int) -> int:
    """Channels of the networks of a scale, 0 the coarsest: doubled every so many scales, twice at most."""
    return int(base * min(WIDEST, 2 ** (scale // double_every)))


class ScaleGenerator(nn.Module):
    """(picture, noise), both (N, 3, H, W) -> picture (N, 3, H, W); ``amplitude`` is the noise's standard deviation.

    The input has a border of zeros of five pixels, and the convolutions none, so that the picture's edge is seen as
    one; the picture keeps its size.
    """

    amplitude: Tensor

    def __init__(self, channels: int, amplitude: float = 1.0) -> None:
        super().__init__()
        self.layers = _stack(channels, 3)
        self.register_buffer("amplitude", torch.tensor(float(amplitude)))

    def forward(self, before: Float[Tensor, "n 3 h w"], noise: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """See the class."""
        framed = functional.pad(before + self.amplitude * noise, [LAYERS] * 4)
        made: Tensor = before + self.layers(framed).float().tanh()
        return made


class ScaleDiscriminator(nn.Module):
    """(N, 3, H, W) -> (N, ``features``, H - 10, W - 10): a score, or an embedding, of each patch of 11 x 11."""

    def __init__(self, channels: int, features: int = 1) -> None:
        super().__init__()
        self.layers = _stack(channels, features)

    def forward(self, pictures: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n f i j"]:
        """See the class."""
        judged: Tensor = self.layers(pictures)
        return judged


class Pyramid(nn.Module):
    """Trained scales in use, the coarsest first; ``sizes`` may go on beyond them.

    ``fixed`` (1, 3, h, w) is the noise at the coarsest scale that stands for the photo: with it, and none at the other
    scales, the pyramid makes the photo again.
    """

    fixed: Tensor

    def __init__(self, generators: Sequence[ScaleGenerator], sizes: Sequence[Side], fixed: Tensor) -> None:
        super().__init__()
        self.generators, self.sizes = nn.ModuleList(generators), list(sizes)
        self.register_buffer("fixed", fixed)

    def __len__(self) -> int:
        return len(self.generators)

    def with_scale(self, generator: ScaleGenerator, side: Side) -> Pyramid:
        """A pyramid of these scales and one more, with the same networks."""
        own = [module for module in self.generators if isinstance(module, ScaleGenerator)]
        return Pyramid([*own, generator], [*self.sizes[: len(self)], side], self.fixed).eval()

    def climb(
        self, before: Float[Tensor, "n 3 h w"], noise: Callable[[int], Tensor], first: int = 0, last: int | None = None
    ) -> Float[Tensor, "n 3 i j"]:
        """What the scales from ``first`` to before ``last`` (all) make of the picture ``before`` the first.

        ``noise(scale)`` gives that scale's, (N, 3, H, W), or what broadcasts to it.
        """
        picture = before
        for scale in range(first, len(self) if last is None else last):
            picture = self.generators[scale](enlarge(picture, self.sizes[scale]), noise(scale))
        return picture

    def nothing(self, count: int = 1) -> Float[Tensor, "n 3 h w"]:
        """What is before the coarsest scale."""
        return torch.zeros(count, 3, *self.sizes[0], device=self.fixed.device)

    def rebuild(self, last: int | None = None) -> Float[Tensor, "1 3 h w"]:
        """The photo, made from the fixed noise."""
        return self.climb(self.nothing(), self.fixed_noise, last=last)

    def fixed_noise(self, scale: int) -> Tensor:
        """The noise that stands for the photo."""
        return self.fixed if scale == 0 else torch.zeros((), device=self.fixed.device)


def enlarge(pictures: Float[Tensor, "n 3 h w"], side: Side) -> Float[Tensor, "n 3 i j"]:
    """Bilinear interpolation; pictures of that size stay as they are."""
    if tuple(pictures.shape[2:]) == tuple(side):
        return pictures
    return functional.interpolate(pictures, size=side, mode="bilinear", align_corners=False)


def shrink(pictures: Float[Tensor, "n 3 h w"], side: Side) -> Float[Tensor, "n 3 i j"]:
    """Bilinear interpolation over the area that a pixel takes."""
    if tuple(pictures.shape[2:]) == tuple(side):
        return pictures
    return functional.interpolate(pictures, size=side, mode="bilinear", align_corners=False, antialias=True)


def _stack(channels: int, out: int) -> nn.Sequential:
    """Convolutions of 3 x 3 without borders: four with norm and LeakyReLU, and a plain one."""
    widths = [3, *[channels] * (LAYERS - 1)]
    layers: list[nn.Module] = []
    for narrow, wide in itertools.pairwise(widths):
        layers += [nn.Conv2d(narrow, wide, 3, bias=False), nn.GroupNorm(wide, wide), nn.LeakyReLU(SLOPE)]
    return normal(nn.Sequential(*layers, nn.Conv2d(channels, out, 3)))
