"""Locks: one for each thing that is written, named after its owner, and gone with the owner's process.

``models/mask/.all.lock`` keeps others from writing ``models/mask/all``. A process that dies lets go of its locks,
however it dies, since the system keeps them, not the file. They hold between the hosts of a network disk as well where
that passes locks on (NFS does, with its lock service); where a disk has none, a warning says so and the work goes on.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from augkit.core.atomic_file import is_temporary, make_folder, temporary_start
from augkit.core.owner import busy, owner_here

FORGOTTEN = 60.0
"""Seconds after which nobody writes at a temporary file any more, where no lock tells."""

Beyond = Callable[[Path, float], AbstractContextManager[None]]
"""Takes a lock that other machines see, of a thing and with some seconds of patience; raises BusyError."""

BEYOND: dict[Path, Beyond] = {}
"""By folder: what takes the locks of what is below it, beside the system's; of folders that mirror a store."""

_WAIT = 0.1
_TAKEN = (errno.EACCES, errno.EAGAIN)
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)
_OWN: dict[tuple[int, Path], int] = {}
_READ: dict[tuple[int, Path], int] = {}
_GUARD = threading.Lock()


@contextmanager
def held(thing: Path, *, patience: float = 0.0, around: Sequence[Path] = ()) -> Iterator[None]:
    """This process alone writes the file or folder ``thing`` for as long as this lasts.

    What killed writers left of it is removed first, and what they left in the folders ``around`` long ago. A process
    that has the lock may take it again. Raises BusyError where another one has it still after ``patience`` seconds.
    """
    own = os.getpid(), thing.absolute()
    with _GUARD:
        _OWN[own] = _OWN.get(own, 0) + 1
        first = _OWN[own] == 1
    try:
        if not first:
            yield
            return
        with _locked(thing, time.monotonic() + patience), _beyond(thing, patience):
            sweep(thing, around)
            try:
                yield
            finally:
                sweep(thing)  # of workers that were ended with us
    finally:
        with _GUARD:
            _OWN[own] -= 1


@contextmanager
def unchanging(thing: Path) -> Iterator[None]:
    """No other process writes the folder ``thing`` for as long as this lasts; any number may read it.

    Asks the system's lock alone: what reads a store is not noticed by machines that write it. Raises BusyError where
    another process writes it. Where there is no such folder, or none can write, nobody is kept away.
    """
    own = os.getpid(), thing.absolute()
    with _GUARD:
        first = own not in _READ and not _OWN.get(own)
        _READ[own] = _READ.get(own, 0) + 1
    try:
        with _shared(thing) if first and thing.is_dir() else nullcontext():
            yield
    finally:
        with _GUARD:
            _READ[own] -= 1
            if not _READ[own]:
                del _READ[own]


def lock_file(thing: Path) -> Path:
    """Where the lock of a thing is."""
    return thing.with_name(f".{thing.name.lstrip('.')}.lock")


def is_lock(name: str) -> bool:
    """Whether this is the name of such a file, in whatever folder."""
    own = name.rpartition("/")[2]
    return own.startswith(".") and own.endswith(".lock")


def sweep(thing: Path, around: Sequence[Path] = ()) -> None:
    """Removes what writers left that were killed; only for who has the lock of ``thing``."""
    inside = [path for path in thing.rglob(".*") if is_temporary(path.name)] if thing.is_dir() else []
    start = temporary_start(thing.name)
    beside = [path for path in _entries(thing.parent) if is_temporary(path.name) and path.name.startswith(start)]
    left = [path for folder in around for path in _entries(folder) if is_temporary(path.name) and _is_old(path)]
    for path in (*inside, *beside, *left):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def _locked(thing: Path, deadline: float) -> Iterator[None]:
    new = [folder for folder in (thing.parent, *thing.parent.parents) if not folder.exists()]
    stream = _opened(thing, deadline)
    try:
        _write(stream, owner_here())
        yield
    finally:
        lock_file(thing).unlink(missing_ok=True)  # while it is ours: who waits for it sees that it is another one
        stream.close()
        with suppress(OSError):  # something was written
            for folder in new:
                folder.rmdir()


@contextmanager
def _shared(thing: Path) -> Iterator[None]:
    import fcntl

    try:
        stream = _opened(thing, time.monotonic(), fcntl.LOCK_SH)
    except OSError as error:
        if error.errno not in _READ_ONLY:
            raise
        yield
        return
    try:
        _write(stream, {**owner_here(), "does": "reading"})
        yield
    finally:
        _write(stream, {"does": "reading"})  # another one may read on, and is not us
        with suppress(OSError):
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock_file(thing).unlink(missing_ok=True)
        stream.close()


def _beyond(thing: Path, patience: float) -> AbstractContextManager[None]:
    own = thing.absolute()
    found = (take for folder, take in BEYOND.items() if own.is_relative_to(folder))
    return next((take(own, patience) for take in found), nullcontext())


def _opened(thing: Path, deadline: float, kind: int | None = None) -> TextIOWrapper:
    """The lock's file, locked; for this process alone unless another kind of lock is asked for."""
    import fcntl

    kind = fcntl.LOCK_EX if kind is None else kind
    while True:
        make_folder(thing.parent)
        try:
            stream = lock_file(thing).open("a+")
        except FileNotFoundError:  # the folder's last user took it along
            continue
        try:
            # Not flock: forked children would keep that when their parent is killed, and network disks may not know it.
            fcntl.lockf(stream, kind | fcntl.LOCK_NB)
            if _is_same_file(lock_file(thing), stream.fileno()):
                return stream
            stream.close()  # its last owner removed it between our opening and our locking it
        except OSError as error:
            if error.errno in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
                warnings.warn(
                    f"{thing}: {error.strerror}; run one command at a time here", RuntimeWarning, stacklevel=2
                )
                return stream
            owner = _owner_of(stream)
            stream.close()
            if error.errno not in _TAKEN:
                raise
            if time.monotonic() >= deadline:
                raise busy(thing, owner) from error
            time.sleep(_WAIT)


def _write(stream: TextIOWrapper, owner: Mapping[str, Any]) -> None:
    stream.truncate(0)
    stream.write(json.dumps(owner))
    stream.flush()


def _owner_of(stream: TextIOWrapper) -> dict[str, Any]:
    """What its file says of it."""
    stream.seek(0)
    try:
        owner = json.loads(stream.read())
    except ValueError:  # it has the lock, and is about to write its name
        return {}
    return owner if isinstance(owner, dict) else {}


def _is_same_file(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.lstat().st_mtime > FORGOTTEN
    except FileNotFoundError:
        return False
