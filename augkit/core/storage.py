"""Where shards live: named bytes that are put whole, read in ranges and listed. A folder, or any URL fsspec knows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from augkit.core.atomic_file import is_temporary, sync_folder, temporary_name, write_bytes
from augkit.core.disk_faults import meaning_of
from augkit.core.errors import DataError, ShardError
from augkit.core.inside import inside, require_inside

_Result = TypeVar("_Result")

# Stores in which an upload appears whole under its name or not at all, and a rename is a slow copy.
_WHOLE_UPLOADS = frozenset({"memory", "s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss", "r2"})


class Storage(Protocol):
    """Bytes by name. Names are relative, with ``/`` between folders. What fails raises ShardError."""

    def put(self, name: str, data: bytes) -> None:
        """Makes ``name`` hold ``data``; whoever reads meanwhile sees the old bytes or the new ones, never a part."""

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """``length`` bytes from ``offset`` (to the end where None); fewer where ``name`` ends before that."""

    def names(self) -> list[str]:
        """Every name there is, sorted; none where nothing was put yet."""

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


class FsspecStorage:
    """A URL that fsspec understands, e.g. ``s3://bucket/shards``; picklable, and safe to use after a fork."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._process: int | None = None
        self._opened: tuple[Any, str] | None = None
        self._connect()  # a protocol without its package should fail here, not in a worker

    def __repr__(self) -> str:
        return self.url

    def __getstate__(self) -> dict[str, Any]:
        return {"url": self.url, "_process": None, "_opened": None}

    def put(self, name: str, data: bytes) -> None:
        """See ``Storage``; object stores take an upload whole, elsewhere a temporary file is renamed."""

        def whole(files: Any, path: str) -> None:
            if _WHOLE_UPLOADS.isdisjoint(_protocols(files)):
                folder, _, last = path.rpartition("/")
                files.makedirs(folder, exist_ok=True)
                temporary = f"{folder}/{temporary_name(last)}"
                files.pipe_file(temporary, data)
                files.mv(temporary, path)
            else:
                files.pipe_file(path, data)

        self._do(whole, name, "written")

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """See ``Storage``."""
        end = None if length is None else offset + length
        return bytes(self._do(lambda files, path: files.cat_file(path, start=offset, end=end), name, "read"))

    def names(self) -> list[str]:
        """See ``Storage``."""

        def listed(files: Any, path: str) -> list[str]:
            found: list[str] = files.find(path) if files.exists(path) else []
            return sorted(file[len(path) :].lstrip("/") for file in found if not is_temporary(file))

        return self._do(listed, "", "listed")

    def exists(self, name: str) -> bool:
        """See ``Storage``."""
        return bool(self._do(lambda files, path: files.isfile(path), name, "read"))

    def remove(self, name: str) -> None:
        """See ``Storage``."""
        self._do(lambda files, path: files.rm_file(path) if files.exists(path) else None, name, "removed")

    def _do(self, action: Callable[[Any, str], _Result], name: str, verb: str) -> _Result:
        files, root = self._connect()
        path = f"{root}/{_checked(name)}" if name else root
        with _explained(f"{self.url}/{name} cannot be {verb}"):
            return action(files, path)

    def _connect(self) -> tuple[Any, str]:
        # fsspec's file systems hold threads and sockets, which do not live on in a forked process.
        if self._opened is None or self._process != os.getpid():
            import fsspec

            try:
                files, root = fsspec.core.url_to_fs(self.url)
            except (ImportError, ValueError, OSError) as error:
                remedy = "install the package that fsspec needs for this protocol, or use a local folder"
                raise ShardError(f"{self.url}: {error}", "a URL that fsspec can open", remedy) from error
            self._opened, self._process = (files, root.rstrip("/")), os.getpid()
        return self._opened


def open_storage(location: str | Path) -> Storage:
    """The storage at a folder or a URL (``s3://bucket/shards``; ``file://`` is the folder). Raises ShardError."""
    text = str(location)
    if isinstance(location, str) and "://" in text:
        protocol, _, rest = text.partition("://")
        return LocalStorage(Path(rest)) if protocol in ("file", "local") else FsspecStorage(text)
    return LocalStorage(Path(location))


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


def _checked(name: str) -> str:
    with _of_shards():
        return require_inside(name)


def _protocols(files: Any) -> set[str]:
    return {files.protocol} if isinstance(files.protocol, str) else set(files.protocol)


def _files(root: Path) -> Iterator[Path]:
    if not root.exists():
        return
    for entry in root.iterdir():
        if entry.is_dir():
            yield from _files(entry)
        elif not is_temporary(entry.name):
            yield entry
