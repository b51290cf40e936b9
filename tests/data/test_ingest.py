from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augkit.config import DataSettings, Settings, load_settings
from augkit.data import staging
from augkit.data.catalogue import CatalogueRow, read_catalogue, usable, write_catalogue
from augkit.data.importers.coco import read_coco
from augkit.data.ingest import ingest
from augkit.data.orientation import View
from augkit.data.overrides import Override
from augkit.data.samples import Sample
from augkit.errors import DataError, SchemaError
from augkit.parts import PartSchema
from augkit.workspace import Workspace
from tests.data.coco_folder import CocoFolder

SCHEMA = PartSchema.from_names(["hood", "left_mirror", "right_mirror"])
DATA = DataSettings(size=32)


def _sample(id: str, value: int = 0, **more: object) -> Sample:
    mask = np.zeros((40, 50), np.uint8)
    mask[10:30, 10:35] = 1
    return Sample(id, f"{id}.jpg", np.full((40, 50, 3), value, np.uint8), mask, **more)  # type: ignore[arg-type]


def _state(root: Path) -> dict[str, str]:
    """Every file below a folder, with its hash."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def _coco_samples(coco: CocoFolder, count: int = 6) -> tuple[PartSchema, list[Sample]]:
    for number in range(count):
        coco.add(f"{number}.jpg")
    (coco.root / "1.jpg").write_bytes(b"")
    data = read_coco(coco.write())
    return data.schema, list(data.samples)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "ws")


def test_everything_is_written_and_agrees(workspace: Workspace) -> None:
    rows = ingest([_sample("a"), _sample("b", 9)], SCHEMA, workspace, DATA, 4, importer="test")
    assert read_catalogue(workspace.catalogue) == rows
    assert PartSchema.load(workspace.schema) == SCHEMA
    assert load_settings(workspace.settings) == Settings(seed=4, data=DATA)
    assert sorted(path.name for path in workspace.root.iterdir()) == [
        "augkit.yaml", "catalogue.parquet", "pairs", "parts.json",
    ]  # fmt: skip
    row = rows[0]
    assert (row.id, row.importer, row.source_file, row.width, row.height, row.size) == (
        "a",
        "test",
        "a.jpg",
        50,
        40,
        32,
    )
    assert (row.crop_x, row.crop_y, row.crop_side) == (8, 6, 28)
    with Image.open(workspace.mask("a")) as mask, Image.open(workspace.photo("a")) as photo:
        assert mask.mode == "L" and np.bincount(np.asarray(mask).ravel(), minlength=4).tolist() == row.histogram
        assert photo.size == (32, 32) and photo.layer[1][1:3] == (1, 1)  # type: ignore[attr-defined]


def test_the_sources_view_counts_before_the_rule_and_overrides_before_both(workspace: Workspace) -> None:
    samples = [_sample("a", view=View("C", 1.0, "3")), _sample("b", view=View("C", 1.0, "3"))]
    rows = ingest(samples, SCHEMA, workspace, DATA, 0, importer="test", overrides={"b": Override("D", None)})
    assert [row.car_class.name for row in rows] == ["back-right-3", "front-right-3"]


def test_problems_are_kept_as_rows_without_files(workspace: Workspace) -> None:
    strange = _sample("strange")
    assert isinstance(strange.mask, np.ndarray)
    strange.mask[0, 0] = 77
    empty = Sample("empty", "empty.jpg", np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8))
    told: list[CatalogueRow] = []
    samples = [_sample("a"), strange, empty, Sample("lost", "lost.jpg", problem="gone")]
    rows = ingest(samples, SCHEMA, workspace, DATA, 0, importer="test", on_row=told.append)
    assert [row.id for row in usable(rows)] == ["a"] and [row.id for row in told] == [row.id for row in rows]
    assert "77" in rows[1].problem and "no part" in rows[2].problem and rows[3].problem == "gone"
    assert sorted(path.name for path in workspace.pairs.iterdir()) == ["a.jpg", "a.mask.png"]


def test_workers_change_nothing(coco: CocoFolder, tmp_path: Path) -> None:
    schema, samples = _coco_samples(coco)
    for workers in (1, 2):
        ingest(samples, schema, Workspace(tmp_path / str(workers)), DATA, 0, importer="coco", workers=workers)
    assert _state(tmp_path / "1") == _state(tmp_path / "2")


def test_a_second_import_replaces_the_first(workspace: Workspace) -> None:
    ingest([_sample("a"), _sample("b")], SCHEMA, workspace, DATA, 0, importer="test")
    ingest([_sample("c")], SCHEMA, workspace, DATA, 0, importer="test")
    assert [row.id for row in read_catalogue(workspace.catalogue)] == ["c"]
    assert sorted(path.name for path in workspace.pairs.iterdir()) == ["c.jpg", "c.mask.png"]


def test_other_files_and_settings_of_the_workspace_stay(workspace: Workspace) -> None:
    settings = load_settings(None, ["mask.steps=77"])
    ingest([_sample("a")], SCHEMA, workspace, DATA, 0, importer="test", settings=settings)
    workspace.reports.mkdir()
    (workspace.reports / "page.html").write_text("kept")
    ingest([_sample("a")], SCHEMA, workspace, DATA, 5, importer="test")
    assert load_settings(workspace.settings).mask.steps == 77 and load_settings(workspace.settings).seed == 5
    assert (workspace.reports / "page.html").read_text() == "kept"


def test_another_schema_is_refused(workspace: Workspace) -> None:
    ingest([_sample("a")], SCHEMA, workspace, DATA, 0, importer="test")
    before = _state(workspace.root)
    with pytest.raises(SchemaError, match=r"3 parts \(hood, left_mirror.*1 \(wheel\)(.|\n)*new workspace"):
        ingest([_sample("b")], PartSchema.from_names(["wheel"]), workspace, DATA, 0, importer="test")
    assert _state(workspace.root) == before


@pytest.mark.parametrize("ids", [("a", "a"), ("a", "A"), ("a.b", "c"), ("../a", "c"), ("", "c")])
def test_ids_have_to_be_plain_and_unique(workspace: Workspace, ids: tuple[str, str]) -> None:
    with pytest.raises(DataError, match="sample id"):
        ingest([_sample(id) for id in ids], SCHEMA, workspace, DATA, 0, importer="test")
    assert not workspace.root.exists()


@pytest.mark.parametrize("strict", [False, True])
def test_no_usable_sample_or_any_problem_when_strict_writes_nothing(workspace: Workspace, strict: bool) -> None:
    lost = Sample("lost", "lost.jpg", problem="gone")
    with pytest.raises(DataError, match=r"lost\.jpg: gone"):
        ingest([_sample("a"), lost] if strict else [lost], SCHEMA, workspace, DATA, 0, importer="test", strict=strict)
    assert not workspace.root.exists()


def _interrupted() -> Iterator[Sample]:
    yield _sample("new")
    raise KeyboardInterrupt


def test_an_interrupt_leaves_the_workspace_as_it_was(workspace: Workspace) -> None:
    with pytest.raises(KeyboardInterrupt):
        ingest(_interrupted(), SCHEMA, workspace, DATA, 0, importer="test")
    assert not workspace.root.exists()
    ingest([_sample("old")], SCHEMA, workspace, DATA, 0, importer="test")
    before = _state(workspace.root)
    with pytest.raises(KeyboardInterrupt):
        ingest(_interrupted(), SCHEMA, workspace, DATA, 1, importer="test")
    assert _state(workspace.root) == before


class _KilledError(BaseException):
    """Stands for the death of the process: nothing may run after it."""


def _die_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the process die before a rename of the replacement, with no chance to tidy up."""
    rename, left = Path.replace, [step]

    def replace(self: Path, target: Path) -> Path:
        if staging.STAGING in f"{self}{target}" and self.suffix != ".tmp":
            left[0] -= 1
            if left[0] < 0:
                monkeypatch.setattr(staging, "_recover", lambda workspace: None)
                raise _KilledError
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", replace)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("step", range(9))
def test_a_kill_at_any_moment_of_the_replacement_is_recovered(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, step: int, known: bool
) -> None:
    run = partial(ingest, schema=SCHEMA, workspace=workspace, data=DATA, seed=0, importer="test")
    if known:
        run([_sample("old")])
    before = _state(workspace.root)
    with monkeypatch.context() as patch:
        _die_at(step, patch)
        try:
            run([_sample("new")])
        except _KilledError:
            if workspace.catalogue.exists():  # a catalogue is never there without its pairs
                assert all(workspace.photo(row.id).is_file() for row in read_catalogue(workspace.catalogue))
        else:
            assert step >= (8 if known else 4)
    with pytest.raises(DataError):  # the next import tidies up, even one that fails itself
        run([Sample("lost", "lost.jpg", problem="gone")])
    if step < (8 if known else 4):
        assert _state(workspace.root) == before
    else:
        assert [row.id for row in read_catalogue(workspace.catalogue)] == ["new"]
    assert not (workspace.root / staging.STAGING).exists()


def test_a_catalogue_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = [CatalogueRow("a", "coco", "ü.jpg", histogram=[3, 4], problem="x"), CatalogueRow("b", "coco", "b.jpg")]
    write_catalogue(tmp_path / "catalogue.parquet", rows)
    assert read_catalogue(tmp_path / "catalogue.parquet") == rows
    assert [path.name for path in tmp_path.iterdir()] == ["catalogue.parquet"]
    (tmp_path / "catalogue.parquet").write_bytes(b"no table")
    with pytest.raises(DataError, match="catalogue"):
        read_catalogue(tmp_path / "catalogue.parquet")
