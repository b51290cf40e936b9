"""What is fetched, what is put back, and what of it counts when two machines differ."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

import pytest

from augkit.core import mirror as module
from augkit.core.mirror import Mirror
from augkit.core.object_store import FsspecStorage, StoredFile

ONE_DAY = 86_400


class Counting(FsspecStorage):
    """Notes what is fetched and put."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.fetched: list[str] = []
        self.put_here: list[str] = []

    def fetch(self, name: str, file: Path) -> None:
        self.fetched.append(name)
        super().fetch(name, file)

    def put_file(self, name: str, file: Path) -> StoredFile:
        self.put_here.append(name)
        return super().put_file(name, file)


@pytest.fixture
def store() -> Counting:
    found = Counting(f"memory://{uuid.uuid4().hex}")
    for name in ("catalogue.parquet", "pairs/a.jpg", "pairs/b.jpg", "models/mask/all/config.json"):
        found.put(name, name.encode())
    return found


@pytest.fixture
def mirror(store: Counting, tmp_path: Path) -> Mirror:
    return Mirror(store, tmp_path / "one")


def write(mirror: Mirror, **texts: str) -> None:
    for name, text in texts.items():
        path = mirror.tree / "pairs" / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def here(mirror: Mirror) -> dict[str, str]:
    files = (path for path in mirror.tree.rglob("*") if path.is_file())
    return {path.relative_to(mirror.tree).as_posix(): path.read_text() for path in files}


def stored(store: FsspecStorage, names: Iterable[str]) -> dict[str, str]:
    return {name: store.read(name).decode() for name in names}


def test_what_is_asked_for_is_fetched_once_a_machine(store: Counting, mirror: Mirror, tmp_path: Path) -> None:
    mirror.open("pairs")
    mirror.open("pairs")
    mirror.open("pairs/a.jpg")
    assert here(mirror) == {"pairs/a.jpg": "pairs/a.jpg", "pairs/b.jpg": "pairs/b.jpg"}
    Mirror(store, tmp_path / "one").open("pairs")  # another process
    assert sorted(store.fetched) == ["pairs/a.jpg", "pairs/b.jpg"]


def test_another_file_of_the_name_is_fetched_and_one_that_is_gone_goes(
    store: Counting, mirror: Mirror, tmp_path: Path
) -> None:
    mirror.open("pairs")
    store.put("pairs/a.jpg", b"another")
    store.remove("pairs/b.jpg")
    Mirror(store, tmp_path / "one").open("pairs")
    assert here(mirror) == {"pairs/a.jpg": "another"}


def test_a_file_that_was_taken_from_the_mirror_is_fetched_and_not_removed_there(
    store: Counting, mirror: Mirror, tmp_path: Path
) -> None:
    mirror.open("pairs")
    (mirror.tree / "pairs/a.jpg").unlink()
    again = Mirror(store, tmp_path / "one")
    again.open("pairs")
    again.put_back()
    assert (mirror.tree / "pairs/a.jpg").is_file() and store.exists("pairs/a.jpg")
    shutil.rmtree(tmp_path / "one")  # while a command works
    again.put_back()
    assert store.exists("pairs/a.jpg")


def test_what_changed_is_put_back_and_nothing_else(store: Counting, mirror: Mirror) -> None:
    mirror.open("pairs")
    write(mirror, a="changed", c="new")
    (mirror.tree / "pairs/b.jpg").unlink()
    (mirror.tree / "unasked").write_text("of nobody")
    (mirror.tree / "pairs/.all.lock").write_text("")
    (mirror.tree / "pairs/.c.jpg.0.tmp").write_text("")
    mirror.put_back()
    mirror.put_back()
    assert stored(store, store.names()) == {
        "catalogue.parquet": "catalogue.parquet", "models/mask/all/config.json": "models/mask/all/config.json",
        "pairs/a.jpg": "changed", "pairs/c.jpg": "new",
    }  # fmt: skip
    assert sorted(store.put_here) == ["pairs/a.jpg", "pairs/c.jpg"]


def test_what_goes_while_it_is_put_back_is_left_out_and_nothing_is_removed_in_the_middle_of_work(
    store: Counting, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror.open("pairs")
    write(mirror, a="changed", c="new")
    put_file = store.put_file

    def put(name: str, file: Path) -> StoredFile:
        (mirror.tree / "pairs/c.jpg").unlink(missing_ok=True)
        (mirror.tree / "pairs/b.jpg").unlink(missing_ok=True)
        return put_file(name, file)

    monkeypatch.setattr(store, "put_file", put)
    monkeypatch.setattr(module, "AT_ONCE", 1)
    mirror.put_back(removing=False)
    assert store.read("pairs/a.jpg") == b"changed" and not store.exists("pairs/c.jpg") and store.exists("pairs/b.jpg")
    mirror.put_back()
    assert not store.exists("pairs/b.jpg")


def test_what_says_that_others_are_complete_comes_after_them(store: Counting, mirror: Mirror) -> None:
    mirror.open("models/mask/all")
    folder = mirror.tree / "models/mask/all"
    for place, name in enumerate(("config.json", "metrics.json", "model.safetensors")):
        (folder / name).write_text("new")
        os.utime(folder / name, (ONE_DAY - place, ONE_DAY - place))
    mirror.put_back()
    names = [name.rpartition("/")[2] for name in store.put_here]
    assert names == ["model.safetensors", "metrics.json", "config.json"]


def test_files_have_the_same_time_on_every_machine(bucket: str, tmp_path: Path) -> None:
    one, two = (Mirror(FsspecStorage(f"{bucket}/ws"), tmp_path / name) for name in ("one", "two"))
    one.open("pairs")
    write(one, a="new")
    one.put_back()
    two.open("pairs")
    times = {(mirror.tree / "pairs/a.jpg").stat().st_mtime_ns for mirror in (one, two)}
    assert len(times) == 1 and here(one) == here(two)


def test_what_a_killed_command_wrote_is_put_by_the_next_unless_others_wrote_since(
    store: Counting, mirror: Mirror, tmp_path: Path
) -> None:
    mirror.open("pairs")
    write(mirror, a="killed", b="killed", c="killed")
    store.put("pairs/b.jpg", b"newer")
    following = Mirror(store, tmp_path / "one")
    following.open("pairs")
    following.put_back()
    expected = {"pairs/a.jpg": "killed", "pairs/b.jpg": "newer", "pairs/c.jpg": "killed"}
    assert here(following) == expected == stored(store, expected)


def test_who_only_reads_takes_no_checkpoints_puts_nothing_and_leaves_those_of_others(
    store: Counting, mirror: Mirror, tmp_path: Path
) -> None:
    names = ("checkpoint.safetensors", "samples/1.png", "model.safetensors")
    for name in names:
        store.put(f"models/mask/all/{name}", b"1")
    reader = Mirror(store, tmp_path / "reader", puts=False, trains=False)
    reader.open("models/mask/all")
    assert {path.name for path in reader.tree.rglob("*") if path.is_file()} == {"config.json", "model.safetensors"}
    (reader.tree / "models/mask/all/model.safetensors").write_text("2")
    reader.put_back()
    assert store.read("models/mask/all/model.safetensors") == b"1"
    mirror.open("models")
    Mirror(store, tmp_path / "one", puts=False, trains=False).open("models")
    assert {f"models/mask/all/{name}" for name in names} <= here(mirror).keys()
