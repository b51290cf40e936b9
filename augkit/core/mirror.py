"""Files of a store on this machine: fetched when they are asked for, and put back when they have changed here.

What was fetched is remembered with the store's own word for its content (S3's etag), so that a file comes again only
when it is another one. Whatever changes here is put as a whole, the files that say that others are complete after
these. What a command changed that was killed is put by the next one, unless the store has got another version since:
then that one counts. A file that is gone here is removed there only by the command that took it away.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias, TypeVar

from augkit.core.atomic_file import is_temporary, replacing, write_json
from augkit.core.inside import inside
from augkit.core.lock import held, is_lock
from augkit.core.object_store import FsspecStorage, StoredFile

_Thing = TypeVar("_Thing")

AT_ONCE = 16
"""Files on their way at one time."""
_COMPLETING = {".json", ".parquet", ".yaml"}
"""They say that other files are complete, so they are put one by one, after these, in the order of their writing."""
_UNREAD = ("checkpoint.safetensors",), ("samples", "tensorboard")
"""Files and folders that only who trains a model reads."""
_PATIENCE = 600.0

State: TypeAlias = tuple[str, int, int]
"""Version in the store; size and time of change (ns) here."""


class Mirror:
    """The files of a store below ``home / "tree"``; several processes may share it. One that does not ``put`` puts
    nothing back; one that does not ``train`` leaves out what only training reads."""

    def __init__(self, store: FsspecStorage, home: Path, puts: bool = True, trains: bool = True) -> None:
        self.store, self.tree, self.puts, self.trains = store, home / "tree", puts, trains
        self._record = home / "fetched.json"
        self._opened: set[str] = set()
        self._seen: set[str] = set()
        self._guard = threading.RLock()

    def open(self, name: str, again: bool = False) -> None:
        """The file or folder of this name is here, as it is in the store; listed once, unless ``again``.

        Raises ShardError where the store does not answer.
        """
        if not again and self._is_open(name):
            return
        with self._alone():
            states = self._states()
            there = {file.name: file for file in self.store.files(name) if self._is_ours(file.name)}
            for gone in [known for known in states if _is_below(known, name) and known not in there]:
                if self._is_ours(gone):
                    self._path(gone).unlink(missing_ok=True)
                    del states[gone]
            lacking = [file for file in there.values() if not self._has(file, states)]
            try:
                _each(lambda file: self._fetch(file, states), lacking)
            finally:
                self._remember(states)
            self._seen |= there.keys()
            self._opened.add(name)

    def put_back(self, removing: bool = True) -> None:
        """What has changed here of what is open is in the store afterwards; ``removing``: and what is gone is gone.

        Raises ShardError.
        """
        if not self.puts or not self._opened:
            return
        with self._alone():
            states, here = self._states(), dict(self._here())
            changed = [name for name, status in here.items() if states.get(name, ("",))[1:] != _state_of(status)]
            changed.sort(key=lambda name: here[name].st_mtime_ns)
            last = [name for name in changed if Path(name).suffix in _COMPLETING]
            # Without the record the whole of it was removed by somebody else: the store's files stay.
            gone = sorted(self._seen - here.keys()) if states and removing else []
            try:
                _each(lambda name: self._put(name, states), [name for name in changed if name not in last])
                for name in last:
                    self._put(name, states)
                _each(self.store.remove, gone)
                for name in gone:
                    states.pop(name, None)
            finally:
                self._remember(states)
            self._seen = self._seen - set(gone) | here.keys()

    def _has(self, file: StoredFile, states: dict[str, State]) -> bool:
        return states.get(file.name, ("",))[0] == file.version and self._path(file.name).is_file()

    def _fetch(self, file: StoredFile, states: dict[str, State]) -> None:
        path = self._path(file.name)
        with replacing(path) as temporary:
            self.store.fetch(file.name, temporary)
            os.utime(temporary, (file.modified, file.modified))
        states[file.name] = (file.version, *_state_of(path.stat()))

    def _put(self, name: str, states: dict[str, State]) -> None:
        """Puts a file, and gives it the store's time, which it will have on every machine."""
        with suppress(FileNotFoundError), self._path(name).open("rb") as stream:  # gone since: nobody's any more
            before = os.fstat(stream.fileno())
            file = self.store.put_file(name, self._path(name))
            now = os.fstat(stream.fileno())
            if _state_of(now) == _state_of(before):  # else it is put again the next time
                os.utime(stream.fileno(), (file.modified, file.modified))
                now = os.fstat(stream.fileno())
                states[name] = (file.version, *_state_of(now))

    def _here(self) -> Iterator[tuple[str, os.stat_result]]:
        """Files here of what is open."""
        for path in sorted({file for name in self._opened for file in _files(self.tree / name)}):
            name = path.relative_to(self.tree).as_posix()
            with suppress(FileNotFoundError):
                if not is_temporary(name) and not is_lock(name):
                    yield name, path.stat()

    def _is_open(self, name: str) -> bool:
        return any(_is_below(name, opened) for opened in self._opened)

    def _is_ours(self, name: str) -> bool:
        files, folders = _UNREAD
        *above, own = name.split("/")
        unread = not self.trains and (own in files or not set(folders).isdisjoint(above))
        return not unread and not is_lock(name)

    def _path(self, name: str) -> Path:
        return inside(self.tree, name)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._guard, held(self._record, patience=_PATIENCE):  # of threads, and of processes
            yield

    def _states(self) -> dict[str, State]:
        if not self._record.is_file():
            return {}
        return {name: (state[0], state[1], state[2]) for name, state in json.loads(self._record.read_text()).items()}

    def _remember(self, states: dict[str, State]) -> None:
        write_json(self._record, states)


def _each(action: Callable[[_Thing], None], things: Sequence[_Thing]) -> None:
    """Does it for all, some at a time. Raises the first error, when the others have ended."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(action, things):
            pass


def _state_of(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _is_below(name: str, folder: str) -> bool:
    return name == folder or name.startswith(f"{folder}/")


def _files(path: Path) -> Iterable[Path]:
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
