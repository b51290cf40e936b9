from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from augkit.core.errors import ConfigError, DataError, RegistryError
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, read_catalogue, usable
from augkit.sources.silhouettes import SILHOUETTES, Detection, Options
from augkit.sources.silhouettes.search import SearchResult, SearchTask, search
from augkit.sources.silhouettes.silhouette_store import (
    BELOW,
    NO_CAR,
    read_silhouette,
    read_table,
    table_path,
    write_table,
)

COUNT = 6


class Fake:
    """Finds a square, says how sure it is by the order of the calls, and stops with an error where it is told to."""

    calls = 0
    scores: tuple[float | None, ...] = (0.95,)
    broken_at = -1

    def __init__(self, options: Options) -> None:
        self.min_score = 0.9 if options.min_score is None else options.min_score

    def __call__(self, photo: np.ndarray, mask: np.ndarray) -> Detection | None:
        call, Fake.calls = Fake.calls, Fake.calls + 1
        if call == Fake.broken_at:
            raise KeyboardInterrupt
        score = Fake.scores[call % len(Fake.scores)]
        found = np.zeros(mask.shape, bool)
        found[10:20, 10:20] = True
        return None if score is None else Detection(found, score, (10.0, 10.0, 20.0, 20.5))


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "grabcut" in SILHOUETTES
    monkeypatch.setitem(SILHOUETTES._entries, "fake", Fake)
    monkeypatch.setattr(Fake, "calls", 0)
    monkeypatch.setattr(Fake, "scores", (0.95,))
    monkeypatch.setattr(Fake, "broken_at", -1)


@pytest.fixture
def rows(copied_workspace: Workspace) -> list[CatalogueRow]:
    return usable(read_catalogue(copied_workspace.catalogue))[:COUNT]


def looked(workspace: Workspace, rows: list[CatalogueRow], method: str = "fake", **options: object) -> SearchResult:
    return search(SearchTask(workspace, method, Options(**options)), rows)  # type: ignore[arg-type]


def files(workspace: Workspace) -> dict[str, str]:
    every = [table_path(workspace), *sorted(workspace.silhouettes.iterdir())]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in every}


def test_every_pair_gets_a_picture_and_a_row(copied_workspace: Workspace, rows: list[CatalogueRow]) -> None:
    outcome = looked(copied_workspace, rows)
    assert outcome.looked_at == COUNT and read_table(copied_workspace) == outcome.rows
    for row, found in zip(rows, outcome.rows, strict=True):
        assert (found.id, found.method, found.score, found.area) == (row.id, "fake", 0.95, 100)
        assert found.box == [10.0, 10.0, 20.0, 20.5] and not found.dropped
        with Image.open(copied_workspace.silhouette(row.id)) as picture:
            assert picture.mode == "L" and set(np.unique(np.array(picture))) == {0, 255}
        assert read_silhouette(copied_workspace.silhouette(row.id)).sum() == 100


def test_detections_below_the_score_are_dropped(copied_workspace: Workspace, rows: list[CatalogueRow]) -> None:
    looked(copied_workspace, rows)
    Fake.scores = (0.9, 0.89, None)
    outcome = looked(copied_workspace, rows, min_score=0.9)
    assert [row.dropped for row in outcome.rows] == ["", BELOW, NO_CAR] * 2
    assert [row.score for row in outcome.rows] == [0.9, 0.89, 0.0] * 2
    there = [copied_workspace.silhouette(row.id).exists() for row in rows]
    assert there == [True, False, False] * 2, "pictures of a former search must not stay"


def test_what_was_found_is_kept(copied_workspace: Workspace, rows: list[CatalogueRow]) -> None:
    Fake.scores = (0.95, None)
    first = looked(copied_workspace, rows)
    before = files(copied_workspace)
    told: list[tuple[str, int, int]] = []
    again = search(SearchTask(copied_workspace, "fake", Options()), rows, progress=lambda *about: told.append(about))
    assert again == SearchResult(first.rows, 0) and told == [("fake", COUNT, COUNT)] and Fake.calls == COUNT
    assert files(copied_workspace) == before
    fresh = search(SearchTask(copied_workspace, "fake", Options()), rows, fresh=True)
    assert fresh.looked_at == COUNT and files(copied_workspace) == before


def test_another_score_method_or_pair_is_looked_at_again(copied_workspace: Workspace, rows: list[CatalogueRow]) -> None:
    looked(copied_workspace, rows)
    assert looked(copied_workspace, rows, min_score=0.5).looked_at == COUNT
    changed = [replace(rows[0], sha256="other"), *rows[1:]]
    assert looked(copied_workspace, changed, min_score=0.5).looked_at == 1
    copied_workspace.silhouette(rows[2].id).unlink()
    assert looked(copied_workspace, changed, min_score=0.5).looked_at == 1
    outcome = looked(copied_workspace, changed, "grabcut")
    assert outcome.looked_at == COUNT and {row.method for row in read_table(copied_workspace)} == {"grabcut"}


def test_other_weights_are_looked_at_again(
    copied_workspace: Workspace, rows: list[CatalogueRow], tmp_path: Path
) -> None:
    file = tmp_path / "weights.pth"
    file.write_bytes(b"one")
    assert looked(copied_workspace, rows, weights=file).looked_at == COUNT
    assert looked(copied_workspace, rows, weights=file).looked_at == 0
    file.write_bytes(b"two")
    assert looked(copied_workspace, rows, weights=file).looked_at == COUNT


def test_after_an_interrupt_the_rest_follows(copied_workspace: Workspace, rows: list[CatalogueRow]) -> None:
    Fake.broken_at = 4
    with pytest.raises(KeyboardInterrupt):
        looked(copied_workspace, rows)
    assert [row.id for row in read_table(copied_workspace)] == [row.id for row in rows[:4]]
    assert looked(copied_workspace, rows).looked_at == COUNT - 4
    assert len(read_table(copied_workspace)) == COUNT


def test_an_interrupt_leaves_what_another_method_found(copied_workspace: Workspace, rows: list[CatalogueRow]) -> None:
    looked(copied_workspace, rows, "grabcut")
    before = files(copied_workspace)
    Fake.broken_at = 0
    with pytest.raises(KeyboardInterrupt):
        looked(copied_workspace, rows)
    assert files(copied_workspace) == before


def test_pairs_that_are_gone_lose_their_silhouettes(copied_workspace: Workspace, rows: list[CatalogueRow]) -> None:
    looked(copied_workspace, rows)
    looked(copied_workspace, rows[2:])
    assert [row.id for row in read_table(copied_workspace)] == [row.id for row in rows[2:]]
    assert {path.stem for path in copied_workspace.silhouettes.iterdir()} == {row.id for row in rows[2:]}


@pytest.mark.parametrize("name", ["../../outside", "absolute"])
def test_a_table_that_names_a_file_elsewhere_removes_nothing(
    name: str, copied_workspace: Workspace, rows: list[CatalogueRow], tmp_path: Path
) -> None:
    looked(copied_workspace, rows)
    outside = tmp_path / "outside.png"
    outside.write_bytes(b"somebody's")
    table = pq.read_table(table_path(copied_workspace)).to_pylist()
    table[0]["id"] = str(outside.with_suffix("")) if name == "absolute" else name
    pq.write_table(pa.Table.from_pylist(table), table_path(copied_workspace))
    with pytest.raises(DataError, match=r"silhouettes\.parquet.*id"):
        looked(copied_workspace, rows)
    with pytest.raises(DataError, match="name"):
        copied_workspace.silhouette(table[0]["id"])
    assert outside.read_bytes() == b"somebody's"


def test_the_number_of_workers_changes_nothing(copied_workspace: Workspace, rows: list[CatalogueRow]) -> None:
    looked(copied_workspace, rows, "grabcut")
    before = files(copied_workspace)
    two = search(SearchTask(copied_workspace, "grabcut", Options()), rows, workers=2, fresh=True)
    assert two.looked_at == COUNT and files(copied_workspace) == before


def test_a_task_travels_without_what_it_built(copied_workspace: Workspace) -> None:
    task = SearchTask(copied_workspace, "grabcut", Options())
    assert task.built is task.built
    assert "built" not in pickle.loads(pickle.dumps(task)).__dict__


def test_orders_that_cannot_be(copied_workspace: Workspace, rows: list[CatalogueRow], tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="detectron2, fake, grabcut, torchvision"):
        looked(copied_workspace, rows, "magic")
    with pytest.raises(ConfigError, match="from 0 to 1"):
        Options(min_score=1.5)
    with pytest.raises(ConfigError, match="no such file"):
        Options(weights=tmp_path / "nowhere.pth")
    assert not copied_workspace.silhouettes.exists() and not table_path(copied_workspace).exists()


def test_files_of_the_workspace_that_do_not_fit(copied_workspace: Workspace, rows: list[CatalogueRow]) -> None:
    Image.new("L", (7, 5)).save(copied_workspace.mask(rows[1].id))
    with pytest.raises(DataError, match=r"7 x 5 px"):
        looked(copied_workspace, rows)
    copied_workspace.photo(rows[1].id).unlink()
    with pytest.raises(DataError, match=rows[1].id):
        looked(copied_workspace, rows)
    assert len(read_table(copied_workspace)) == 1


def test_a_broken_table_and_a_broken_picture(copied_workspace: Workspace, rows: list[CatalogueRow]) -> None:
    assert read_table(copied_workspace) == []
    table_path(copied_workspace).write_bytes(b"nothing")
    with pytest.raises(DataError, match="delete it"):
        read_table(copied_workspace)
    table_path(copied_workspace).write_bytes(copied_workspace.catalogue.read_bytes())
    with pytest.raises(DataError, match="columns"):
        read_table(copied_workspace)
    write_table(copied_workspace, [])
    assert read_table(copied_workspace) == []
    copied_workspace.silhouettes.mkdir()
    path = copied_workspace.silhouette("a")
    for content in (None, b"", b"nothing"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(DataError, match="--fresh"):
            read_silhouette(path)
    Image.new("RGB", (4, 4)).save(path)
    with pytest.raises(DataError, match="8-bit grey"):
        read_silhouette(path)
