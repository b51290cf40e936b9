"""pix2pixHD's global generator G1 (Wang et al. 2018, section 3.2 and appendix)."""

from __future__ import annotations

import itertools

from jaxtyping import Float
from torch import Tensor, nn

from augkit.models.initialise import normal
from augkit.models.registries import PHOTO_GENERATORS
from augkit.models.translator import ResidualBlock


class GlobalGenerator(nn.Module):
    """Condition (N, C, H, W) -> photo (N, 3, H, W) in [-1, 1]; H and W divisible by ``divisor``.

    7x7 convolution, ``levels`` stride-2 convolutions, ``blocks`` residual blocks, as many transposed convolutions,
    7x7 convolution and Tanh; reflection padding, InstanceNorm without affine weights.
    """

    def __init__(self, condition: int, base: int = 64, levels: int = 4, blocks: int = 9) -> None:
        super().__init__()
        self.divisor = 2**levels
        widths = [base * 2**level for level in range(levels + 1)]
        layers: list[nn.Module] = [
            nn.Conv2d(condition, base, 7, 1, 3, padding_mode="reflect"), nn.InstanceNorm2d(base), nn.ReLU()
        ]  # fmt: skip
        for narrow, wide in itertools.pairwise(widths):
            layers += [nn.Conv2d(narrow, wide, 3, 2, 1), nn.InstanceNorm2d(wide), nn.ReLU()]
        layers += [ResidualBlock(widths[-1]) for _ in range(blocks)]
        for wide, narrow in zip(widths[::-1], widths[-2::-1], strict=False):
            layers += [
                nn.ConvTranspose2d(wide, narrow, 3, 2, 1, output_padding=1),
                nn.InstanceNorm2d(narrow),
                nn.ReLU(),
            ]
        layers += [nn.Conv2d(base, 3, 7, 1, 3, padding_mode="reflect"), nn.Tanh()]
        self.trunk = nn.Sequential(*layers)

    def forward(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 3 h w"]:
        """See the class."""
        photo: Tensor = self.trunk(condition)
        return photo


@PHOTO_GENERATORS.register("pix2pixhd-global")
def build_global(condition: int, base: int = 64, levels: int = 4, blocks: int = 9) -> nn.Module:
    """The published generator."""
    return normal(GlobalGenerator(condition, base, levels, blocks))
