from __future__ import annotations

from functools import partial
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import hub, nn
from torchvision.models.detection import maskrcnn_resnet50_fpn_v2

from augkit.core.errors import CheckpointError
from augkit.sources.silhouettes import SILHOUETTES, Detection, Options
from augkit.sources.silhouettes._instances import Detector
from augkit.sources.silhouettes.mask_rcnn import CAR, find_cars

FILE = "maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth"


@pytest.fixture(scope="module")
def network() -> nn.Module:
    """The real network with random weights, told to see a car in all that it looks at."""
    torch.manual_seed(0)
    network = maskrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None, min_size=96, max_size=128)
    with torch.no_grad():
        network.roi_heads.box_predictor.cls_score.bias[CAR] += 30
        network.roi_heads.mask_predictor.mask_fcn_logits.bias[CAR] += 30
    return network.eval()


def pair() -> tuple[np.ndarray, np.ndarray]:
    photo = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 30:60] = 2
    return photo, mask


def test_the_real_network_runs(network: nn.Module) -> None:
    photo, mask = pair()
    cars = find_cars(network, photo)
    count = len(cars.scores)
    assert count > 1 and (cars.scores > 0.99).all()
    assert cars.boxes.shape == (count, 4) and cars.masks.shape == (count, 60, 80) and cars.masks.dtype == np.bool_
    found = Detector(lambda: partial(find_cars, network))(photo, mask)
    assert isinstance(found, Detection)
    shared = (cars.masks & (mask > 0)).sum(axis=(1, 2))
    assert (found.mask & (mask > 0)).sum() == shared.max() > 0
    x0, y0, x1, y1 = found.box
    rows, columns = np.nonzero(found.mask)
    assert columns.min() >= x0 - 1 and columns.max() <= x1 + 1 and rows.min() >= y0 - 1 and rows.max() <= y1 + 1


def test_other_classes_are_no_cars(network: nn.Module) -> None:
    """The same network that sees something else in everything: a bus."""
    bias = network.roi_heads.box_predictor.cls_score.bias
    with torch.no_grad():
        bias[CAR], bias[6] = bias[6].clone(), bias[CAR].clone()
    try:
        photo, mask = pair()
        assert Detector(lambda: partial(find_cars, network))(photo, mask) is None
    finally:
        with torch.no_grad():
            bias[CAR], bias[6] = bias[6].clone(), bias[CAR].clone()


def test_cars_are_told_in_the_order_of_rgb(network: nn.Module) -> None:
    """What the network is given is the photo in 0..1, channels first."""
    photo, _ = pair()
    seen: list[torch.Tensor] = []
    handle = network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][0]))
    find_cars(network, photo)
    handle.remove()
    np.testing.assert_allclose(seen[0].permute(1, 2, 0).numpy(), photo / 255, atol=1e-6)


def test_weights_by_path(network: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(network.state_dict(), path)
    detector = SILHOUETTES["torchvision"](Options(0.5, path))
    assert isinstance(detector, Detector) and detector.min_score == 0.5
    loaded = detector.find.args[0]  # type: ignore[attr-defined]
    assert not loaded.training
    assert all(torch.equal(value, loaded.state_dict()[name]) for name, value in network.state_dict().items())


def test_foreign_weights(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match=r"(?s)has no .*weights of MaskRCNN"):
        _ = SILHOUETTES["torchvision"](Options(weights=path)).find  # type: ignore[attr-defined]


def test_without_a_network_the_file_to_bring_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def no_network(*arguments: object, **options: object) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(hub, "download_url_to_file", no_network)
    with pytest.raises(CheckpointError) as caught:
        SILHOUETTES["torchvision"](Options())(*pair())
    assert f"--weights {FILE}" in str(caught.value) and "download.pytorch.org" in str(caught.value)


def test_the_download_goes_where_torchvision_keeps_it(
    network: nn.Module, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls: list[str] = []

    def download(url: str, target: str, hash_prefix: str, progress: bool) -> None:
        calls.append(hash_prefix)
        torch.save(network.state_dict(), target)

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(hub, "download_url_to_file", download)
    for _ in range(2):
        assert SILHOUETTES["torchvision"](Options()).find  # type: ignore[attr-defined]
    assert calls == ["73cbd019"] and (tmp_path / "hub" / "checkpoints" / FILE).is_file()
