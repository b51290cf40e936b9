"""What every importer has to do. A new one is tested as soon as it has a maker, and fails without."""

from __future__ import annotations

import os
import pickle
import re
import signal
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from augkit.core.errors import ConfigError, DataError
from augkit.core.workspace import Workspace
from augkit.data.catalogue import usable
from augkit.data.importers import IMPORTERS, Importer
from augkit.data.ingest.ingest_options import IngestOptions
from augkit.data.ingest.ingestion import ingest
from augkit.data.ingest.journal import stamp
from augkit.data.samples import Drawing, Sample, read, read_unlabelled

Make = Callable[[Path, int], Path]


@pytest.fixture(params=list(IMPORTERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def importer(name: str) -> Importer:
    return IMPORTERS[name]


@pytest.fixture
def make(name: str) -> Make:
    maker: Make = import_module(f"tests.data.importers.makers.{name.replace('-', '_')}").make
    return maker


@pytest.fixture
def source(make: Make, tmp_path: Path) -> Path:
    return make(tmp_path / "two words é 車", 3)


def _read(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Photo and mask; a photo without a mask has an empty one."""
    if sample.mask is None:
        return read_unlabelled(sample)[0], np.zeros((0, 0), np.uint8)
    loaded = read(sample)
    return loaded.photo, loaded.mask


def _problem(sample: Sample) -> str:
    try:
        _read(sample)
    except (DataError, OSError) as error:
        return str(error)
    return ""


def _file(source: Path, sample: Sample) -> Path:
    path = source / sample.source_file.partition("#")[0]
    assert path.is_file(), f"the source file {sample.source_file} is not below the data set's folder"
    return path


def test_what_it_reads_can_be_ingested(name: str, importer: Importer, source: Path, tmp_path: Path) -> None:
    data = importer(source, None)
    if not data.labelled:
        pytest.skip("photos without masks join labelled ones: test_photo_ingestion.py")
    assert len(data.samples) == len(list(data.samples)) >= 3
    workspace = Workspace(tmp_path / "ws")
    rows = ingest(data.samples, data.schema, workspace, IngestOptions(size=32), importer=name, settings="", strict=True)
    assert len(usable(rows)) == len(data.samples)
    assert all(workspace.mask(row.id).is_file() for row in rows)


def test_samples_come_in_one_order_with_ids_fit_for_files(importer: Importer, source: Path) -> None:
    first, again = importer(source, None), importer(source, None)
    ids = [sample.id for sample in first.samples]
    assert ids == [sample.id for sample in first.samples] == [sample.id for sample in again.samples]
    assert len({id.lower() for id in ids}) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", id) for id in ids)
    assert first.schema == again.schema


def test_samples_are_read_later_and_in_other_processes(importer: Importer, source: Path) -> None:
    data = importer(source, None)
    for sample in data.samples:
        assert callable(sample.photo)
        assert callable(sample.mask) or isinstance(sample.mask, Drawing) or not data.labelled
        stored = pickle.dumps(sample)
        assert len(stored) < 20_000
        (photo, mask), (other, same) = _read(sample), _read(pickle.loads(stored))
        assert (photo == other).all() and (mask == same).all()
        assert mask.dtype == np.uint8 and (mask.shape == photo.shape[:2] or not data.labelled)


def test_more_photos_change_nothing_about_the_others(importer: Importer, make: Make, tmp_path: Path) -> None:
    few, many = importer(make(tmp_path / "few", 2), None), importer(make(tmp_path / "many", 4), None)
    masks = {sample.id: _read(sample)[1] for sample in many.samples}
    assert len(many.samples) > len(few.samples)
    assert all((masks[sample.id] == _read(sample)[1]).all() for sample in few.samples)


def test_a_missing_source_is_a_wrong_command(importer: Importer, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none") as error:
        importer(tmp_path / "none", None)
    assert error.value.expected and error.value.remedy


def test_an_empty_folder_is_said_to_be_none(importer: Importer, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    with pytest.raises((ConfigError, DataError), match="bare") as error:
        importer(tmp_path / "bare", None)
    assert error.value.expected


@pytest.mark.parametrize("kept", [0.5, 0.0])
def test_a_cut_off_file_is_the_problem_of_its_sample(importer: Importer, source: Path, kept: float) -> None:
    samples = list(importer(source, None).samples)
    broken = _file(source, samples[0])
    whole = broken.read_bytes()
    broken.write_bytes(whole[: int(kept * len(whole))])
    problems = {sample.id: _problem(sample) for sample in importer(source, None).samples}
    hit = {sample.id for sample in samples if _file(source, sample) == broken}
    assert {id for id, problem in problems.items() if problem} >= hit
    assert all(not problem for id, problem in problems.items() if id not in hit and id in {s.id for s in samples})
    assert all(str(source) not in problem for problem in problems.values()), "a problem names no path of the machine"


def test_what_a_mac_packs_beside_the_files_is_left_out(importer: Importer, source: Path) -> None:
    before = [(sample.id, sample.source_file) for sample in importer(source, None).samples]
    for file in [path for path in source.rglob("*") if path.is_file()]:
        for name in (f"._{file.name}", f".__{file.name}"):
            (file.parent / name).write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
        (source / "__MACOSX").mkdir(exist_ok=True)
        (source / "__MACOSX" / file.name).write_bytes(b"\0\5\x16\7")
    after = list(importer(source, None).samples)
    assert [(sample.id, sample.source_file) for sample in after] == before and not any(map(_problem, after))


def test_a_photo_that_changes_is_another_to_an_import_that_goes_on(importer: Importer, source: Path) -> None:
    before = {sample.id: stamp(sample) for sample in importer(source, None).samples}
    assert all(before.values()) and before == {sample.id: stamp(sample) for sample in importer(source, None).samples}
    file = _file(source, next(iter(importer(source, None).samples)))
    file.write_bytes(file.read_bytes() + b"\0")
    after = {sample.id: stamp(sample) for sample in importer(source, None).samples if _file(source, sample) == file}
    assert after and all(before[id] != mark for id, mark in after.items())


@pytest.fixture
def in_time() -> Iterator[None]:
    """What waits for ever fails after ten seconds."""

    def give_up(*_: object) -> None:
        raise AssertionError("still waiting after ten seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize("kind", ["pipe", "endless"])
def test_what_is_no_regular_file_is_never_opened(importer: Importer, make: Make, tmp_path: Path, kind: str) -> None:
    """In the place of each of its files: photos, labels, descriptions."""
    source = make(tmp_path / "set", 2)
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        kept = file.rename(tmp_path / "kept")
        os.mkfifo(file) if kind == "pipe" else file.symlink_to("/dev/zero")
        try:
            problems = [_problem(sample) for sample in importer(source, None).samples]
        except (ConfigError, DataError, OSError) as error:
            problems = [str(error)]
        assert any(problems), f"{file.name} was read"
        file.unlink()
        kept.rename(file)


def test_a_link_that_leaves_the_folder_is_not_followed(importer: Importer, source: Path, tmp_path: Path) -> None:
    samples = list(importer(source, None).samples)
    file = _file(source, samples[0])
    outside = file.rename(tmp_path / f"outside{file.suffix}")
    file.symlink_to(outside)
    linked = [_problem(sample) for sample in importer(source, None).samples if _file(source, sample) == file]
    assert all(linked) and any("outside the data set's folder" in problem for problem in linked)
    fine = [sample for sample in importer(source, None).samples if _file(source, sample) != file]
    assert fine and not any(map(_problem, fine))


def test_a_link_within_the_folder_is_like_a_file(importer: Importer, source: Path) -> None:
    sample = next(iter(importer(source, None).samples))
    file = _file(source, sample)
    (source / ".store").mkdir()
    file.symlink_to(file.rename(source / ".store" / file.name))
    found = next(one for one in importer(source, None).samples if one.id == sample.id)
    assert not _problem(found)
