from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

import pytest

from augkit.core import lock
from augkit.core.atomic_file import temporary_name, write_text
from augkit.core.errors import BusyError
from augkit.core.lock import FORGOTTEN, held, lock_file, unchanging

HOLDER = """
import os, sys
from pathlib import Path
from augkit.core.lock import held
with held(Path(sys.argv[1])):
    child = os.fork()  # as a loader's workers are
    if not child:
        sys.stdin.read()
        os._exit(0)
    print(child, flush=True)
    sys.stdin.read()
"""


READER = """
import sys
from pathlib import Path
from augkit.core.lock import unchanging
with unchanging(Path(sys.argv[1])):
    print(0, flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(thing: Path, program: str = HOLDER) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process that has the lock, and its forked child if it has one."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", program, str(thing)], stdin=pipe, stdout=pipe, text=True
    ) as process:  # fmt: skip
        assert process.stdout is not None
        yield process, int(process.stdout.readline())


def test_who_has_it_is_named_and_a_killed_process_does_not_keep_it(tmp_path: Path) -> None:
    thing = tmp_path / "models" / "all"
    with holder(thing) as (process, child):
        with pytest.raises(BusyError, match=rf"all: process {process.pid} on .*\(`-c`, since 20") as busy:
            held(thing).__enter__()
        assert busy.value.exit_code == 3
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.kill(child, 0)  # it lives on, and has the lock's file open
        assert lock_file(thing).exists()
        with held(thing):
            assert str(os.getpid()) in lock_file(thing).read_text()
        os.kill(child, signal.SIGKILL)
    assert list(thing.parent.iterdir()) == []


def test_a_patient_one_waits(tmp_path: Path) -> None:
    with holder(tmp_path / "a") as (process, child):
        began = time.monotonic()
        with pytest.raises(BusyError), held(tmp_path / "a", patience=0.3):
            pass
        assert time.monotonic() - began >= 0.3
        os.kill(child, signal.SIGKILL)
        process.communicate("")
        with held(tmp_path / "a", patience=60):
            pass


def test_many_read_what_nobody_writes(tmp_path: Path) -> None:
    thing = tmp_path / "shards"
    with unchanging(thing):
        pass  # there is none
    thing.mkdir()
    with holder(thing, READER) as (process, _):
        with pytest.raises(BusyError, match=rf"process {process.pid} on .* is reading it"), held(thing):
            pass
        with unchanging(thing), unchanging(thing):
            pass
        with pytest.raises(BusyError, match="another process is reading it"), held(thing):
            pass
        process.communicate("")
    with held(thing), unchanging(thing):
        assert lock_file(thing).exists(), "who writes it may read it"
    with holder(thing) as (process, child):
        with pytest.raises(BusyError, match=rf"process {process.pid} on .* is writing it"), unchanging(thing):
            pass
        os.kill(child, signal.SIGKILL)
        process.communicate("")
    with unchanging(thing):
        assert lock_file(thing).exists()
    assert [path.name for path in tmp_path.iterdir()] == ["shards"]


def test_who_cannot_write_a_lock_reads_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(lock, "_opened", refuse)
    with unchanging(tmp_path):
        assert not lock_file(tmp_path).exists()


def test_what_killed_writers_left_is_removed(tmp_path: Path) -> None:
    thing, around = tmp_path / "shards", tmp_path / "reports"
    left = [
        thing / temporary_name("a.tar"),
        thing / "commits" / temporary_name("b"),
        tmp_path / temporary_name("shards"),
    ]
    young, old = around / temporary_name("new"), around / temporary_name("old")
    kept = [thing / "a.tar", tmp_path / temporary_name("other"), young]
    for path in (*left, *kept, old):
        write_text(path, "x")
    (tmp_path / temporary_name("shards")).mkdir()
    os.utime(old, (0, time.time() - FORGOTTEN - 60))
    with held(thing, around=[around, tmp_path / "nothing"]):
        assert {path for path in tmp_path.rglob("*") if path.is_file()} == {*kept, lock_file(thing)}
        write_text(thing / temporary_name("of a worker that was ended"), "x")
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(kept)


def test_one_process_may_take_it_twice_and_keeps_it_until_the_end(tmp_path: Path) -> None:
    with held(tmp_path / "a"):
        with held(tmp_path / "a"):
            pass
        assert lock_file(tmp_path / "a").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_whose_file_goes_while_it_is_taken_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As its last owner removes it between another one's opening and locking it."""
    lockf, calls = fcntl.lockf, list[int]()

    def removed_once(stream: TextIOWrapper, flags: int) -> None:
        if not calls:
            lock_file(tmp_path / "a").unlink()
        calls.append(flags)
        lockf(stream, flags)

    monkeypatch.setattr(fcntl, "lockf", removed_once)
    with held(tmp_path / "a"):
        assert len(calls) == 2 and str(os.getpid()) in lock_file(tmp_path / "a").read_text()


def test_an_error_lets_go(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), held(tmp_path / "a"):
        raise KeyboardInterrupt
    with held(tmp_path / "a"):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EIO])
def test_a_disk_without_locks_is_told(tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "lockf", refuse)
    if number == errno.EIO:
        with pytest.raises(OSError, match="Input/output"):
            held(tmp_path / "a").__enter__()
    else:
        with pytest.warns(RuntimeWarning, match="one command at a time"), held(tmp_path / "a"):
            pass
    assert lock._OWN[os.getpid(), tmp_path / "a"] == 0
