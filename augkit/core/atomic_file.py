"""The one way in which files are written: whole or not at all, and still there after a power cut.

What is written goes to a temporary file beside the final one, is synced, and takes its place by a rename. A reader
sees the old bytes or the new ones, never a part; an error or an interrupt leaves the old ones and no temporary file.
Each writer has a temporary name of its own: of two that write one file at once the later one wins, and neither mixes
with the other. Only a process that is killed leaves its temporary file behind; the next one that has the lock of what
is written removes it (see ``lock``).
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SUFFIX = ".tmp"
_KEPT = 40
"""Characters of a file's own name that its temporary one repeats: file systems allow 255 bytes in all."""


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """An OSError of the block that names no file names this one: writing to an open file does not say which."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path for the block to write a file at, with any writer; at the end the file takes ``path``'s place.

    Folders on the way are made. A writer that tells the format by the name has to be told it: the name ends in
    ``.tmp``. Raises OSError.
    """
    make_folder(path.parent)
    temporary = path.with_name(temporary_name(path.name))
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise
    sync_folder(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file of these bytes. Raises OSError."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_unseen(path: Path, data: bytes) -> None:
    """Writes a file in a folder that nobody reads yet, and whose writer calls ``sync_files`` later. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path):
        path.write_bytes(data)


def sync_files(paths: Collection[Path]) -> None:
    """These files and their names are on disk afterwards; many at once take less time than one after the other."""
    for path in paths:
        _sync(path)
    for folder in {path.parent for path in paths}:
        sync_folder(folder)


def write_text(path: Path, text: str) -> None:
    """Writes a file of this text, in UTF-8. Raises OSError."""
    write_bytes(path, text.encode())


def write_json(path: Path, tree: Any) -> None:
    """Writes plain data as JSON. Raises OSError, and TypeError or ValueError for what JSON has no form for."""
    write_text(path, json.dumps(tree, indent=1) + "\n")


def move(source: Path, target: Path) -> None:
    """Renames a file or a folder within one file system, for good; a file or an empty folder there is replaced."""
    source.replace(target)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)


def move_files(names: Iterable[str], source: Path, target: Path) -> None:
    """Renames files from one folder into another; each by itself, and all of them for good at the end."""
    make_folder(target)
    for name in names:
        (source / name).replace(target / name)
    sync_folder(target)
    sync_folder(source)


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it where they are missing, for good."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """The names in a folder are on disk afterwards."""
    _sync(folder)


def temporary_name(name: str) -> str:
    """A name for what will be called ``name``, that no other writer uses."""
    return f"{temporary_start(name)}{secrets.token_hex(8)}{_SUFFIX}"


def temporary_start(name: str) -> str:
    """What all temporary names of ``name`` start with."""
    return f".{name[:_KEPT]}."


def is_temporary(name: str) -> bool:
    """Whether a writer that was killed may have left a file of this name."""
    return name.endswith(_SUFFIX)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
