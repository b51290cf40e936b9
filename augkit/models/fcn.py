"""Fully convolutional networks (Long et al. 2015): torchvision's on ResNet-50, a light one on EfficientNet-Lite0."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import cast

import timm
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.segmentation import fcn_resnet50

from augkit.core.errors import CheckpointError
from augkit.core.pixels import HALF
from augkit.core.regular_file import WEIGHTS, size_of_regular
from augkit.models.lite0 import load_lite0
from augkit.models.registries import SEGMENTERS

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_WIDTHS = (40, 112, 320)
"""Channels of Lite0's maps at strides 8, 16 and 32."""


class FCNResNet50(nn.Module):
    """Photos (N, 3, H, W) in [-1, 1] -> logits (N, K, H, W); H and W divisible by 32."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int, weights: Path | None) -> None:
        super().__init__()
        self.divisor = 32
        self.network = fcn_resnet50(weights=None, weights_backbone=None, num_classes=channels)
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION)[:, None, None], persistent=False)
        if weights is not None:
            _load(self.network, weights)

    @property
    def encoder(self) -> nn.Module:
        """What may be pre-trained."""
        return cast(nn.Module, self.network.backbone)

    def forward(self, photos: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n k h w"]:
        """See the class."""
        logits: Tensor = self.network(((photos + 1) / 2 - self.mean) / self.deviation)["out"]
        return logits


class FCNLite0(nn.Module):
    """Photos (N, 3, H, W) in [-1, 1] -> logits (N, K, H, W); H and W divisible by 32.

    Scores at strides 32, 16 and 8, each added to the coarser ones (the paper's FCN-8s), by 1x1 convolutions alone.
    """

    def __init__(self, channels: int, pretrained: bool) -> None:
        super().__init__()
        self.divisor = 32
        network = timm.create_model("tf_efficientnet_lite0", pretrained=False, features_only=True)
        self.encoder = load_lite0(network) if pretrained else network
        self.scores = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in _WIDTHS)

    def forward(self, photos: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n k h w"]:
        """See the class."""
        maps: list[Tensor] = self.encoder(photos * (HALF / 128))[2:]  # the network was trained on (x - 127) / 128
        first, *finer = [score(each) for score, each in zip(self.scores, maps, strict=True)][::-1]
        for scores in finer:
            first = scores + functional.interpolate(first, size=scores.shape[2:], mode="bilinear")
        return functional.interpolate(first, size=photos.shape[2:], mode="bilinear")


@SEGMENTERS.register("fcn-resnet50")
def build_fcn_resnet50(channels: int, pretrained: bool = True, weights: str | None = None) -> nn.Module:
    """torchvision's; ``weights`` is a file of its weights, of the whole network or of the backbone, for any classes.

    Without one it begins from random weights: no package carries them, and nothing is downloaded.
    """
    return FCNResNet50(channels, Path(weights) if pretrained and weights is not None else None)


@SEGMENTERS.register("fcn-lite0")
def build_fcn_lite0(channels: int, pretrained: bool = True) -> nn.Module:
    """The light one."""
    return FCNLite0(channels, pretrained)


def _load(network: nn.Module, path: Path) -> None:
    """Puts a file's weights into the network, but for the layers that end in other classes. Raises CheckpointError."""
    try:
        size_of_regular(path, WEIGHTS)
        state = torch.load(path, "cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path} cannot be read as weights: {reason}", _FILES, "name such a file") from error
    wanted = network.state_dict()
    named = dict(state) if isinstance(state, dict) else {}
    found = {name: named.get(name, named.get(name.removeprefix("backbone."))) for name in wanted}
    fits = {name: own for name, own in found.items() if getattr(own, "shape", None) == wanted[name].shape}
    lacking = [name for name in wanted if name.startswith("backbone.") and name not in fits]
    if lacking:
        raise CheckpointError(
            f"{path}: {len(lacking)} weights of the backbone are missing or of another shape, e.g. {lacking[0]}",
            _FILES, "name such a file",
        )  # fmt: skip
    network.load_state_dict(fits, strict=False)


_FILES = "weights of torchvision's fcn_resnet50 or resnet50 (.pth)"
