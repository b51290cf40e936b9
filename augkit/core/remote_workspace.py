"""A workspace at a URL (``s3://bucket/ws``): shards are read and written there, all else on a mirror of this machine.

Every command works on files, as in a folder: a folder or file of the workspace is fetched when it is first asked for,
into ``$XDG_CACHE_HOME/augkit``, and put back at the end, whenever a lock is released, and once a minute in between.
Shards, which are many and large, never pass through the mirror: each is one put, and readers take ranges of it. The
alternative, every reader and writer on a URL, would have to do without what knows files alone (safetensors by memory
map, locks, TensorBoard), for no fewer bytes moved: who trains reads every pair many times.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from augkit.core.errors import AugkitError
from augkit.core.launcher import is_main_process
from augkit.core.lease import leased
from augkit.core.lock import BEYOND, lock_file
from augkit.core.mirror import Mirror
from augkit.core.object_store import FsspecStorage
from augkit.core.storage import folder_of
from augkit.core.user_cache import cache_folder
from augkit.core.workspace import SHARDS, Workspace

BETWEEN = 60.0
"""Seconds between two times that a command at work puts back what it has changed."""

_OPEN: dict[str, RemoteWorkspace] = {}
_URLS: dict[str, str] = {}
_depth = 0


@dataclass(frozen=True)
class RemoteWorkspace(Workspace):
    """See the module; ``root`` is the mirror's. In another process it is opened anew, for reading."""

    url: str
    mirror: Mirror = field(compare=False, repr=False)

    def __reduce__(self) -> tuple[Callable[[str], Workspace], tuple[str]]:
        return _for_reading, (self.url,)

    @property
    def name(self) -> str:
        """See ``Workspace``."""
        return self.url.rpartition("/")[2]

    def bring(self, path: Path) -> Path:
        """See ``Workspace``."""
        if path.is_relative_to(self.root):
            self.mirror.open(path.relative_to(self.root).as_posix())
        return path

    def location(self, name: str) -> str:
        """See ``Workspace``."""
        return f"{self.url}/{name}"

    def anywhere(self, path: Path) -> Path:
        """See ``Workspace``."""
        return path.relative_to(self.root) if path.is_relative_to(self.root) else path.resolve()

    def resolved(self) -> Workspace:
        """See ``Workspace``."""
        return self

    def lock(self, thing: Path, patience: float) -> AbstractContextManager[None]:
        """The lock of a thing below ``root``, for all machines: what is here then is as the owner before left it, and
        is put back before the next one comes."""
        return self._locked(thing.relative_to(self.root).as_posix(), lock_file(thing), patience)

    @contextmanager
    def _locked(self, name: str, file: Path, patience: float) -> Iterator[None]:
        with leased(self.mirror.store, file.relative_to(self.root).as_posix(), patience, self._now_and_then()):
            if name != SHARDS and not name.startswith("."):  # what is staged is nobody else's
                self.mirror.open(name, again=True)
            try:
                yield
            finally:
                self.mirror.put_back()

    def _now_and_then(self) -> Callable[[], None]:
        last = time.monotonic()

        def put_back() -> None:
            nonlocal last
            if time.monotonic() - last > BETWEEN:
                self.mirror.put_back(removing=False)  # in the middle of a replacement, say
                last = time.monotonic()

        return put_back


def workspace_at(location: str | Path) -> Workspace:
    """The workspace at a folder or a URL. Raises ShardError where there is no bucket, or no way to it."""
    folder = folder_of(location)
    return _opened(str(location), puts=is_main_process()) if folder is None else Workspace(folder)


@contextmanager
def remote_workspaces() -> Iterator[None]:
    """A command: workspaces at URLs that are opened in it are put back at its end, also where it fails, and seen anew
    by the next one. What is inside another one is part of it."""
    global _depth  # noqa: PLW0603
    _depth += 1
    try:
        yield
    except BaseException:
        if _depth == 1:
            _put_back_in_vain()
        raise
    else:
        if _depth == 1:
            for workspace in list(_OPEN.values()):
                workspace.mirror.put_back()
    finally:
        _depth -= 1
        if _depth == 0:
            for workspace in _OPEN.values():
                BEYOND.pop(workspace.root, None)
            _OPEN.clear()


def by_url(text: str) -> str:
    """The text with URLs in the place of what mirrors them."""
    for mirrored, url in _URLS.items():
        text = text.replace(mirrored, url)
    return text


def _put_back_in_vain() -> None:
    """The error that ended the command counts more than one of the store."""
    for workspace in list(_OPEN.values()):
        try:
            workspace.mirror.put_back()
        except AugkitError:
            continue


def _for_reading(url: str) -> Workspace:
    return _opened(url, puts=False, trains=False, answered=True)


def _opened(url: str, puts: bool, trains: bool = True, answered: bool = False) -> RemoteWorkspace:
    url = url.rstrip("/")
    if url not in _OPEN:
        mirror = Mirror(FsspecStorage(url, answered), _home(url), puts, trains)
        mirror.store.exists("catalogue.parquet")  # a wrong address is told before anything begins
        mirror.tree.mkdir(parents=True, exist_ok=True)
        _OPEN[url] = workspace = RemoteWorkspace(mirror.tree, url, mirror)
        BEYOND[workspace.root], _URLS[str(workspace.root)] = workspace.lock, url
    return _OPEN[url]


def _home(url: str) -> Path:
    """Where the files of a workspace are kept on this machine; of two endpoints' buckets of one name, apart."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    return cache_folder() / hashlib.sha256(f"{endpoint} {url}".encode()).hexdigest()[:16]
