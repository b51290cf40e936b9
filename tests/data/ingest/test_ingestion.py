from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augkit.core.errors import DataError, SchemaError
from augkit.core.part_names import PartOverride
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, read_catalogue, usable
from augkit.data.importers.coco import read_coco
from augkit.data.ingest import staging
from augkit.data.ingest.class_overrides import Override
from augkit.data.ingest.ingest_options import IngestOptions
from augkit.data.ingest.ingestion import ingest
from augkit.data.orientation import CarView
from augkit.data.samples import PartMask, Sample
from tests.data.coco_folder import CocoFolder

SCHEMA = PartSchema.from_names(["hood", "left_mirror", "right_mirror"])
DATA = IngestOptions(size=32)


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
    rows = ingest([_sample("a"), _sample("b", 9)], SCHEMA, workspace, DATA, importer="test", settings="seed: 4\n")
    assert read_catalogue(workspace.catalogue) == list(rows)
    assert PartSchema.load(workspace.schema) == SCHEMA
    assert workspace.settings.read_text() == "seed: 4\n"
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
    samples = [_sample("a", view=CarView("C", 1.0, "3")), _sample("b", view=CarView("C", 1.0, "3"))]
    rows = ingest(samples, SCHEMA, workspace, DATA, importer="test", settings="", overrides={"b": Override("D", None)})
    assert [row.car_class.name for row in rows] == ["back-right-3", "front-right-3"]


def test_problems_are_kept_as_rows_without_files(workspace: Workspace) -> None:
    strange = _sample("strange")
    assert isinstance(strange.mask, np.ndarray)
    strange.mask[0, 0] = 77
    empty = Sample("empty", "empty.jpg", np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8))
    told: list[CatalogueRow] = []
    samples = [_sample("a"), strange, empty, Sample("lost", "lost.jpg", problem="gone")]
    rows = ingest(samples, SCHEMA, workspace, DATA, importer="test", settings="", on_row=told.append)
    assert [row.id for row in usable(rows)] == ["a"] and [row.id for row in told] == [row.id for row in rows]
    assert "77" in rows[1].problem and "no part" in rows[2].problem and rows[3].problem == "gone"
    assert sorted(path.name for path in workspace.pairs.iterdir()) == ["a.jpg", "a.mask.png"]


def test_workers_change_nothing(coco: CocoFolder, tmp_path: Path) -> None:
    schema, samples = _coco_samples(coco)
    for workers in (1, 2):
        ingest(samples, schema, Workspace(tmp_path / str(workers)), DATA, importer="coco", settings="", workers=workers)
    assert _state(tmp_path / "1") == _state(tmp_path / "2")


def test_a_second_import_replaces_the_first(workspace: Workspace) -> None:
    ingest([_sample("a"), _sample("b")], SCHEMA, workspace, DATA, importer="test", settings="")
    ingest([_sample("c")], SCHEMA, workspace, DATA, importer="test", settings="")
    assert [row.id for row in read_catalogue(workspace.catalogue)] == ["c"]
    assert sorted(path.name for path in workspace.pairs.iterdir()) == ["c.jpg", "c.mask.png"]


def test_other_files_of_the_workspace_stay_and_its_settings_are_replaced(workspace: Workspace) -> None:
    ingest([_sample("a")], SCHEMA, workspace, DATA, importer="test", settings="seed: 1\n")
    workspace.reports.mkdir()
    (workspace.reports / "page.html").write_text("kept")
    ingest([_sample("a")], SCHEMA, workspace, DATA, importer="test", settings="seed: 5\n")
    assert workspace.settings.read_text() == "seed: 5\n"
    assert (workspace.reports / "page.html").read_text() == "kept"


def test_another_schema_is_refused(workspace: Workspace) -> None:
    ingest([_sample("a")], SCHEMA, workspace, DATA, importer="test", settings="")
    before = _state(workspace.root)
    with pytest.raises(SchemaError, match=r"3 parts \(hood, left_mirror.*1 \(wheel\)(.|\n)*new workspace"):
        ingest([_sample("b")], PartSchema.from_names(["wheel"]), workspace, DATA, importer="test", settings="")
    assert _state(workspace.root) == before


def test_what_a_person_says_of_the_parts_may_change(workspace: Workspace) -> None:
    ingest([_sample("a")], SCHEMA, workspace, DATA, importer="test", settings="")
    told = PartSchema((replace(SCHEMA.parts[0], said=PartOverride(kind="trunk")), *SCHEMA.parts[1:]))
    ingest([_sample("a")], told, workspace, DATA, importer="test", settings="")
    assert PartSchema.load(workspace.schema) == told


@pytest.mark.parametrize("ids", [("a", "a"), ("a", "A"), ("a.b", "c"), ("../a", "c"), ("", "c")])
def test_ids_have_to_be_plain_and_unique(workspace: Workspace, ids: tuple[str, str]) -> None:
    with pytest.raises(DataError, match="sample id"):
        ingest([_sample(id) for id in ids], SCHEMA, workspace, DATA, importer="test", settings="")
    assert not workspace.root.exists()


def test_no_usable_sample_writes_nothing(workspace: Workspace) -> None:
    with pytest.raises(DataError, match=r"lost\.jpg: gone"):
        ingest([Sample("lost", "lost.jpg", problem="gone")], SCHEMA, workspace, DATA, importer="test", settings="")
    assert not workspace.root.exists()


def test_what_every_sample_suffers_from_is_told_by_kinds(workspace: Workspace) -> None:
    lost = [Sample(f"a{n}", f"{n}.jpg", problem=f"no photo at {n}.jpg, nor elsewhere") for n in range(7)]
    cut = [Sample("b", "b.jpg", problem="the photo cannot be read: truncated")]
    with pytest.raises(DataError, match="none of 8") as error:
        ingest([*cut, *lost], SCHEMA, workspace, DATA, importer="test", settings="")
    assert error.value.found.splitlines()[1:] == [
        "  0.jpg: no photo at 0.jpg, nor elsewhere (7 of this kind)",
        "  b.jpg: the photo cannot be read: truncated",
    ]


def test_any_problem_when_strict_replaces_nothing(workspace: Workspace) -> None:
    lost = Sample("lost", "lost.jpg", problem="gone")
    with pytest.raises(DataError, match=r"1 of 2(.|\n)*lost\.jpg: gone"):
        ingest([_sample("a"), lost], SCHEMA, workspace, DATA, importer="test", settings="", strict=True)
    assert [path.name for path in workspace.root.iterdir()] == [staging.STAGING]


def test_many_problems_are_counted_and_some_are_shown(workspace: Workspace) -> None:
    lost = [Sample(f"lost{n}", f"lost{n}.jpg", problem="gone") for n in range(130)]
    with pytest.raises(DataError, match=r"130 of 130(.|\n)*lost99\.jpg(.|\n)*and 30 more") as caught:
        ingest(lost, SCHEMA, workspace, DATA, importer="test", settings="", strict=True)
    assert "lost100.jpg" not in str(caught.value)


def _interrupted() -> Iterator[Sample]:
    yield _sample("new")
    raise KeyboardInterrupt


def test_an_interrupt_leaves_the_workspace_as_it_was(workspace: Workspace) -> None:
    with pytest.raises(KeyboardInterrupt):
        ingest(_interrupted(), SCHEMA, workspace, DATA, importer="test", settings="")
    assert [path.name for path in workspace.root.iterdir()] == [staging.STAGING]
    ingest([_sample("old")], SCHEMA, workspace, DATA, importer="test", settings="")
    before = _state(workspace.root)
    with pytest.raises(KeyboardInterrupt):
        ingest(_interrupted(), SCHEMA, workspace, replace(DATA, seed=1), importer="test", settings="")
    now = _state(workspace.root)
    assert {name: hash for name, hash in now.items() if not name.startswith(staging.STAGING)} == before


class _KilledError(BaseException):
    """Stands for the death of the process: nothing may run after it."""


def _die_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the process die before a rename of the replacement, with no chance to tidy up."""
    rename, left = Path.replace, [step]

    def replace(self: Path, target: Path) -> Path:
        if staging.STAGING in f"{self}{target}" and self.suffix != ".tmp":
            left[0] -= 1
            if left[0] < 0:
                monkeypatch.setattr(staging, "recover", lambda workspace: None)
                raise _KilledError
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", replace)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("step", range(9))
def test_a_kill_at_any_moment_of_the_replacement_is_recovered(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, step: int, known: bool
) -> None:
    run = partial(ingest, schema=SCHEMA, workspace=workspace, options=DATA, importer="test", settings="")
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


def _textured(id: str, seed: int, **more: object) -> Sample:
    """A photo with large shapes, other ones for every seed."""
    coarse = np.random.default_rng(seed).integers(0, 255, (8, 10, 3), np.uint8)
    sample = _sample(id)
    photo = np.asarray(Image.fromarray(coarse).resize((50, 40), Image.Resampling.BICUBIC))
    return Sample(id, f"{id}.jpg", photo, sample.mask, **more)  # type: ignore[arg-type]


def test_near_duplicates_are_one_group_on_one_side(workspace: Workspace) -> None:
    samples = [_textured(f"car{n}", n) for n in range(10)]
    darker = [replace(s, id=f"{s.id}-dark", photo=(s.photo * 0.8).astype(np.uint8)) for s in samples]  # type: ignore[operator]
    options = replace(DATA, val_share=0.4)
    rows = ingest([*samples, *darker], SCHEMA, workspace, options, importer="test", settings="")
    groups = {row.id: row.group for row in rows}
    splits = {row.id: row.split for row in rows}
    assert all(groups[s.id] == groups[f"{s.id}-dark"] and splits[s.id] == splits[f"{s.id}-dark"] for s in samples)
    assert len(set(groups.values())) == 10 and all(len(row.phash) == 32 for row in rows)
    assert sorted(splits.values()).count("val") == 8
    assert min(row.sha256 for row in rows if row.group == groups["car0"]).startswith(groups["car0"])


def _large(id: str, seed: int) -> Sample:
    """The textured photo with its mask, six times as large: the cut is the same in the mirror but for a pixel."""
    sample = _textured(id, seed)
    photo = np.asarray(Image.fromarray(np.asarray(sample.photo)).resize((300, 240), Image.Resampling.BICUBIC))
    return replace(sample, photo=photo, mask=np.asarray(sample.mask).repeat(6, 0).repeat(6, 1))


def test_mirrored_copies_are_one_group_on_one_side(workspace: Workspace) -> None:
    samples = [_large(f"car{n}", n) for n in range(12)]
    mirrored = [
        Sample(f"{s.id}-mirrored", s.source_file, s.photo[:, ::-1].copy(), s.mask[:, ::-1].copy())  # type: ignore[index]
        for s in samples
    ]
    options = replace(DATA, val_share=0.4)
    made = ingest([*samples, *mirrored], SCHEMA, workspace, options, importer="test", settings="")
    rows = {row.id: row for row in made}
    for sample in samples:
        own, other = rows[sample.id], rows[f"{sample.id}-mirrored"]
        assert (own.group, own.split) == (other.group, other.split)
    assert len({row.group for row in rows.values()}) == 12


def test_the_data_sets_own_splits_are_kept(workspace: Workspace) -> None:
    fixed = {"car0": "test", "car1": "val", "car2": "train"}
    samples = [_textured(f"car{n}", n, split=fixed.get(f"car{n}")) for n in range(3)]
    copy = replace(samples[0], id="copy", split=None)
    lost = Sample("lost", "lost.jpg", problem="gone", split="test")
    rows = ingest([*samples, copy, lost], SCHEMA, workspace, DATA, importer="test", settings="")
    assert [(row.id, row.split) for row in rows] == [*fixed.items(), ("copy", "test"), ("lost", "train")]


def test_names_that_are_no_letters_can_be_written(workspace: Workspace) -> None:
    sample = replace(_sample("a"), source_file="\udce9 1.jpg")
    rows = ingest(
        [sample, Sample("b", "\udce9.jpg", problem="\udce9")], SCHEMA, workspace, DATA, importer="test", settings=""
    )
    assert [(row.source_file, row.problem) for row in rows] == [("? 1.jpg", ""), ("?.jpg", "?")]


def _noted(id: str, **notes: int) -> Sample:
    sample = _sample(id)
    assert isinstance(sample.mask, np.ndarray)
    return replace(sample, mask=PartMask(sample.mask, notes={name.replace("_", " "): n for name, n in notes.items()}))


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_left_out_of_masks_is_counted_and_told(workspace: Workspace, workers: int) -> None:
    samples = [_noted("a"), _noted("b", lines_left_out=2), _noted("c", lines_left_out=3, holes_filled=1)]
    told: list[str] = []
    rows = ingest(
        samples, SCHEMA, workspace, DATA, importer="test", settings="", workers=workers, on_warning=told.append
    )
    assert len(usable(rows)) == 3
    assert told == [
        "5 lines left out (2 photo(s), the first b.jpg)", "1 holes filled (1 photo(s), the first c.jpg)",
    ]  # fmt: skip


def test_a_cut_of_a_few_pixels_is_a_problem(workspace: Workspace) -> None:
    mask = np.zeros((40, 50), np.uint8)
    mask[10:15, 10:21] = 1
    small = replace(_sample("small"), mask=mask)
    rows = ingest([_sample("a"), small], SCHEMA, workspace, DATA, importer="test", settings="")
    assert rows[0].problem == "" and "within 12 px of a photo of 50x40" in rows[1].problem
    assert not workspace.mask("small").exists()


def test_masks_are_stored_as_runs(tmp_path: Path) -> None:
    """Looking for anything else in them takes four times as long. Stripes are no runs, and show what was looked for."""
    stripes = np.tile(np.array([1, 2], np.uint8), (64, 32))
    whole = np.ones((64, 64), np.uint8)
    sizes = []
    for number, mask in enumerate((stripes, whole)):
        sample = Sample("car", "car.jpg", photo=np.zeros((64, 64, 3), np.uint8), mask=mask)
        workspace, schema = Workspace(tmp_path / str(number)), PartSchema.from_names(["hood", "door"])
        ingest([sample], schema, workspace, IngestOptions(size=64, margin=0.0), importer="coco", settings="")
        sizes.append(workspace.mask("car").stat().st_size)
    assert sizes[0] > 4 * sizes[1]
