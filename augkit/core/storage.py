"""Where shards live: named bytes that are put whole, read in ranges and listed. A folder, or any URL fsspec knows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from augkit.core.atomic_file import is_temporary, sync_folder, write_bytes
from augkit.core.disk_faults import meaning_of
from augkit.core.errors import DataError, ShardError
from augkit.core.inside import inside
from augkit.core.object_store import FsspecStorage


class Storage(Protocol):
    """Bytes by name. Names are relative, with ``/`` between folders. What fails raises ShardError."""

    def put(self, name: str, data: bytes) -> None:
        """Makes ``name`` hold ``data``; whoever reads meanwhile sees the old bytes or the new ones, never a part."""

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """``length`` bytes from ``offset`` (to the end where None); fewer where ``name`` ends before that."""

    def names(self) -> list[str]:
        """Every name there is, sorted; none where nothing was put yet."""

    def sizes(self, below: str = "") -> dict[str, int]:
        """Bytes of every file below a folder by name, from one listing."""

    def exists(self, name: str) -> bool:
        """Whether ``name`` was put."""

    def remove(self, name: str) -> None:
        """Takes ``name`` away; does nothing where there is none."""


class LocalStorage:
    """A folder. Ranges are read by ``pread``; what is put survives a power cut (file and folder are synced)."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def __repr__(self) -> str:
        return str(self.root)

    def path(self, name: str) -> Path:
        """Where ``name`` is, or would be. Raises ShardError for a name that leaves the folder."""
        with _of_shards():
            return inside(self.root, name)

    def put(self, name: str, data: bytes) -> None:
        """See ``Storage``."""
        path = self.path(name)
        with _explained(f"{path} cannot be written"):
            write_bytes(path, data)

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """See ``Storage``."""
        path = self.path(name)
        with _explained(f"{path} cannot be read"):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                wanted = max(0, os.fstat(descriptor).st_size - offset) if length is None else length
                return read_range(descriptor, offset, wanted)
            finally:
                os.close(descriptor)

    def names(self) -> list[str]:
        """See ``Storage``."""
        with _explained(f"{self.root} cannot be listed"):
            return sorted(path.relative_to(self.root).as_posix() for path in _files(self.root))

    def sizes(self, below: str = "") -> dict[str, int]:
        """See ``Storage``."""
        folder = self.path(below) if below else self.root
        found: dict[str, int] = {}
        with _explained(f"{folder} cannot be listed"):
            for path in _files(folder):
                with suppress(FileNotFoundError):  # it has gone since
                    found[path.relative_to(self.root).as_posix()] = path.stat().st_size
        return found

    def exists(self, name: str) -> bool:
        """See ``Storage``."""
        with _explained(f"{self.root} cannot be read"):
            return self.path(name).is_file()

    def remove(self, name: str) -> None:
        """See ``Storage``."""
        path = self.path(name)
        with _explained(f"{path} cannot be removed"):
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent)


def open_storage(location: str | Path, answered: bool = False) -> Storage:
    """The storage at a folder or a URL (``s3://bucket/shards``; ``file://`` is the folder). ``answered`` tells that a
    URL has answered in another process. Raises ShardError."""
    folder = folder_of(location)
    return FsspecStorage(str(location), answered) if folder is None else LocalStorage(folder)


def folder_of(location: str | Path) -> Path | None:
    """The folder that is meant, which ``file://`` may say; None for a URL of any other kind."""
    if isinstance(location, Path) or "://" not in location:
        return Path(location)
    protocol, _, rest = location.partition("://")
    return Path(rest) if protocol in ("file", "local") else None


def read_range(descriptor: int, offset: int, length: int) -> bytes:
    """``length`` bytes of an open file from ``offset``, fewer at its end; leaves the file's position alone."""
    data = os.pread(descriptor, length, offset)
    if len(data) == length or not data:
        return data
    # The kernel gives at most 2 GiB at once, and less when a signal comes: ask for the rest.
    return data + read_range(descriptor, offset + len(data), length - len(data))


@contextmanager
def _explained(found: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        expected, remedy = meaning_of(error)
        raise ShardError(f"{found}: {error}", expected, remedy) from error


@contextmanager
def _of_shards() -> Iterator[None]:
    """A name that leaves its folder is a fault of the shards."""
    try:
        yield
    except DataError as error:
        raise ShardError(error.found, error.expected, "make the shards again") from error


def _files(root: Path) -> Iterator[Path]:
    if not root.exists():
        return
    for entry in root.iterdir():
        if entry.is_dir():
            yield from _files(entry)
        elif not is_temporary(entry.name):
            yield entry
