"""Which model serves which class, and which rows it may see."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.errors import CheckpointError, DataError
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, TrainingRows, read_catalogue
from augkit.settings import load_settings
from augkit.stages.assignment import ALL, model_for, rows_of, side
from augkit.stages.model_store import ModelStore


def _rows(**counts: int) -> TrainingRows:
    """``A5=3``: three rows of the class."""
    named = {name: CarClass(name[0], "unknown" if name[1] == "u" else name[1]) for name in counts}  # type: ignore[arg-type]
    return TrainingRows(
        tuple(
            CatalogueRow(f"{name}-{number}", "test", "x", orientation=named[name].orientation, doors=named[name].doors)
            for name, count in counts.items()
            for number in range(count)
        )
    )


def test_mirrored_classes_share_a_side() -> None:
    assert side(CarClass("A", "5")) == side(CarClass("D", "5")) == "front-5"
    assert side(CarClass("B", "unknown")) == side(CarClass("C", "unknown")) == "back-unknown"
    assert all(side(c) == side(c.mirror) for c in ALL_CLASSES) and len({side(c) for c in ALL_CLASSES}) == 6


def test_a_side_with_enough_pairs_gets_a_model_of_its_own() -> None:
    rows = _rows(A5=3, D5=2, B5=4, A3=9)
    assert model_for(CarClass("A", "5"), rows, 5) == model_for(CarClass("D", "5"), rows, 5) == "front-5"
    assert model_for(CarClass("A", "5"), rows, 6) == ALL
    assert model_for(CarClass("C", "5"), rows, 4) == "back-5"  # every photo is seen flipped as well
    assert model_for(CarClass("B", "3"), rows, 1) == ALL


def test_a_model_is_trained_on_its_side_and_all_on_everything() -> None:
    rows = _rows(A5=3, D5=2, B5=4, A3=9)
    assert len(rows_of(ALL, rows)) == 18
    assert {row.car_class.name for row in rows_of("front-5", rows).rows} == {"front-left-5", "front-right-5"}
    assert len(rows_of("front-5", rows)) == 5


def test_training_rows_hold_the_usable_training_split_only() -> None:
    row = CatalogueRow("a", "test", "x")
    rows = [
        row,
        replace(row, id="b", split="val"),
        replace(row, id="c", split="test"),
        replace(row, id="d", problem="x"),
    ]
    assert [r.id for r in TrainingRows.of(rows).rows] == ["a"]


def test_a_store_never_sees_held_out_rows(rendered_workspace: Workspace) -> None:
    catalogue = read_catalogue(rendered_workspace.catalogue)
    store = ModelStore.open(rendered_workspace, load_settings("smoke", ["mask.per_class_from=4"]))
    held_out = {row.id for row in catalogue if row.split != "train"}
    assert held_out and store.rows.rows
    for model in (ALL, *dict.fromkeys(map(side, ALL_CLASSES))):
        assert held_out.isdisjoint(row.id for row in rows_of(model, store.rows).rows)


def test_a_store_lists_what_is_needed_and_missing(copied_workspace: Workspace) -> None:
    store = ModelStore.open(copied_workspace, load_settings("smoke", ["mask.per_class_from=3"]))
    wanted = [CarClass("A", "5"), CarClass("D", "5"), CarClass("B", "unknown")]
    needed = store.needed(wanted)
    assert needed == [("mask", "front-5"), ("mask", ALL), ("image", ALL)] == store.missing(wanted)
    folder = store.folder("mask", "front-5")
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"fingerprint": store.fingerprint("mask", "front-5")}))
    assert store.missing(wanted) == needed  # a description alone is no model
    (folder / "model.safetensors").touch()
    assert store.missing(wanted) == needed[1:]


def test_a_model_is_trained_on_where_more_steps_are_asked_for(copied_workspace: Workspace) -> None:
    wanted = [CarClass("A", "5")]
    short, longer = (load_settings("smoke", [f"image.steps={steps}"]) for steps in (1, 2))
    ModelStore.open(copied_workspace, short).train("image", ALL, resume=False)
    assert ("image", ALL) not in ModelStore.open(copied_workspace, short).missing(wanted)
    store = ModelStore.open(copied_workspace, longer)
    assert ("image", ALL) in store.missing(wanted)
    store.train("image", ALL, resume=True)
    assert ("image", ALL) not in ModelStore.open(copied_workspace, short).missing(wanted)


def test_a_model_of_other_settings_is_not_used_silently(copied_workspace: Workspace) -> None:
    ModelStore.open(copied_workspace, load_settings("smoke", ["image.steps=1"])).train("image", ALL, resume=False)
    store = ModelStore.open(copied_workspace, load_settings("smoke", ["image.l1=7"]))
    with pytest.raises(CheckpointError, match=r"l1: 2\.0 then, 7\.0 now"):
        store.missing([CarClass("A", "5")])


def test_a_workspace_without_training_rows_is_refused(copied_workspace: Workspace) -> None:
    from augkit.data.catalogue import write_catalogue

    rows = read_catalogue(copied_workspace.catalogue)
    write_catalogue(copied_workspace.catalogue, [replace(row, split="val") for row in rows])
    with pytest.raises(DataError, match="no usable training pairs"):
        ModelStore.open(copied_workspace, load_settings("smoke"))
