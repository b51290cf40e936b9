"""A URL that fsspec opens, e.g. ``s3://bucket/ws``: an object store, where one put makes a whole object.

Listings are never kept. What may pass (a timeout, a server that is busy) is tried again with growing pauses: for
seconds until the store has answered once, so that a wrong address is told soon, and for a minute from then on, also in
the processes that a copy is sent to. What will not pass (no bucket, no leave) is told at once.
"""

from __future__ import annotations

import errno
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from augkit.core.atomic_file import is_temporary, temporary_name
from augkit.core.errors import DataError, ShardError, StoreError
from augkit.core.inside import require_inside

_Result = TypeVar("_Result")

# Stores in which an upload appears whole under its name or not at all, and a rename is a slow copy.
_WHOLE_UPLOADS = frozenset({"memory", "s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss", "r2"})
_S3 = frozenset({"s3", "s3a"})

FIRST_PATIENCE, PATIENCE = 5.0, 60.0
"""Seconds for which a store is asked again that has not answered yet, and one that has."""
_CONNECT, _READ, _CONNECTIONS = 2.5, 60.0, 32

_AGAIN = "then run the same command again: it goes on where it was"
_NO_PLACE = "a bucket that exists", "create it, or correct the URL (and the endpoint: AWS_ENDPOINT_URL for S3)"
_NO_LEAVE = (
    "credentials that may list, read and write there",
    "check them (for S3: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the role of the machine), "
    + _AGAIN,
)
_NO_ANSWER = (
    "a store that answers",
    f"check the network and the endpoint (AWS_ENDPOINT_URL for S3), {_AGAIN}",
)
_ODD = "a store that does this", "check the URL, and the settings of its fsspec package"
_LASTING = (
    FileNotFoundError, PermissionError, FileExistsError, IsADirectoryError, NotADirectoryError, ValueError, TypeError,
    NotImplementedError,
)  # fmt: skip
_LASTING_NUMBERS = (errno.EINVAL, errno.EPERM, errno.ENOSYS, getattr(errno, "EREMCHG", errno.ENOENT))


@dataclass(frozen=True)
class StoredFile:
    """A file of a store: its size, when it was put (seconds since 1970; 0 where the store does not say), and a text
    that is another one once the file is another one (of S3: its etag)."""

    name: str
    size: int
    version: str
    modified: float

    @classmethod
    def of(cls, name: str, info: Mapping[str, Any]) -> StoredFile:
        """From what fsspec says of it."""
        said = next((info[key] for key in ("LastModified", "last_modified", "updated", "mtime", "created")
                     if info.get(key)), 0)  # fmt: skip
        said = datetime.fromisoformat(said) if isinstance(said, str) else said
        modified = said.timestamp() if isinstance(said, datetime) else float(said)
        version = next((info[key] for key in ("ETag", "etag", "md5Hash", "generation") if info.get(key)), modified)
        return cls(name, int(info["size"]), f"{version} {info['size']}", modified)


class FsspecStorage:
    """See ``Storage``; picklable, and safe to use from threads and after a fork.

    ``answered`` tells that the store has answered somewhere, and so is there.
    """

    def __init__(self, url: str, answered: bool = False) -> None:
        self.url = url.rstrip("/")
        self._process: int | None = None
        self._opened: tuple[Any, str] | None = None
        self._answered = answered
        self._connect()  # a protocol without its package should fail here, not in a worker

    def __repr__(self) -> str:
        return self.url

    def __getstate__(self) -> dict[str, Any]:
        return {"url": self.url, "_process": None, "_opened": None, "_answered": self._answered}

    def put(self, name: str, data: bytes) -> None:
        """See ``Storage``; object stores take an upload whole, elsewhere a temporary file is renamed."""
        self._do(lambda files, path: _whole(files, path, lambda place: files.pipe_file(place, data)), name, "written")

    def put_file(self, name: str, file: Path) -> StoredFile:
        """Puts the bytes of a file, however large; what became of them."""
        self._do(lambda files, path: _whole(files, path, lambda place: files.put_file(str(file), place)), name, "put")
        return self._do(lambda files, path: StoredFile.of(name, files.info(path)), name, "read")

    def create(self, name: str, data: bytes) -> None:
        """Puts ``data`` where there is nothing of this name; leaves what is there. What is there then tells who won,
        in stores that know no conditional put as well, as far as they are asked a little later."""

        def made(files: Any, path: str) -> None:
            try:
                files.pipe_file(path, data, mode="create")
            except FileExistsError:
                return

        self._do(made, name, "written")

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """See ``Storage``."""
        end = None if length is None else offset + length

        def part(files: Any, path: str) -> bytes:
            try:
                return bytes(files.cat_file(path, start=offset or None, end=end))
            except OSError as error:
                if offset and error.errno == errno.EINVAL and "range" in str(error):
                    return b""  # it ends before
                raise

        return self._do(part, name, "read")

    def fetch(self, name: str, file: Path) -> None:
        """Writes the bytes of ``name``, however many, at a path that nobody reads yet."""
        self._do(lambda files, path: files.get_file(path, str(file)), name, "read")

    def files(self, below: str = "") -> list[StoredFile]:
        """The files below a folder, or the one of this name; by name."""

        def found(files: Any, path: str) -> list[StoredFile]:
            root = path[: len(path) - len(below)].rstrip("/") if below else path
            try:
                listed = files.find(path, detail=True)
            except FileNotFoundError:
                return []
            there = {place[len(root) :].lstrip("/"): info for place, info in listed.items() if not is_temporary(place)}
            return [StoredFile.of(name, there[name]) for name in sorted(there)]

        return self._do(found, below, "listed")

    def names(self) -> list[str]:
        """See ``Storage``."""
        return [file.name for file in self.files()]

    def sizes(self, below: str = "") -> dict[str, int]:
        """See ``Storage``."""
        return {file.name: file.size for file in self.files(below)}

    def exists(self, name: str) -> bool:
        """See ``Storage``."""

        def there(files: Any, path: str) -> bool:
            try:  # isfile says no where the store does not answer, too
                return bool(files.info(path)["type"] == "file")
            except FileNotFoundError:
                return False

        return self._do(there, name, "read")

    def remove(self, name: str) -> None:
        """See ``Storage``."""

        def gone(files: Any, path: str) -> None:
            try:
                files.rm_file(path)
            except FileNotFoundError:
                return

        self._do(gone, name, "removed")

    def _do(self, action: Callable[[Any, str], _Result], name: str, verb: str) -> _Result:
        """The result of the action, as soon as the store gives one."""
        files, root = self._connect()
        path = f"{root}/{_checked(name)}" if name else root
        begun, pause = time.monotonic(), 0.1
        while True:
            try:
                if not self._answered:
                    _require_bucket(files, root)
                result = action(files, path)
            except Exception as error:  # the packages behind fsspec have errors of their own, of no common kind
                patience = PATIENCE if self._answered else FIRST_PATIENCE
                if is_lasting(error) or time.monotonic() - begun + pause > patience:
                    self._answered = self._answered and is_lasting(error)  # what else is tried ends sooner
                    found = f"{self.url}/{name}".rstrip("/")
                    kind = ShardError if is_lasting(error) else StoreError
                    raise kind(f"{found} cannot be {verb}: {_text(error)}", *meaning(error)) from error
            else:
                self._answered = True
                return result
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, 8.0)

    def _connect(self) -> tuple[Any, str]:
        # fsspec's file systems hold threads and sockets, which do not live on in a forked process.
        if self._opened is None or self._process != os.getpid():
            import fsspec

            protocol = self.url.partition("://")[0]
            try:
                files, root = fsspec.core.url_to_fs(self.url, use_listings_cache=False, **_options(protocol))
            except (ImportError, ValueError, OSError) as error:
                remedy = f"install the package that fsspec needs for this protocol{_package(protocol)}, or use a folder"
                raise ShardError(f"{self.url}: {error}", "a URL that fsspec can open", remedy) from error
            if protocol in _S3:
                files.retries = 1  # they are ours
            self._opened, self._process = (files, root.rstrip("/")), os.getpid()
        return self._opened


def is_lasting(error: Exception) -> bool:
    """Whether asking again would bring the same."""
    numbered = isinstance(error, OSError) and error.errno in _LASTING_NUMBERS
    return numbered or isinstance(error, _LASTING) or "Credential" in type(error).__name__


def meaning(error: Exception) -> tuple[str, str]:
    """What was expected of the store where this was raised, and the remedy."""
    if isinstance(error, PermissionError) or "Credential" in type(error).__name__:
        return _NO_LEAVE
    if isinstance(error, FileNotFoundError):
        return _NO_PLACE if "bucket" in str(error).lower() else ("a file that is there", "see what should have put it")
    return _ODD if is_lasting(error) else _NO_ANSWER


def _require_bucket(files: Any, root: str) -> None:
    """Raises FileNotFoundError where the bucket is missing: to fsspec it is an empty one."""
    bucket, _, below = root.partition("/")
    kinds = _protocols(files)
    try:
        if kinds & _S3:
            from fsspec.asyn import sync

            asked = {"Bucket": bucket, "Prefix": below, "MaxKeys": 1}
            sync(files.loop, files._call_s3, "list_objects_v2", **asked, timeout=FIRST_PATIENCE)
        elif kinds & _WHOLE_UPLOADS and "memory" not in kinds:
            files.info(bucket)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"no bucket {bucket} ({_text(error)})") from error


def _whole(files: Any, path: str, write: Callable[[str], object]) -> None:
    """Writes at the path, or beside it where a half-written file could be seen."""
    if not _WHOLE_UPLOADS.isdisjoint(_protocols(files)):
        write(path)
        return
    folder, _, last = path.rpartition("/")
    files.makedirs(folder, exist_ok=True)
    temporary = f"{folder}/{temporary_name(last)}"
    write(temporary)
    files.mv(temporary, path)


def _options(protocol: str) -> dict[str, Any]:
    """What S3's client is told, unless the user's fsspec settings tell it: to ask once, and to wait for seconds."""
    if protocol not in _S3:
        return {}
    from fsspec.config import conf

    own = {"connect_timeout": _CONNECT, "read_timeout": _READ, "max_pool_connections": _CONNECTIONS,
           "retries": {"total_max_attempts": 1}}  # fmt: skip
    return {"config_kwargs": own | conf.get(protocol, {}).get("config_kwargs", {})}


def _package(protocol: str) -> str:
    return " (pip install 'augkit[s3]')" if protocol in _S3 else ""


def _protocols(files: Any) -> set[str]:
    return {files.protocol} if isinstance(files.protocol, str) else set(files.protocol)


def _text(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _checked(name: str) -> str:
    """A name that leaves its folder is a fault of the shards."""
    try:
        return require_inside(name)
    except DataError as error:
        raise ShardError(error.found, error.expected, "make the shards again") from error
