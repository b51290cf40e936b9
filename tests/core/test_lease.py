"""A lock that is an object: one owner at a time, and none that is gone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid

import pytest

from augkit.core import lease
from augkit.core.errors import BusyError, ShardError
from augkit.core.lease import leased
from augkit.core.object_store import FsspecStorage
from augkit.core.owner import owner_here

LOCK = "models/.all.lock"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FsspecStorage:
    for name, seconds in {"RENEW": 0.05, "LEASE": 0.4, "ASK": 0.01}.items():
        monkeypatch.setattr(lease, name, seconds)
    return FsspecStorage(f"memory://{uuid.uuid4().hex}")


def other(**words: object) -> bytes:
    """Somebody's on another machine."""
    return json.dumps({**owner_here(), "host": "far", "machine": "far 1", "token": "other", **words}).encode()


def test_a_second_one_is_told_who_has_it_and_may_come_later(store: FsspecStorage) -> None:
    with leased(store, LOCK):
        assert store.exists(LOCK)
        begun = time.monotonic()
        with pytest.raises(BusyError, match=rf"{LOCK}: process \d+ on .* is writing it"), leased(store, LOCK):
            raise AssertionError("there would be two")
        assert time.monotonic() - begun < lease.LEASE
    assert store.names() == []
    with leased(store, LOCK):
        assert store.names() == [LOCK]


def test_one_with_patience_waits_for_it(store: FsspecStorage) -> None:
    begun = time.monotonic()
    with leased(store, LOCK), pytest.raises(BusyError), leased(store, LOCK, patience=0.3):
        raise AssertionError("there would be two")
    assert time.monotonic() - begun >= 0.3


def test_a_lease_that_nobody_renews_is_void(store: FsspecStorage) -> None:
    store.put(LOCK, other())
    begun = time.monotonic()
    with leased(store, LOCK):
        assert json.loads(store.read(LOCK))["host"] == owner_here()["host"]
    assert time.monotonic() - begun >= lease.LEASE


def test_the_lease_of_a_process_of_this_machine_that_was_killed_is_void_at_once(
    store: FsspecStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE", 1000.0)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    store.put(LOCK, other(machine=lease.machine(), pid=ended.pid))
    with leased(store, LOCK):
        assert store.exists(LOCK)


def test_an_owner_that_lost_it_says_so_and_leaves_it_to_the_new_one(store: FsspecStorage) -> None:
    with pytest.warns(RuntimeWarning, match="process 1 on far"), leased(store, LOCK):
        store.put(LOCK, other(pid=1))
        time.sleep(0.2)
    assert json.loads(store.read(LOCK))["token"] == "other"


def test_a_lease_that_cannot_be_given_back_hides_no_other_error(
    store: FsspecStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(name: str) -> bool:
        raise ShardError("the store is away")

    with pytest.raises(ZeroDivisionError), leased(store, LOCK):
        monkeypatch.setattr(store, "exists", fails)
        raise ZeroDivisionError


def test_something_is_done_meanwhile(store: FsspecStorage) -> None:
    called: list[int] = []
    with leased(store, LOCK, meanwhile=lambda: called.append(1)):
        time.sleep(0.3)
    assert len(called) >= 2
