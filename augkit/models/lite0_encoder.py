"""EfficientNet-Lite0 as an encoder that is quick to fine-tune: its batch statistics are frozen and folded away."""

from __future__ import annotations

from typing import cast

import timm
import torch
from jaxtyping import Float
from torch import Tensor, nn

from augkit.core.pixels import HALF
from augkit.models.depthwise import quicken
from augkit.models.lite0 import fold_batch_norm, load_lite0

CHANNELS = (16, 24, 40, 112, 320)
"""Of the maps at strides 2 to 32."""
AT = (0, 1, 2, 4, 6)
"""The stages that end with these maps."""


class Lite0Encoder(nn.Module):
    """Photos (N, 3, H, W) in [-1, 1] -> five maps at strides 2 to 32; H and W divisible by 32.

    Each batch norm, with the statistics of ImageNet, is part of the convolution before it. So no batch changes what
    another one gives, and a small batch is as good as a large one. The first ``frozen`` of the seven stages keep their
    weights, and nothing is kept for a backward pass through them.
    """

    def __init__(self, pretrained: bool, frozen: int) -> None:
        super().__init__()
        network = timm.create_model("tf_efficientnet_lite0", pretrained=False, features_only=True)
        if pretrained:
            load_lite0(network)
        fold_batch_norm(network)
        quicken(network)
        self.first = nn.Sequential(cast(nn.Module, network.conv_stem), cast(nn.Module, network.bn1))
        self.stages = nn.ModuleList(cast(nn.Sequential, network.blocks))
        self.frozen = frozen
        nn.ModuleList([self.first, *self.stages[:frozen]] if frozen else []).requires_grad_(False)

    def forward(self, photos: Float[Tensor, "n 3 h w"]) -> list[Tensor]:
        """See the class."""
        maps = [photos * (HALF / 128)]  # the network was trained on (x - 127) / 128
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            maps.append(self.first(maps[-1]))
            for stage in self.stages[: self.frozen]:
                maps.append(stage(maps[-1]))
        for stage in self.stages[self.frozen :]:
            maps.append(stage(maps[-1]))
        return [maps[stage + 2] for stage in AT]
