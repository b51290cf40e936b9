"""The adapter on detectron2's own network. detectron2 is no requirement of augkit: see .ci/detectron2."""

from __future__ import annotations

import importlib
import os
import pickle
import sys
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch

from augkit.core.errors import CheckpointError, ConfigError
from augkit.sources.silhouettes import SILHOUETTES, Detection, Options
from augkit.sources.silhouettes._instances import Detector
from augkit.sources.silhouettes.detectron import CAR, ZOO_NAME, find_cars

FILE = "model_final_f10217.pkl"

pytestmark = pytest.mark.filterwarnings("ignore")  # detectron2's own, at import and later


def import_detectron2() -> Any:
    try:
        return importlib.import_module("detectron2.model_zoo")
    except ImportError as error:
        if os.environ.get("AUGKIT_REQUIRE_DETECTRON2"):
            raise
        pytest.skip(f"detectron2 cannot be imported ({error}); .ci/detectron2 runs this test with it")


@pytest.fixture(scope="module")
def predictor() -> Any:
    """The model zoo's network with random weights, told to see a car in all that it looks at."""
    config = import_detectron2().get_config(ZOO_NAME)
    engine = importlib.import_module("detectron2.engine")
    config.MODEL.WEIGHTS, config.MODEL.DEVICE = "", "cpu"
    config.MODEL.RESNETS.NORM, config.MODEL.BACKBONE.FREEZE_AT = "BN", 0
    config.INPUT.MIN_SIZE_TEST = 96
    torch.manual_seed(0)
    predictor = engine.DefaultPredictor(config)
    heads = predictor.model.roi_heads
    with torch.no_grad():
        _measure(predictor.model.backbone)
        heads.box_predictor.cls_score.bias[CAR] += 30
        heads.mask_head.predictor.bias[CAR] += 30
    return predictor


def _measure(backbone: Any) -> None:
    """Sets the statistics of the normalisation: with those it begins with, random layers add up to huge numbers."""
    for module in backbone.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # the mean over all that is seen
    backbone.train()
    backbone(74 * torch.randn(1, 3, 96, 128))  # the deviation of bytes, which this network takes as they are
    backbone.eval()


def pair() -> tuple[np.ndarray, np.ndarray]:
    photo = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 30:60] = 2
    return photo, mask


def test_the_real_network_runs(predictor: Any) -> None:
    photo, mask = pair()
    cars = find_cars(predictor, photo)
    count = len(cars.scores)
    assert count > 1 and (cars.scores > 0.99).all()
    assert cars.boxes.shape == (count, 4) and cars.masks.shape == (count, 60, 80) and cars.masks.dtype == np.bool_
    found = Detector(lambda: partial(find_cars, predictor))(photo, mask)
    assert isinstance(found, Detection)
    shared = (cars.masks & (mask > 0)).sum(axis=(1, 2))
    assert (found.mask & (mask > 0)).sum() == shared.max() > 0


def test_other_classes_are_no_cars(predictor: Any) -> None:
    bias = predictor.model.roi_heads.box_predictor.cls_score.bias
    with torch.no_grad():
        bias[CAR] -= 30
        bias[0] += 30
    try:
        assert Detector(lambda: partial(find_cars, predictor))(*pair()) is None
    finally:
        with torch.no_grad():
            bias[CAR] += 30
            bias[0] -= 30


def test_the_class_and_the_colours_are_those_of_the_model_zoo(predictor: Any) -> None:
    assert predictor.metadata.thing_classes[CAR] == "car"
    photo, _ = pair()
    seen: list[torch.Tensor] = []
    handle = predictor.model.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][0]["image"]))
    predictor.aug.short_edge_length, before = (60, 60), predictor.aug.short_edge_length  # as large as it is
    find_cars(predictor, photo)
    predictor.aug.short_edge_length = before
    handle.remove()
    assert predictor.input_format == "BGR"
    np.testing.assert_array_equal(seen[0].permute(1, 2, 0).numpy()[..., ::-1], photo)


def test_weights_by_path_as_the_model_zoo_has_them(tmp_path: Path) -> None:
    zoo = import_detectron2()
    config = zoo.get_config(ZOO_NAME)
    config.MODEL.DEVICE = "cpu"
    network = importlib.import_module("detectron2.modeling").build_model(config)
    path = tmp_path / FILE
    arrays = {name: value.numpy() for name, value in network.state_dict().items()}
    path.write_bytes(pickle.dumps({"model": arrays, "__author__": "Detectron2 Model Zoo"}))
    detector = SILHOUETTES["detectron2"](Options(0.5, path))
    assert isinstance(detector, Detector) and detector.min_score == 0.5
    loaded = detector.find.args[0].model.state_dict()  # type: ignore[attr-defined]
    assert loaded.keys() == arrays.keys()
    assert all(np.array_equal(loaded[name].cpu().numpy(), value) for name, value in arrays.items())


def test_foreign_weights(tmp_path: Path) -> None:
    import_detectron2()
    path = tmp_path / "weights.pth"
    torch.save({"weight": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match=r"(?s)has no .*weights of GeneralizedRCNN"):
        _ = SILHOUETTES["detectron2"](Options(weights=path)).find  # type: ignore[attr-defined]


def test_without_a_network_the_file_to_bring_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import_detectron2()
    files = importlib.import_module("detectron2.utils.file_io")

    def no_network(*arguments: object, **options: object) -> str:
        raise URLError("Name or service not known")

    monkeypatch.setattr(files.PathManager, "get_local_path", no_network)
    with pytest.raises(CheckpointError) as caught:
        SILHOUETTES["detectron2"](Options())(*pair())
    assert f"--weights {FILE}" in str(caught.value) and "dl.fbaipublicfiles.com" in str(caught.value)


def test_without_detectron2_the_way_to_get_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "detectron2", None)
    with pytest.raises(ConfigError) as caught:
        SILHOUETTES["detectron2"](Options())(*pair())
    text = str(caught.value)
    assert "pip install" in text and "facebookresearch/detectron2" in text and "--method torchvision" in text
