"""A workspace at a URL, as commands see it."""

from __future__ import annotations

import pickle
import uuid
from pathlib import Path

import fsspec
import pytest

from augkit.core import lease, object_store
from augkit.core.errors import BusyError, StoreError
from augkit.core.lock import held
from augkit.core.object_store import FsspecStorage
from augkit.core.remote_workspace import RemoteWorkspace, by_url, remote_workspaces, workspace_at
from augkit.core.workspace import Workspace


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FsspecStorage:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = FsspecStorage(f"memory://{uuid.uuid4().hex}/ws")
    for name in ("catalogue.parquet", "pairs/a.jpg", "models/mask/all/config.json", "models/image/all/config.json"):
        found.put(name, name.encode())
    return found


def test_a_folder_is_a_folder(tmp_path: Path) -> None:
    assert workspace_at(tmp_path) == workspace_at(f"file://{tmp_path}") == Workspace(tmp_path)


def test_paths_are_fetched_as_they_are_named(store: FsspecStorage, tmp_path: Path) -> None:
    with remote_workspaces():
        workspace = workspace_at(store.url)
        assert workspace.name == "ws" and not list(workspace.root.rglob("*"))
        assert workspace.catalogue.read_text() == "catalogue.parquet"
        assert workspace.photo("a").read_text() == "pairs/a.jpg"
        assert (workspace.model("mask", "all") / "config.json").is_file()
        assert not (workspace.root / "models/image").exists()
        assert (workspace.models / "image/all/config.json").is_file()
        assert workspace.shards == f"{store.url}/shards"
        assert workspace.bring(tmp_path / "elsewhere") == tmp_path / "elsewhere"
        assert workspace.anywhere(workspace.model("mask", "all")) == Path("models/mask/all")


def test_what_a_command_wrote_is_there_at_its_end_also_where_it_fails(store: FsspecStorage) -> None:
    with remote_workspaces():
        with remote_workspaces():
            workspace_at(store.url).reports.mkdir()
            (workspace_at(store.url).reports / "a.json").write_text("1")
        assert not store.exists("reports/a.json")
    assert store.exists("reports/a.json")
    with pytest.raises(ZeroDivisionError), remote_workspaces():
        (workspace_at(store.url).reports / "b.json").write_text("1")
        raise ZeroDivisionError
    assert store.exists("reports/b.json")


def test_the_next_command_sees_what_others_put(store: FsspecStorage) -> None:
    with remote_workspaces():
        assert workspace_at(store.url).catalogue.is_file()
    store.put("catalogue.parquet", b"another")
    with remote_workspaces():
        assert workspace_at(store.url).catalogue.read_text() == "another"


def test_locks_hold_on_other_machines_and_end_with_what_was_written_in_the_store(
    store: FsspecStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEW", 0.05)
    with remote_workspaces():
        workspace = workspace_at(store.url)
        folder = workspace.model("mask", "all")
        store.put("models/mask/all/config.json", b"of another machine, since")
        with held(folder):
            assert (folder / "config.json").read_text() == "of another machine, since"
            with (
                pytest.raises(BusyError, match=r"models/mask/\.all\.lock"),
                lease.leased(store, "models/mask/.all.lock"),
            ):
                raise AssertionError("there would be two")
            (folder / "config.json").write_text("new")
        assert store.read("models/mask/all/config.json") == b"new"
        assert not store.exists("models/mask/.all.lock")
    with held(folder):  # no workspace of a command
        assert not store.exists("models/mask/.all.lock")


def test_another_process_opens_it_for_itself_and_only_reads(store: FsspecStorage) -> None:
    with remote_workspaces():
        sent = pickle.dumps(workspace_at(store.url))
    assert len(sent) < 500
    with remote_workspaces():
        there = pickle.loads(sent)
        assert isinstance(there, RemoteWorkspace) and there.catalogue.is_file()
        there.catalogue.write_text("changed")
    assert store.read("catalogue.parquet") == b"catalogue.parquet"


def test_another_process_is_patient_with_a_store_that_the_first_has_reached(
    store: FsspecStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote_workspaces():
        sent = pickle.dumps(workspace_at(store.url))
    monkeypatch.setattr(object_store, "FIRST_PATIENCE", -1.0)
    exists, busy = type(fsspec.filesystem("memory")).info, iter([TimeoutError("busy")])

    def info(self: object, path: str, **options: object) -> object:
        for error in busy:
            raise error
        return exists(self, path, **options)

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "info", info)
    with remote_workspaces():
        assert pickle.loads(sent).catalogue.is_file()
    with remote_workspaces(), pytest.raises(StoreError, match="later"):
        busy = iter([TimeoutError("later")])
        workspace_at(store.url)


def test_processes_of_a_launcher_but_the_first_put_nothing(
    store: FsspecStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    with remote_workspaces():
        workspace_at(store.url).catalogue.write_text("changed")
    assert store.read("catalogue.parquet") == b"catalogue.parquet"


def test_messages_name_the_url(store: FsspecStorage) -> None:
    with remote_workspaces():
        path = workspace_at(store.url).model("mask", "all")
    assert by_url(f"{path}: damaged") == f"{store.url}/models/mask/all: damaged"
