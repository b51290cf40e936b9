"""The set that the demo starts from, in a workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from augkit.api import demo_set as module
from augkit.api.demo_set import HELD_OUT, UNLABELLED, demo_set
from augkit.core.errors import DataError
from augkit.core.workspace import Workspace
from augkit.data.catalogue import Catalogue, TrainingRows, read_catalogue

LABELS = 16
SIZE = ["data.size=32"]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    place = Workspace(tmp_path_factory.mktemp("demo"))
    demo_set(place, LABELS, config="smoke", changes=SIZE)
    return place


def test_unlabelled_cars_have_no_mask_in_the_workspace(drawn: Workspace) -> None:
    catalogue = Catalogue(drawn.catalogue)
    photos = list(catalogue.unlabelled())
    assert len(photos) == 84 >= UNLABELLED * LABELS
    assert all(row.orientation == "" or row.confidence == 0 for row in photos)
    masks = {path.name.removesuffix(".mask.png") for path in drawn.root.rglob("*.mask.png")}
    assert masks == {row.id for row in catalogue}
    assert all(drawn.unlabelled_photo(row.id).is_file() and row.id not in masks for row in photos)


def test_what_is_held_out_is_even_over_the_classes_and_nothing_learns_from_it(drawn: Workspace) -> None:
    rows = read_catalogue(drawn.catalogue)
    held = [row.car_class.name for row in rows if row.split == "test"]
    assert len(held) >= HELD_OUT * LABELS and len({held.count(name) for name in held}) == 1 and len(set(held)) == 12
    learnt = TrainingRows.of(rows).rows
    assert len(learnt) == LABELS and not {row.group for row in learnt} & {r.group for r in rows if r.split == "test"}


def test_what_is_there_stays_and_an_interrupted_set_is_completed(
    drawn: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Workspace(tmp_path / "demo")
    with monkeypatch.context() as cut, pytest.raises(KeyboardInterrupt):
        cut.setattr(module, "_draw_unlabelled", interrupted)
        demo_set(place, LABELS, config="smoke", changes=SIZE)
    before = place.catalogue.stat().st_mtime_ns, sorted(path.name for path in place.pairs.iterdir())
    with monkeypatch.context() as no_more:
        no_more.setattr(module, "_draw_labelled", interrupted)
        found = demo_set(place, LABELS, config="smoke", changes=SIZE)
        no_more.setattr(module, "_draw_unlabelled", interrupted)
        assert demo_set(place, LABELS, config="smoke", changes=SIZE) == found
    assert sorted(path.name for path in place.pairs.iterdir()) == before[1]
    both = [
        sorted((row.id, row.sha256) for row in [*Catalogue(own.catalogue), *Catalogue(own.catalogue).unlabelled()])
        for own in (place, drawn)
    ]
    assert both[0] == both[1]


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_other_photos_are_left_alone(rendered_workspace: Workspace) -> None:
    before = rendered_workspace.catalogue.read_bytes()
    with pytest.raises(DataError, match="not the demo's"):
        demo_set(rendered_workspace, LABELS, config="smoke")
    assert rendered_workspace.catalogue.read_bytes() == before
