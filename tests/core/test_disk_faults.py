from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from safetensors import SafetensorError

from augkit.core.disk_faults import as_os_error, is_refusal, meaning_of, number_of, refusal_or
from augkit.core.errors import AugkitError, CheckpointError, ShardError
from augkit.core.parquet import open_parquet
from augkit.core.parts import PartSchema
from augkit.core.storage import LocalStorage
from augkit.data.importers import yolo
from augkit.data.importers._parts_file import read_part_table
from augkit.data.importers.coco import load_tables
from augkit.train.checkpoint import load_state, save_state
from tests.core.test_atomic_file import full_after

REMEDIES = {
    errno.ENOSPC: "free some space", errno.EDQUOT: "quota", errno.EFBIG: "ulimit -f", errno.EROFS: "for writing",
    errno.EACCES: "permissions", errno.EPERM: "permissions", errno.EMFILE: "ulimit -n", errno.ENFILE: "ulimit -n",
    errno.ESTALE: "mount the disk again", errno.EIO: "system's log", errno.ENOENT: "check the path",
}  # fmt: skip


@pytest.mark.parametrize("number", sorted(REMEDIES))
def test_every_refusal_has_its_remedy(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = OSError(number, os.strerror(number))
    assert REMEDIES[number] in meaning_of(error)[1]
    assert is_refusal(error) == (number != errno.ENOENT)

    def refuse(*_: object) -> int:
        raise error

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ShardError, match="cannot be read") as caught:
        LocalStorage(tmp_path).read("a")
    assert REMEDIES[number] in caught.value.remedy and "delete" not in caught.value.remedy


def test_what_libraries_say_in_words_alone() -> None:
    assert number_of(SafetensorError("I/O error: No space left on device (os error 28)")) == errno.ENOSPC
    assert number_of(OSError("[Errno 24] Failed to open local file")) == errno.EMFILE
    assert number_of(ValueError("no number")) is None and not is_refusal(ValueError("no number"))
    assert meaning_of(ValueError("no number")) == meaning_of(OSError("none"))
    with pytest.raises(OSError, match="error") as caught, as_os_error(Path("a"), ValueError):
        raise ValueError("no number")
    assert caught.value.errno == errno.EIO


def test_a_file_that_may_not_be_read_is_not_damaged() -> None:
    told = "a COCO file", "export it again"
    assert refusal_or(ValueError("no JSON"), *told) == refusal_or(FileNotFoundError(2, "missing"), *told) == told
    assert "permissions" in refusal_or(PermissionError(errno.EACCES, "denied"), *told)[1]


def _denied(*_: object, **__: object) -> str:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _schema(path: Path) -> object:
    return PartSchema.load(path)


@pytest.mark.parametrize(
    ("place", "read"),
    [
        ("augkit.data.importers.coco.read_plain", load_tables),
        ("augkit.data.importers._parts_file.read_plain", read_part_table),
        ("augkit.data.importers.yolo.read_plain", yolo._load),
        ("augkit.core.parts.read_json", _schema),
        ("augkit.core.parquet.size_of_regular", lambda path: open_parquet(path, pa.schema([]), "import it again")),
    ],
)  # fmt: skip
def test_who_may_not_read_a_file_is_not_sent_to_write_it_again(
    place: str, read: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, _denied)
    with pytest.raises(AugkitError, match=r"Permission denied(.|\n)*remedy: change owner or permissions"):
        read(tmp_path / "a.json")


def test_a_disk_that_fills_up_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    save_state({"a": torch.zeros(10)}, path, {"step": 1})
    with full_after(2000), pytest.raises(OSError, match="File too large") as caught:
        save_state({"a": torch.zeros(10_000)}, path, {"step": 2})
    assert caught.value.errno == errno.EFBIG and caught.value.filename == str(path)
    assert load_state(path)[1] == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_checkpoint_that_cannot_be_opened_is_not_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("augkit.train.checkpoint.safe_open", refuse)
    (tmp_path / "a").write_bytes(b"whole")
    with pytest.raises(CheckpointError, match=r"ulimit -n(.|\n)*nothing on disk is damaged"):
        load_state(tmp_path / "a")
