"""A U-Net (Ronneberger et al. 2015) on EfficientNet-Lite0 with ImageNet weights: a segmenter."""

from __future__ import annotations

from typing import cast

import segmentation_models_pytorch as smp
from jaxtyping import Float
from torch import Tensor, nn

from augkit.models.lite0 import load_lite0
from augkit.models.registries import SEGMENTERS


class UNet(nn.Module):
    """Photos (N, 3, H, W) in [-1, 1] -> logits (N, K, H, W); H and W divisible by 32."""

    def __init__(self, channels: int, pretrained: bool, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.divisor = 32
        self.network = smp.Unet(
            "tu-tf_efficientnet_lite0", encoder_weights=None, classes=channels, decoder_channels=widths
        )
        if pretrained:
            load_lite0(cast(nn.Module, self.network.encoder.model))

    @property
    def encoder(self) -> nn.Module:
        """What was pre-trained."""
        return cast(nn.Module, self.network.encoder)

    def forward(self, photos: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n k h w"]:
        """See the class."""
        logits: Tensor = self.network(photos)
        return logits


@SEGMENTERS.register("unet")
def build_unet(
    channels: int, pretrained: bool = True, widths: tuple[int, int, int, int, int] = (128, 64, 48, 32, 24)
) -> nn.Module:
    """A heavier decoder, up to the photo's own size."""
    return UNet(channels, pretrained, tuple(widths))
