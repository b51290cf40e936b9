"""Files from outside: regular ones alone are opened, and each kind up to a size.

A pipe or a device under the name of a photo would be waited for, or read, for ever.
"""

from __future__ import annotations

import os
import stat
from io import BufferedReader
from pathlib import Path

SETTINGS = 2**20
"""Bytes of a file that people write: settings, presets, descriptions."""
LABELS = 2**26
"""Of one photo's labels, of a table, and of what a verb keeps as JSON."""
PICTURE = 2**28
"""Of a photo or mask: the largest that is read is not longer even uncompressed."""
ANNOTATIONS = 2**30
"""Of all annotations of a data set in one file, and of a plan."""
WEIGHTS = 2**34
"""Of a network, or of a table that is read piece by piece."""

_KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}  # fmt: skip


class IrregularFileError(OSError):
    """Something that is no regular file, or one larger than its kind may be."""


def open_regular(path: str | Path, limit: int) -> BufferedReader:
    """The file, opened for reading. Raises OSError; IrregularFileError for what is no file, or over ``limit`` bytes."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)  # a pipe is not waited for
    try:
        found = os.fstat(descriptor)
        _require(Path(path).name, found.st_mode, found.st_size, limit)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: str | Path, limit: int) -> bytes:
    """The file's bytes. Raises as ``open_regular``."""
    with open_regular(path, limit) as file:
        return file.read()


def read_plain(path: str | Path, limit: int) -> str:
    """The file's text, UTF-8 with or without a mark in front. Raises as ``open_regular``, and ValueError for what is no
    text."""
    return read_regular(path, limit).decode("utf-8-sig")


def size_of_regular(path: str | Path, limit: int) -> int:
    """Bytes of a file that another library opens by its path. Raises as ``open_regular``."""
    found = os.stat(path)  # noqa: PTH116 (takes any text)
    _require(Path(path).name, found.st_mode, found.st_size, limit)
    return found.st_size


def _require(name: str, mode: int, size: int, limit: int) -> None:
    if not stat.S_ISREG(mode):
        raise IrregularFileError(f"{name} is {_KINDS.get(stat.S_IFMT(mode), 'something else')}, no regular file")
    if size > limit:
        raise IrregularFileError(f"{name} has {size} bytes; {limit} are the most of its kind")
