from __future__ import annotations

import os
import pickle
import uuid
from pathlib import Path

import pytest

from augkit.core import object_store
from augkit.core.atomic_file import temporary_name
from augkit.core.errors import ShardError
from augkit.core.object_store import FsspecStorage
from augkit.core.storage import LocalStorage, Storage, open_storage


@pytest.fixture(params=["local", "memory", "renaming", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    if request.param == "local":
        return open_storage(tmp_path / "new" / "shards")
    if request.param == "renaming":  # what file systems without whole uploads get
        monkeypatch.setattr(object_store, "_WHOLE_UPLOADS", frozenset())
    if request.param == "s3":
        return open_storage(request.getfixturevalue("bucket") + "/shards")
    return open_storage(f"memory://{uuid.uuid4().hex}/shards/")


def test_holds_what_was_put(store: Storage) -> None:
    assert store.names() == []
    assert not store.exists("commits/a")
    store.put("commits/a", b"0123456789")
    store.put("b", b"old")
    store.put("b", b"")
    assert store.names() == ["b", "commits/a"]
    assert store.exists("b")
    assert not store.exists("commits")
    assert store.read("b") == b""
    assert store.read("commits/a") == b"0123456789"
    assert store.read("commits/a", 3) == b"3456789"
    assert store.read("commits/a", 3, 4) == b"3456"
    assert store.read("commits/a", 8, 4) == b"89"
    assert store.read("commits/a", 10, 4) == b""


def test_removing_twice_is_fine(store: Storage) -> None:
    store.put("a", b"1")
    store.remove("a")
    store.remove("a")
    assert store.names() == []


def test_reading_what_is_not_there_says_which(store: Storage) -> None:
    with pytest.raises(ShardError, match=r"shard-000009\.tar"):
        store.read("shard-000009.tar")


@pytest.mark.parametrize("name", ["../a", "/a", "a/../../b"])
def test_names_stay_inside(store: Storage, name: str) -> None:
    with pytest.raises(ShardError, match="a relative name"):
        store.put(name, b"")


def test_survives_pickling(store: Storage) -> None:
    store.put("a", b"1")
    assert pickle.loads(pickle.dumps(store)).read("a") == b"1"


def test_a_full_disk_leaves_the_old_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    store = LocalStorage(tmp_path)
    store.put("a", b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ShardError, match="No space left"):
            store.put("a", b"new")
    assert store.read("a") == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_place_that_is_no_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = LocalStorage(tmp_path / "file")
    with pytest.raises(ShardError, match="cannot be written"):
        store.put("a", b"1")
    with pytest.raises(ShardError, match="cannot be listed"):
        store.names()


def test_leftovers_of_a_killed_writer_are_not_listed(tmp_path: Path) -> None:
    (tmp_path / temporary_name("shard-000000.tar")).write_bytes(b"half")
    assert LocalStorage(tmp_path).names() == []


def test_short_reads_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, whole = LocalStorage(tmp_path), os.pread
    store.put("a", b"0123456789")
    monkeypatch.setattr(os, "pread", lambda descriptor, length, offset: whole(descriptor, min(length, 3), offset))
    assert store.read("a", 1, 8) == b"12345678"


def test_locations(tmp_path: Path) -> None:
    assert isinstance(open_storage(str(tmp_path)), LocalStorage)
    assert isinstance(open_storage(f"file://{tmp_path}"), LocalStorage)
    assert isinstance(open_storage("memory://a"), FsspecStorage)
    with pytest.raises(ShardError, match="fsspec can open"):
        open_storage("nosuch://bucket/shards")
