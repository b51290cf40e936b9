"""A feature pyramid (Lin et al. 2017) on a Lite0 encoder: a segmenter whose training step is short on a CPU.

The decoder works at stride 4 and up, where a photo of 128 px is 32 x 32, in dense convolutions alone: they are what
bf16 makes fast. The logits are interpolated to the photo's size.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from augkit.core.errors import ConfigError
from augkit.models.lite0_encoder import CHANNELS, Lite0Encoder
from augkit.models.registries import SEGMENTERS


class FPN(nn.Module):
    """Photos (N, 3, H, W) in [-1, 1] -> logits (N, K, H, W); H and W divisible by 32.

    ``widths`` are the decoder's channels at strides 16, 8 and 4.
    """

    def __init__(self, channels: int, pretrained: bool, widths: tuple[int, int, int], frozen: int) -> None:
        super().__init__()
        self.divisor = 32
        self.encoder = Lite0Encoder(pretrained, frozen)
        above = (CHANNELS[-1], *widths)
        self.down = nn.ModuleList(nn.Conv2d(wide, narrow, 1) for wide, narrow in zip(above, widths, strict=False))
        beside = CHANNELS[-2:0:-1]
        self.lateral = nn.ModuleList(nn.Conv2d(own, width, 1) for own, width in zip(beside, widths, strict=True))
        self.smooth = nn.ModuleList(_smoothing(width) for width in widths)
        self.head = nn.Conv2d(widths[-1], channels, 1)

    def forward(self, photos: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n k h w"]:
        """See the class."""
        _, *maps, top = self.encoder(photos)
        for down, lateral, smooth, beside in zip(self.down, self.lateral, self.smooth, maps[::-1], strict=True):
            top = smooth(_larger(down(top), 2) + lateral(beside))
        return _larger(self.head(top), 4)


def _smoothing(width: int) -> nn.Module:
    convolution = nn.Conv2d(width, width, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True))


def _larger(maps: Tensor, times: int) -> Tensor:
    return functional.interpolate(maps, scale_factor=times, mode="bilinear", align_corners=False)


@SEGMENTERS.register("fpn")
def build_fpn(
    channels: int, pretrained: bool = True, widths: tuple[int, int, int] = (128, 128, 64), frozen: int = 3
) -> nn.Module:
    """The default segmenter. ``frozen``: the encoder's first stages (of 7) that stay as they are."""
    if not 0 <= frozen <= 7 or len(widths) != 3:
        raise ConfigError(f"segmenter.options widths {list(widths)}, frozen {frozen}", "three widths, 0 to 7 stages")
    return FPN(channels, pretrained, widths, frozen)
