"""A segmenter that starts from rendered cars."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from augkit.core.errors import BusyError, DataError
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.draws import Draw
from augkit.settings import load_settings
from augkit.settings.segmenter import RENDERED
from augkit.shards.codec import decode_mask
from augkit.stages import rendered_start as module
from augkit.stages import segmenter as module_of_segmenters
from augkit.stages.rendered_start import BesideRendered, rendered_cars
from augkit.stages.segmenter import ShardPairs, segmenter_task, train_segmenter, training_pairs
from augkit.stages.training_mix import beside_rendered, training_mix
from augkit.train.machine import accelerator
from augkit.train.model_folder import CHECKPOINT, load_weights

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


def starts(kept: Path) -> list[Path]:
    """The models that were trained on rendered cars alone."""
    return [path for path in kept.iterdir() if path.is_dir() and not path.name.startswith("cars-")]


def test_a_segmenter_starts_where_rendered_cars_left_it_and_they_are_drawn_once(
    workspace: Workspace, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings("smoke", [*CHANGES, "segmenter.rendered_steps=2"])
    trained = load_weights(train_segmenter(workspace, settings, resume=False))
    [folder] = starts(kept)
    start = load_weights(folder)
    assert not (folder / CHECKPOINT).exists()
    weights = [name for name, tensor in start.items() if tensor.is_floating_point() and "running" not in name]
    assert all(torch.allclose(trained[name], start[name], atol=1e-6) for name in weights)
    monkeypatch.setattr(module, "write_rendered", None)  # it would have to be called
    again = train_segmenter(workspace, settings, resume=False, fresh=True)
    assert all(torch.equal(trained[name], tensor) for name, tensor in load_weights(again).items())
    without = load_settings("smoke", CHANGES)
    other = load_weights(train_segmenter(workspace, without, resume=False, fresh=True))
    assert not all(torch.allclose(other[name], start[name], atol=1e-6) for name in weights)


def test_segmenters_of_gate_teacher_and_user_start_from_the_same_training(workspace: Workspace, kept: Path) -> None:
    """What differs between them does not reach the rendered cars."""
    alike = ["rendered_steps=1", "batch=2", "options={pretrained: false, widths: [8, 8, 8]}", "size=32"]
    sections = ("segmenter", "gate.segmenter", "teacher.segmenter")
    settings = load_settings("smoke", [f"{section}.{own}" for section in sections for own in alike])
    asking = [settings.segmenter, settings.gate.segmenter, settings.teacher.segmenter]
    asking = [own.model_copy(update={"save_every": 10 + place}) for place, own in enumerate(asking)]
    assert len({own.generated_share for own in asking}) > 1
    shards = training_pairs(workspace, load_settings("smoke", CHANGES).segmenter)
    with torch.random.fork_rng():
        accelerator("fp32")
        for own in asking:
            segmenter_task(workspace, shards, own, torch.device("cpu"))
    assert len(starts(kept)) == 1


def test_rendered_cars_are_seen_beside_the_pairs_and_not_at_the_end(workspace: Workspace, kept: Path) -> None:
    changes = ["segmenter.rendered_steps=1", "segmenter.steps=10", "segmenter.batch=8"]
    own = load_settings("smoke", [*CHANGES, *changes]).segmenter
    shards, backend = training_pairs(workspace, own), accelerator("fp32")
    task = segmenter_task(workspace, shards, own, backend.device)
    assert isinstance(task.pairs, BesideRendered) and len(task.pairs) == len(shards) + 8
    sampling = task.sampling(len(task.pairs))
    rows = np.array([sampling.row(5, place) for place in range(80)]).reshape(10, 8)
    drawn = rows >= len(shards)
    assert (drawn[:8].sum(1) == 4).all() and not drawn[8:].any()
    assert len(set(rows[drawn])) == 8, "every car is shown"
    cars = rendered_cars(shards.schema, own.size)
    assert np.array_equal(task.pairs.plain(len(shards) + 3).mask, decode_mask(cars.raw(3)[1]))
    assert np.array_equal(task.pairs.plain(0).mask, ShardPairs(shards, 32, "none").plain(0).mask)
    flipped = task.pairs[Draw(len(shards) + 3, 1)]
    assert np.array_equal(flipped.photo, ShardPairs(cars, 32, module.PRESET)[Draw(3, 1)].photo)


def test_made_pairs_end_when_they_should_beside_rendered_cars(workspace: Workspace) -> None:
    own = load_settings(
        "smoke", [*CHANGES, "segmenter.steps=20", "segmenter.batch=8", "segmenter.generated_until=0.9",
                  "segmenter.rendered_until=0.5"]
    ).segmenter  # fmt: skip
    shards = training_mix(workspace, "real")
    names = ["real"] * (len(shards) // 2) + ["generated"] * (len(shards) - len(shards) // 2)
    index = shards.index.set_column(shards.index.column_names.index("source"), "source", pa.array(names))
    shards.index = index
    sampling = beside_rendered(shards, 6, own)
    rows = np.array([sampling.row(3, place) for place in range(160)]).reshape(20, 8)
    drawn, made = rows >= len(shards), (rows >= len(shards) // 2) & (rows < len(shards))
    assert (drawn[:10].sum(1) == 4).all() and not drawn[10:].any()
    assert made[:18].any(1).sum() >= 16 and not made[18:].any(), "a quarter of the others, until 0.9"
    assert made[:10].sum() == 10 and made[10:18].sum() == 16


def test_parts_weigh_as_they_are_seen() -> None:
    pixels = {"real": [3, 1, 0], "rendered": [1, 1, 2]}
    real, cars = ({"source": [name], "histogram": [own]} for name, own in pixels.items())
    real_pairs, drawn = (SimpleNamespace(index=pa.table(own)) for own in (real, cars))
    assert module_of_segmenters._pixels(real_pairs, None, 0.5).tolist() == [3, 1, 0]  # type: ignore[arg-type]
    found = module_of_segmenters._pixels(real_pairs, drawn, 0.5)  # type: ignore[arg-type]
    assert found.tolist() == pytest.approx([0.5, 0.25, 0.25])


def test_parts_that_no_car_shows_are_told_before_anything_is_drawn(kept: Path) -> None:
    with pytest.raises(DataError, match="no rendered car shows roof"):
        rendered_cars(PartSchema.from_names(["roof"]), 32)
    assert not kept.exists()


def test_another_process_that_learns_from_them_is_waited_for(
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
    assert looks == [module.WAIT] * 2 and len(starts(kept)) == 1


def test_without_rendered_steps_a_segmenter_is_described_as_before(workspace: Workspace) -> None:
    own = load_settings("smoke", CHANGES).segmenter
    assert len(training_pairs(workspace, own)) and not set(own.description()) & set(RENDERED)
    assert set(RENDERED) <= set(own.model_copy(update={"rendered_steps": 2}).description())
