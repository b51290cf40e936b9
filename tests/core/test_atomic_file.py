from __future__ import annotations

import json
import multiprocessing
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from augkit.core.atomic_file import is_temporary, move, replacing, temporary_name, write_bytes, write_json, write_text


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens on disk, in order: syncs of files and of folders, and renames."""
    happened: list[str] = []
    sync, rename = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        happened.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def replace(path: Path, target: Path) -> Path:
        happened.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    return happened


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """No file may grow beyond ``size`` bytes: the kernel refuses, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_holds_what_was_written(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"\x00\xff")
    write_text(tmp_path / "b", "Tür\n")
    write_json(tmp_path / "c", {"x": [1]})
    assert (tmp_path / "a").read_bytes() == b"\x00\xff"
    assert (tmp_path / "b").read_bytes() == "Tür\n".encode()
    assert (tmp_path / "c").read_bytes() == b'{\n "x": [\n  1\n ]\n}\n'
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_a_file_is_on_disk_before_it_gets_its_name_and_the_name_after(tmp_path: Path, events: list[str]) -> None:
    write_bytes(tmp_path / "a", b"1")
    assert events == ["file", "rename", "folder"]


def test_folders_on_the_way_are_made_for_good(tmp_path: Path, events: list[str]) -> None:
    write_bytes(tmp_path / "new" / "deep" / "a", b"1")
    assert events == ["folder", "folder", "file", "rename", "folder"]


def test_a_disk_that_fills_up_leaves_the_old_bytes_alone(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"old")
    with full_after(1000), pytest.raises(OSError, match="File too large"):
        write_bytes(tmp_path / "a", bytes(100_000))
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_interrupted_block_leaves_the_old_bytes_alone(tmp_path: Path, error: type[BaseException]) -> None:
    write_bytes(tmp_path / "a", b"old")
    with pytest.raises(error), replacing(tmp_path / "a") as temporary:
        temporary.write_bytes(b"half")
        raise error
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_bytes_that_were_not_synced_do_not_get_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output error"):
        write_bytes(tmp_path / "a", b"1")
    assert list(tmp_path.iterdir()) == []


def test_what_json_has_no_form_for_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_json(tmp_path / "a", {"x": object()})
    assert list(tmp_path.iterdir()) == []


def test_of_two_writers_the_later_one_wins(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with replacing(path) as first:
        first.write_bytes(b"first, longer")
        with replacing(path) as second:
            second.write_bytes(b"second")
        assert path.read_bytes() == b"second"
    assert path.read_bytes() == b"first, longer"
    assert list(tmp_path.iterdir()) == [path]


def _write_often(path: Path, mark: str) -> None:
    for number in range(40):
        write_json(path, {"mark": mark * 5000, "number": number})


def test_processes_that_write_one_file_never_mix(tmp_path: Path) -> None:
    path, context = tmp_path / "a.json", multiprocessing.get_context("spawn")
    write_json(path, {"mark": "a" * 5000})
    writers = [context.Process(target=_write_often, args=(path, mark)) for mark in "ab"]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert len(set(json.loads(path.read_text())["mark"])) == 1
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert list(tmp_path.iterdir()) == [path]


def test_long_names_have_temporary_ones(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 127)  # 254 bytes
    write_bytes(path, b"1")
    assert path.read_bytes() == b"1"


def test_temporary_names_are_told_apart() -> None:
    first, second = temporary_name("a.png"), temporary_name("a.png")
    assert first != second and is_temporary(first) and not is_temporary("a.png")


def test_moving_syncs_both_folders(tmp_path: Path, events: list[str]) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "from" / "a").mkdir()
    move(tmp_path / "from" / "a", tmp_path / "to" / "b")
    assert (tmp_path / "to" / "b").is_dir() and not (tmp_path / "from" / "a").exists()
    assert events == ["rename", "folder", "folder"]
    move(tmp_path / "to" / "b", tmp_path / "to" / "c")
    assert events[3:] == ["rename", "folder"]
