"""Imports that are cut short, and those that go on from where they were."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augkit.core.errors import BusyError, DataError
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, read_catalogue
from augkit.data.ingest import staging
from augkit.data.ingest.class_overrides import Override
from augkit.data.ingest.ingest_options import IngestOptions
from augkit.data.ingest.ingestion import JOURNAL, ingest
from augkit.data.ingest.journal import Journal, JournalEntry, stamp
from augkit.data.reading_way import ReadingWay
from augkit.data.samples import PartMask, Sample, SampleSet
from tests.core.test_atomic_file import full_after

SCHEMA = PartSchema.from_names(["hood", "wheel"])
DATA = IngestOptions(size=32)
CARS = 6


def read_photo(path: Path, log: str) -> bytes:
    """The photo's bytes; notes that it was asked for (the log is no ``Path``, which would count as a source)."""
    with Path(log).open("a") as stream:
        stream.write(f"{path.stem}\n")
    return path.read_bytes()


def draw_mask(number: int) -> PartMask:
    mask = np.zeros((40, 50), np.uint8)
    mask[10:30, 5 : 30 + number] = 1 + number % 2
    return PartMask(mask, notes={"lines left out": number} if number else {})


def samples_of(folder: Path) -> list[Sample]:
    photos = sorted(folder.glob("*.png"))
    log = str(folder / "read.txt")
    return [
        Sample(path.stem, path.name, partial(read_photo, path, log), partial(draw_mask, int(path.stem[1:])))
        for path in photos
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for number in range(CARS):
        noise = np.random.default_rng(number).integers(0, 255, (40, 50, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / "photos" / f"p{number}.png")
    return tmp_path / "photos"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "ws")


def _run(folder: Path, workspace: Workspace, options: IngestOptions = DATA, **more: object) -> list[str]:
    """Imports the folder; returns the names of the photos that were read."""
    log = folder / "read.txt"
    log.write_text("")
    ingest(samples_of(folder), SCHEMA, workspace, options, importer="test", settings="", **more)  # type: ignore[arg-type]
    return log.read_text().split()


def _interrupt_after(count: int) -> Callable[[CatalogueRow], None]:
    left = [count]

    def on_row(row: CatalogueRow) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    return on_row


def _cut_short(folder: Path, workspace: Workspace, count: int = 4, **more: object) -> None:
    with pytest.raises(KeyboardInterrupt):
        _run(folder, workspace, on_row=_interrupt_after(count), **more)


def _state(root: Path) -> dict[str, str]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_import_goes_on_where_it_was(folder: Path, workspace: Workspace, workers: int) -> None:
    _run(folder, Workspace(folder.parent / "whole"))
    _cut_short(folder, workspace, workers=workers)
    assert not workspace.catalogue.exists()
    told: list[CatalogueRow] = []
    again = _run(folder, workspace, on_row=told.append)
    assert again == ["p4", "p5"] and [row.id for row in told] == [f"p{n}" for n in range(CARS)]
    assert _state(workspace.root) == _state(folder.parent / "whole")


def test_what_was_left_out_before_an_interrupt_is_told_at_the_end(folder: Path, workspace: Workspace) -> None:
    _cut_short(folder, workspace)
    told: list[str] = []
    assert _run(folder, workspace, on_warning=told.append) == ["p4", "p5"]
    assert told == ["15 lines left out (5 photo(s), the first p1.png)"]


@pytest.mark.parametrize("way", [ReadingWay(exif="stored"), ReadingWay(overlap="order")])
def test_what_was_read_in_another_way_is_read_again(folder: Path, workspace: Workspace, way: ReadingWay) -> None:
    _cut_short(folder, workspace)
    assert len(_run(folder, workspace, replace(DATA, way=way))) == CARS


def test_a_finished_import_is_no_interrupted_one(folder: Path, workspace: Workspace) -> None:
    _run(folder, workspace)
    assert len(_run(folder, workspace)) == CARS


def test_a_photo_that_changed_is_read_again_and_only_that(folder: Path, workspace: Workspace) -> None:
    _cut_short(folder, workspace)
    Image.fromarray(np.full((40, 50, 3), 9, np.uint8)).save(folder / "p1.png")
    assert _run(folder, workspace) == ["p1", "p4", "p5"]
    _run(folder, Workspace(folder.parent / "whole"))
    assert _state(workspace.root) == _state(folder.parent / "whole")


def test_a_mask_that_would_be_another_is_drawn_again(folder: Path, workspace: Workspace) -> None:
    _cut_short(folder, workspace)
    samples = [replace(s, mask=partial(draw_mask, 7)) if s.id == "p2" else s for s in samples_of(folder)]
    (folder / "read.txt").write_text("")
    ingest(samples, SCHEMA, workspace, DATA, importer="test", settings="")
    assert (folder / "read.txt").read_text().split() == ["p2", "p4", "p5"]


def test_what_the_data_set_no_longer_has_leaves_nothing_behind(folder: Path, workspace: Workspace) -> None:
    _cut_short(folder, workspace)
    (folder / "p1.png").unlink()
    assert _run(folder, workspace) == ["p4", "p5"]
    assert len(list(workspace.pairs.iterdir())) == 2 * (CARS - 1)
    assert [row.id for row in read_catalogue(workspace.catalogue)] == ["p0", "p2", "p3", "p4", "p5"]


@pytest.mark.parametrize("lost", ["photo", "mask"])
def test_a_pair_that_is_not_whole_is_made_again(folder: Path, workspace: Workspace, lost: str) -> None:
    _cut_short(folder, workspace)
    inner = Workspace(workspace.root / staging.STAGING)
    (inner.photo("p0") if lost == "photo" else inner.mask("p0")).write_bytes(b"")
    assert _run(folder, workspace) == ["p0", "p4", "p5"]


@pytest.mark.parametrize("other", ["size", "margin", "schema", "importer"])
def test_another_import_begins_anew(folder: Path, workspace: Workspace, other: str) -> None:
    _cut_short(folder, workspace)
    (folder / "read.txt").write_text("")
    options = replace(DATA, **{"size": {"size": 64}, "margin": {"margin": 0.5}}.get(other, {}))
    schema = PartSchema.from_names(["hood", "door"]) if other == "schema" else SCHEMA
    importer = "other" if other == "importer" else "test"
    ingest(samples_of(folder), schema, workspace, options, importer=importer, settings="")
    assert len((folder / "read.txt").read_text().split()) == CARS


def test_classes_seed_and_shares_may_change_in_between(folder: Path, workspace: Workspace) -> None:
    _cut_short(folder, workspace, overrides={"p0": Override("C", "3")})
    assert _run(folder, workspace, overrides={"p1": Override("B", "5")}) == ["p4", "p5"]
    rows = read_catalogue(workspace.catalogue)
    assert (rows[0].doors, rows[1].car_class.name, rows[1].confidence) == ("unknown", "back-left-5", 1.0)


def test_a_problem_is_looked_at_again(folder: Path, workspace: Workspace) -> None:
    whole = (folder / "p0.png").read_bytes()
    (folder / "p0.png").write_bytes(whole[:200])
    with pytest.raises(DataError, match=r"p0\.png"):
        _run(folder, workspace, strict=True)
    (folder / "p0.png").write_bytes(whole)
    assert _run(folder, workspace, strict=True) == ["p0"]
    assert not (workspace.root / staging.STAGING).exists()


def test_a_sample_that_nobody_can_compare_is_made_again(folder: Path, workspace: Workspace) -> None:
    samples = [replace(sample, mask=lambda: draw_mask(1)) for sample in samples_of(folder)]
    assert stamp(samples[0]) == ""
    with pytest.raises(KeyboardInterrupt):
        ingest(samples, SCHEMA, workspace, DATA, importer="test", settings="", on_row=_interrupt_after(4))
    (folder / "read.txt").write_text("")
    ingest(samples, SCHEMA, workspace, DATA, importer="test", settings="")
    assert len((folder / "read.txt").read_text().split()) == CARS


def test_a_line_that_was_cut_off_is_dropped(tmp_path: Path) -> None:
    rows = [JournalEntry(CatalogueRow(id, "test", "\udce9.jpg", histogram=[1]), True, f"stamp {id}") for id in "abc"]
    with Journal(tmp_path / JOURNAL) as journal:
        for entry in rows:
            journal.add(entry)
        assert list(journal) == rows and journal[1] == rows[1] and len(journal) == 3
    whole = (tmp_path / JOURNAL).read_bytes()
    (tmp_path / JOURNAL).write_bytes(whole[:-5])
    with Journal(tmp_path / JOURNAL) as journal:
        assert list(journal) == [] and journal.find("c", "stamp c") is None
        assert journal.find("a", "other") is None and journal.find("b", "stamp b") == rows[1]
        journal.keep("b")
        journal.add(replace(rows[0], stamp="new"))
        assert [entry.stamp for entry in journal] == ["stamp b", "new"]
    with Journal(tmp_path / JOURNAL) as journal:
        assert journal.find("a", "stamp a") is None and journal.find("a", "new") is not None


PROGRAM = """
import sys
from pathlib import Path

from augkit.data.ingest.ingestion import ingest
from augkit.core.workspace import Workspace
from tests.data.ingest.test_resume import DATA, SCHEMA, samples_of

def on_row(row):
    print(row.id, flush=True)
    if row.id == "p3":
        sys.stdin.read()

if __name__ == "__main__":
    samples, workspace, workers = samples_of(Path(sys.argv[1])), Workspace(Path(sys.argv[2])), int(sys.argv[3])
    ingest(samples, SCHEMA, workspace, DATA, importer="test", settings="", workers=workers, on_row=on_row)
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_import_goes_on_where_it_was_and_others_are_kept_out(
    folder: Path, workspace: Workspace, workers: int
) -> None:
    program = folder.parent / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, str(program), str(folder), str(workspace.root), str(workers)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        assert process.stdout is not None
        assert [process.stdout.readline().strip() for _ in range(4)] == ["p0", "p1", "p2", "p3"]
        with pytest.raises(BusyError, match=f"process {process.pid} on "):
            _run(folder, workspace)
        process.send_signal(signal.SIGKILL)
    time.sleep(0.2)  # workers end with their parent; what they had begun is made again
    again = _run(folder, workspace)
    assert again == ["p4", "p5"]
    _run(folder, Workspace(folder.parent / "whole"))
    assert _state(workspace.root) == _state(folder.parent / "whole")


def test_a_sample_set_is_gone_through_again(folder: Path) -> None:
    data = SampleSet(SCHEMA, samples_of(folder))
    assert [stamp(sample) for sample in data.samples] == [stamp(sample) for sample in samples_of(folder)]


def test_a_full_disk_says_which_file_it_had_no_room_for(folder: Path, workspace: Workspace) -> None:
    with full_after(200), pytest.raises(OSError, match="File too large") as caught:
        ingest(samples_of(folder), SCHEMA, workspace, DATA, importer="test", settings="")
    assert caught.value.filename is not None and Path(caught.value.filename).is_relative_to(workspace.root)
