"""Names that come from data, made paths inside the folder that they belong to, or refused.

Ids, keys, and names of files, classes and models stand in tables and JSON files that anybody may have written. Whoever
makes a path of one does it here: a name that leads out of its folder would let the data name any file of the machine.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import Field

from augkit.core.errors import DataError

PLAIN_NAME = r"[A-Za-z0-9_-]{1,128}"
"""An id: a name that every file system takes, whatever suffix follows."""
Id = Annotated[str, Field(pattern=f"^{PLAIN_NAME}$")]
"""Its type in a table."""

_PLAIN = re.compile(PLAIN_NAME)
_LONGEST = 255  # bytes of a name that file systems allow
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")
_DRIVE = re.compile(r"[A-Za-z]:")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # devices, on some systems


def is_plain(name: object) -> bool:
    """Whether a name is fit to be an id."""
    return isinstance(name, str) and _PLAIN.fullmatch(name) is not None


def require_inside(name: object) -> str:
    """The name itself, a relative path with ``/`` that stays inside whatever folder it is below.

    Raises DataError for one that is absolute, empty, too long, of a drive or device, or has ``..`` or signs in it that
    no file's name should have.
    """
    fault = "no text" if not isinstance(name, str) else _fault(name)
    if fault:
        shown = repr(name) if len(repr(name)) <= 100 else f"{repr(name)[:100]}..."
        raise DataError(
            f"the name {shown}: {fault}", "a relative name inside its folder", "make the file anew that holds this name"
        )
    return str(name)


def inside(folder: Path, name: str) -> Path:
    """Where the name is, or would be, below the folder, which may be a link itself.

    Raises DataError for a name that ``require_inside`` refuses, and for a link on the way that leads out of the folder.
    """
    path = folder / require_inside(name)
    steps = name.split("/")
    if any(os.path.islink(folder / "/".join(steps[:count])) for count in range(1, len(steps) + 1)):  # noqa: PTH114
        root, target = os.path.realpath(folder), os.path.realpath(path)
        if not target.startswith(root.rstrip(os.sep) + os.sep):
            raise DataError(
                f"{path} leads to {target}", f"a file inside {folder}", "put the file itself there, or name its folder"
            )
    return path


def _fault(name: str) -> str:
    """What is wrong with a name; empty where nothing is."""
    if _PLAIN.fullmatch(name) and not _RESERVED.fullmatch(name):  # nearly all of them
        return ""
    parts = name.split("/")
    faults = {
        "empty": not name,
        "an absolute path": name.startswith("/") or _DRIVE.match(name),
        "a sign that no file's name should have": _CONTROL.search(name),
        "a path with `.`, `..` or nothing between its slashes": not {"", ".", ".."}.isdisjoint(parts),
        "the name of a device": any(map(_RESERVED.fullmatch, parts)),
        "too long": any(_size(part) > _LONGEST for part in parts),
        "signs that no file system can write": any(_size(part) < 0 for part in parts),
    }
    return next((fault for fault, found in faults.items() if found), "")


def _size(part: str) -> int:
    """Bytes of a name; -1 where it has none."""
    try:
        return len(os.fsencode(part))
    except UnicodeEncodeError:
        return -1
