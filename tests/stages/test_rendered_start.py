"""A segmenter that starts from rendered cars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from augkit.core.errors import BusyError, DataError
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.settings import SegmenterSettings, load_settings
from augkit.stages import rendered_start as module
from augkit.stages.segmenter import train_segmenter, training_pairs
from augkit.train.model_folder import CHECKPOINT, load_weights
from augkit.train.run import TrainingTask

CHANGES = [
    "segmenter.batch=2", "segmenter.options={pretrained: false, widths: [8, 8, 8]}", "segmenter.size=32",
    "segmenter.steps=1", "segmenter.sample_every=1", "segmenter.source=real", "segmenter.ema=0",
    "segmenter.encoder_lr=1e-9", "segmenter.optim.lr=1e-9",
]  # fmt: skip


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(module, "CARS", 8)
    return tmp_path / "augkit" / "rendered"


def test_a_segmenter_starts_where_rendered_cars_left_it_and_they_are_drawn_once(
    workspace: Workspace, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings("smoke", [*CHANGES, "segmenter.rendered_steps=2"])
    trained = load_weights(train_segmenter(workspace, settings, resume=False))
    [folder] = kept.iterdir()
    start = load_weights(folder)
    assert not (folder / CHECKPOINT).exists()
    weights = [name for name, tensor in start.items() if tensor.is_floating_point() and "running" not in name]
    assert all(torch.allclose(trained[name], start[name], atol=1e-6) for name in weights)
    monkeypatch.setattr(module, "RenderedPairs", None)  # it would have to be called
    again = train_segmenter(workspace, settings, resume=False, fresh=True)
    assert all(torch.equal(trained[name], tensor) for name, tensor in load_weights(again).items())
    without = load_settings("smoke", CHANGES)
    other = load_weights(train_segmenter(workspace, without, resume=False, fresh=True))
    assert not all(torch.allclose(other[name], start[name], atol=1e-6) for name in weights)


def test_parts_that_no_car_shows_are_told_before_anything_is_drawn(kept: Path) -> None:
    def never(*_: object) -> TrainingTask:
        raise AssertionError

    with pytest.raises(DataError, match="no rendered car shows roof"):
        module.rendered_start(never, PartSchema.from_names(["roof"]), SegmenterSettings(rendered_steps=2))
    assert not kept.exists()


def test_another_process_that_draws_them_is_waited_for(
    workspace: Workspace, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, looks = module._train, list[float]()

    def busy(*words: Any) -> None:
        if len(looks) < 2:
            raise BusyError("models/.lock is held by another process")
        train(*words)

    monkeypatch.setattr(module, "_train", busy)
    monkeypatch.setattr(module.time, "sleep", looks.append)
    train_segmenter(workspace, load_settings("smoke", [*CHANGES, "segmenter.rendered_steps=1"]), resume=False)
    assert looks == [module.WAIT] * 2 and len(list(kept.iterdir())) == 1


def test_without_rendered_steps_a_segmenter_is_described_as_before(workspace: Workspace) -> None:
    own = load_settings("smoke", CHANGES).segmenter
    assert len(training_pairs(workspace, own)) and "rendered_steps" not in own.description()
    assert own.model_copy(update={"rendered_steps": 2}).description()["rendered_steps"] == 2
