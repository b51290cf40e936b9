"""Ranges of tars, for whoever reads pairs at random: through descriptors that stay open, or many requests at once."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

from augkit.core.disk_faults import is_refusal, meaning_of
from augkit.core.errors import ShardError
from augkit.core.storage import LocalStorage, Storage, read_range

REMEDY = "run `augkit verify`, delete the shards it names and run `augkit balance` again: it makes what is missing"
OPEN_FILES = 256  # well below the usual limit of 1024 a process; beyond that a pair costs one opening (4 us) more
REQUESTS = 16  # at a time: a store answers after milliseconds, however little is asked for

_Place = TypeVar("_Place")
_Made = TypeVar("_Made")


class Ranges(Protocol):
    """Bytes of some tars, which are numbered."""

    def read(self, tar: int, offset: int, length: int) -> bytes:
        """The bytes of a range, fewer where the tar ends before. Raises ShardError."""

    def each(self, made: Callable[[_Place], _Made], places: Sequence[_Place]) -> Iterable[_Made]:
        """What ``made``, which reads, makes of each place, in their order."""


def ranges_of(storage: Storage, files: Sequence[str]) -> Ranges:
    """Those of the files of a storage, numbered in their order."""
    return _LocalRanges(storage, files) if isinstance(storage, LocalStorage) else _StorageRanges(storage, files)


class _StorageRanges:
    def __init__(self, storage: Storage, files: Sequence[str]) -> None:
        self._storage, self._files = storage, files

    def read(self, tar: int, offset: int, length: int) -> bytes:
        return self._storage.read(self._files[tar], offset, length)

    def each(self, made: Callable[[_Place], _Made], places: Sequence[_Place]) -> Iterable[_Made]:
        # Threads of this call alone: a forked process would inherit a pool without its threads.
        with ThreadPoolExecutor(min(REQUESTS, len(places) or 1)) as pool:
            return list(pool.map(made, places))


class _LocalRanges:
    """Ranges of local tars through descriptors that stay open, the last ``OPEN_FILES`` of them.

    ``pread`` does not move a shared position, so threads and forked workers may use the same descriptor.
    """

    def __init__(self, storage: LocalStorage, files: Sequence[str]) -> None:
        self._storage, self._files = storage, files
        self._open: dict[int, _Descriptor] = {}

    def read(self, tar: int, offset: int, length: int) -> bytes:
        file = self._open.get(tar) or self._opened(tar)
        return read_range(file.number, offset, length)

    def each(self, made: Callable[[_Place], _Made], places: Sequence[_Place]) -> Iterable[_Made]:
        return map(made, places)

    def _opened(self, tar: int) -> _Descriptor:
        while len(self._open) >= OPEN_FILES:
            self._open.pop(next(iter(self._open)), None)
        path = self._storage.path(self._files[tar])
        try:
            opened = _Descriptor(path)
        except OSError as error:
            if error.errno != errno.EMFILE or not self._open:
                found = f"{path} cannot be read: {error}"
                usual = "a shard of the manifest", REMEDY
                raise ShardError(found, *(meaning_of(error) if is_refusal(error) else usual)) from error
            self._open.clear()  # the process has few files left: it lives with one
            return self._opened(tar)
        return self._open.setdefault(tar, opened)


class _Descriptor:
    # Closed with its last user: a thread that is still reading keeps a file open that another one dropped.
    __slots__ = ("number",)

    def __init__(self, path: Path) -> None:
        self.number = -1
        self.number = os.open(path, os.O_RDONLY)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:  # modules may be gone when Python ends
        if self.number >= 0:
            close(self.number)
