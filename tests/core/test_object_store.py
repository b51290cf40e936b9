"""Stores that fail, change beside us, or are not there."""

from __future__ import annotations

import pickle
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from augkit.core import object_store
from augkit.core.errors import ShardError, StoreError
from augkit.core.object_store import FsspecStorage

ACTIONS: tuple[Callable[[FsspecStorage], object], ...] = (
    lambda store: store.put("a", b"1"), lambda store: store.read("a"), FsspecStorage.names,
    lambda store: store.exists("a"), lambda store: store.remove("a"),
)  # fmt: skip


@pytest.fixture
def memory() -> FsspecStorage:
    return FsspecStorage(f"memory://{uuid.uuid4().hex}")


@pytest.fixture
def new_clients() -> Iterator[None]:
    """Clients read endpoint and keys once, and are kept by fsspec."""
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()
    yield
    S3FileSystem.clear_instance_cache()


def test_a_missing_bucket_is_no_empty_one(bucket: str) -> None:
    for action in ACTIONS:
        with pytest.raises(ShardError, match=r"no bucket other-bucket(.|\n)*a bucket that exists"):
            action(FsspecStorage("s3://other-bucket/ws"))


def test_wrong_credentials_are_told(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto import settings

    monkeypatch.setattr(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)  # from now on the server knows nobody
    for action in ACTIONS:
        with pytest.raises(ShardError, match="credentials that may list, read and write"):
            action(FsspecStorage(f"{bucket}/ws"))


def test_credentials_that_are_lacking_are_told(bucket: str, new_clients: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ShardError, match="Unable to locate credentials"):
        FsspecStorage(f"{bucket}/ws").names()


@pytest.mark.parametrize("listens", [False, True], ids=["closed", "mute"])
@pytest.mark.parametrize("patience", [0.3, pytest.param(object_store.FIRST_PATIENCE, marks=pytest.mark.slow)])
def test_an_endpoint_that_does_not_answer_is_told_soon(
    bucket: str, new_clients: None, listens: bool, patience: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "FIRST_PATIENCE", patience)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        if not listens:
            server.close()
        begun = time.monotonic()
        with pytest.raises(StoreError, match=r"a store that answers(.|\n)*AWS_ENDPOINT_URL"):
            FsspecStorage(f"{bucket}/ws").exists("a")
    assert time.monotonic() - begun < max(10.0, patience)


def test_what_others_put_and_remove_is_seen(bucket: str) -> None:
    from s3fs import S3FileSystem

    store, other, place = FsspecStorage(f"{bucket}/ws"), S3FileSystem(skip_instance_cache=True), f"{bucket}/ws"[5:]
    store.put("a", b"1")
    assert store.names() == ["a"]
    other.pipe_file(f"{place}/b", b"2")
    assert store.names() == ["a", "b"] and store.exists("b") and store.read("b") == b"2"
    other.rm_file(f"{place}/b")
    assert store.names() == ["a"] and not store.exists("b")


def test_files_have_a_version_of_their_content(bucket: str) -> None:
    store = FsspecStorage(f"{bucket}/ws")
    for name in ("a/1", "ab/1", "b"):
        store.put(name, b"1")
    first, beside = store.files("a"), store.files("ab")
    assert [file.name for file in first] == ["a/1"] and first[0].size == 1 and first[0].modified > 0
    assert beside[0].version == first[0].version
    store.put("a/1", b"2")
    assert store.files("a")[0].version != first[0].version
    assert [file.name for file in store.files("b")] == ["b"]
    assert store.files("none") == []


def test_files_come_and_go(bucket: str, tmp_path: Path) -> None:
    store = FsspecStorage(f"{bucket}/ws")
    (tmp_path / "file").write_bytes(bytes(1 << 20))  # more than one part of an upload
    put = store.put_file("big", tmp_path / "file")
    store.fetch("big", tmp_path / "copy")
    assert put.size == 1 << 20 and put == store.files("big")[0]
    assert (tmp_path / "copy").read_bytes() == bytes(1 << 20)


@pytest.mark.parametrize("place", ["memory", "s3"])
def test_the_first_who_creates_wins(place: str, memory: FsspecStorage, request: pytest.FixtureRequest) -> None:
    store = memory if place == "memory" else FsspecStorage(request.getfixturevalue("bucket"))
    store.create("lock", b"first")
    store.create("lock", b"second")
    assert store.read("lock") == b"first"


class Failing:
    """A file system that fails some times, on a clock that sleeping moves alone."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.left, self.now = error, times, 0.0
        self.protocol = "memory"

    def cat_file(self, *where: object, **part: object) -> bytes:
        self.left -= 1
        if self.left >= 0:
            raise self.error
        return b"data"

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def failing(store: FsspecStorage, monkeypatch: pytest.MonkeyPatch, error: Exception, times: int) -> Failing:
    files: Any = Failing(error, times)
    monkeypatch.setattr(object_store, "time", files)
    monkeypatch.setattr(store, "_connect", lambda: (files, "root"))
    return files  # type: ignore[no-any-return]


def test_what_passes_is_tried_again_for_longer_once_the_store_has_answered(
    memory: FsspecStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert failing(memory, monkeypatch, TimeoutError(), 3) and memory.read("a") == b"data"
    files = failing(memory, monkeypatch, ConnectionError(), 10**6)
    with pytest.raises(ShardError, match="ConnectionError"):
        memory.read("a")
    assert object_store.FIRST_PATIENCE < files.now <= object_store.PATIENCE
    begun = files.now
    with pytest.raises(ShardError, match="ConnectionError"):
        memory.read("a")
    assert files.now - begun <= object_store.FIRST_PATIENCE


@pytest.mark.parametrize("reached", [True, False])
def test_a_copy_is_as_patient_as_the_store_it_was_made_of(
    reached: bool, memory: FsspecStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker on a busy machine may have to wait for its first answer, and the address is known to be right."""
    if reached:
        memory.names()
    copy = pickle.loads(pickle.dumps(memory))
    files = failing(copy, monkeypatch, TimeoutError(), 10**6)
    with pytest.raises(StoreError):
        copy.read("a")
    assert (files.now > object_store.FIRST_PATIENCE) is reached


@pytest.mark.parametrize("error", [FileNotFoundError("no"), PermissionError("no"), OSError(22, "no")])
def test_what_lasts_is_told_at_once(error: Exception, memory: FsspecStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    files = failing(memory, monkeypatch, error, 1)
    with pytest.raises(ShardError, match="no") as told:
        memory.read("a")
    assert files.now == 0.0 and not isinstance(told.value, StoreError)
