"""VGG19's features for the perceptual loss (Simonyan and Zisserman 2015; Wang et al. 2018, section 3.3)."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import VGG19_Weights, vgg19

from augkit.core.errors import CheckpointError
from augkit.core.regular_file import WEIGHTS, size_of_regular
from augkit.models.registries import PERCEPTUAL_NETWORKS

SLICES = (2, 7, 12, 21, 30)
"""Where torchvision's layers are cut: after relu1_1, relu2_1, relu3_1, relu4_1 and relu5_1."""
WEIGHTS_URL = VGG19_Weights.IMAGENET1K_V1.url
WEIGHTS_FILE = WEIGHTS_URL.rsplit("/", 1)[-1]

_BRING = (
    f"bring {WEIGHTS_FILE} from {WEIGHTS_URL} and name it (image.perceptual_weights), or set image.perceptual_network "
    "to lite0, whose weights are installed"
)


class VGG19Features(nn.Module):
    """Photos (N, 3, H, W) in [-1, 1] -> relu1_1, ..., relu5_1 (64, 128, 256, 512, 512 channels at strides 1 to 16).

    Photos go in as they are, as in the authors' code: not normalised by ImageNet's mean and deviation. Frozen;
    gradients flow to the input only. ``state`` are torchvision's weights; its classifier is left out.
    """

    weights = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
    """Of the layers in the loss."""
    relative = False

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        with torch.device("meta"):
            layers = vgg19(weights=None).features[: SLICES[-1]]
        layers.load_state_dict(state, assign=True)
        for layer in layers:
            if isinstance(layer, nn.ReLU):
                layer.inplace = False  # what follows would overwrite a feature
        self.slices = nn.ModuleList(layers[a:b] for a, b in zip((0, *SLICES[:-1]), SLICES, strict=True))
        self.requires_grad_(False).eval()

    def forward(self, photos: Float[Tensor, "n 3 h w"]) -> list[Tensor]:
        """See the class."""
        maps = []
        for part in self.slices:
            photos = part(photos)
            maps.append(photos)
        return maps


@PERCEPTUAL_NETWORKS.register("vgg19")
def build_vgg19(weights: Path | None = None) -> VGG19Features:
    """The published network. Weights: the file given, else torch's own copy, which it downloads where it has none.

    Raises CheckpointError where there are none, or where the file holds another network.
    """
    found = read_vgg19(_torchs_copy() if weights is None else weights)
    return VGG19Features(found)


def read_vgg19(path: Path) -> dict[str, Tensor]:
    """The weights of the layers up to relu5_1, float32. Raises CheckpointError for any other file."""
    try:
        size_of_regular(path, WEIGHTS)
        state = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError, SafetensorError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path} cannot be read as weights: {reason}", WEIGHTS_FILE, _BRING) from error
    with torch.device("meta"):
        wanted = vgg19(weights=None).features[: SLICES[-1]].state_dict()
    found = {name: state.get(f"features.{name}") for name in wanted} if isinstance(state, dict) else {}
    unfit = [name for name, like in wanted.items() if getattr(found.get(name), "shape", None) != like.shape]
    if unfit:
        raise CheckpointError(
            f"{path}: {len(unfit)} of VGG19's {len(wanted)} weights are missing or of another shape, e.g. features."
            f"{unfit[0]}", "VGG19's weights as torchvision names them", _BRING,
        )  # fmt: skip
    return {name: tensor.float() for name, tensor in found.items() if tensor is not None}


def _torchs_copy() -> Path:
    path: Path = Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS_FILE
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            prefix = WEIGHTS_FILE.removesuffix(".pth").rsplit("-", 1)[-1]
            torch.hub.download_url_to_file(WEIGHTS_URL, str(path), hash_prefix=prefix, progress=False)
        except (OSError, RuntimeError) as error:  # no network, no such page, not the bytes that were promised
            raise CheckpointError(f"no weights of VGG19, and no download: {error}", WEIGHTS_FILE, _BRING) from error
    return path
