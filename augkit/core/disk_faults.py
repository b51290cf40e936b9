"""What the system's refusals mean for a user: one place that says of each errno what was expected and what to do."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_AGAIN = "run the same command again: it goes on where it was"
_SPACE = "room on the disk", f"free some space there (or raise the quota), then {_AGAIN}"
_LEAVE = "leave to read and write there", f"change owner or permissions of the path, or take another one, then {_AGAIN}"
_FILES = (
    "room for more open files",
    f"raise the limit of open files (ulimit -n 1024) or end other programs, then {_AGAIN}; nothing on disk is damaged",
)
_PATH = "a path that can be read and written", "check the path"

_MEANINGS = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: (
        "files of this size to be allowed",
        f"raise the limit (ulimit -f) or take another disk, then {_AGAIN}",
    ),
    errno.EROFS: ("a file system that can be written", "mount it for writing, or work on a copy elsewhere"),
    errno.EACCES: _LEAVE,
    errno.EPERM: _LEAVE,
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.ESTALE: ("a network disk whose server knows the file", f"mount the disk again, then {_AGAIN}"),
    errno.EIO: (
        "a disk that answers",
        "the disk or the way to it fails: see the system's log, copy the workspace elsewhere, then run augkit verify",
    ),
    errno.ENOENT: _PATH,
    errno.ENOTDIR: _PATH,
    errno.EISDIR: _PATH,
    errno.EEXIST: _PATH,
    errno.ENAMETOOLONG: _PATH,
    errno.ELOOP: _PATH,
}
_UNKNOWN = "a path that can be read and written", "check the path, its permissions and the free space"

_NUMBER = re.compile(r"(?:errno|os error) (\d+)", re.IGNORECASE)


def meaning_of(error: Exception) -> tuple[str, str]:
    """What was expected where this was raised, and the remedy."""
    return _MEANINGS.get(number_of(error) or 0, _UNKNOWN)


def refusal_or(error: Exception, expected: str, remedy: str) -> tuple[str, str]:
    """What was expected where a file could not be read, and the remedy: the system's where it would not do it, whatever
    is in the file; else the ones given."""
    return meaning_of(error) if is_refusal(error) else (expected, remedy)


def is_refusal(error: Exception) -> bool:
    """Whether the system would not do it, whatever is in the file: it is no sign of damage."""
    return number_of(error) in {number for number, meaning in _MEANINGS.items() if meaning is not _PATH}


def number_of(error: Exception) -> int | None:
    """The errno; some libraries say it in words alone: ``(os error 28)``, ``[errno 28]``."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    said = _NUMBER.search(str(error))
    return int(said.group(1)) if said else None


@contextmanager
def as_os_error(path: Path, *kinds: type[Exception]) -> Iterator[None]:
    """Raises OSError for what a library raises of its own where the system refuses to write ``path``."""
    try:
        yield
    except kinds as error:
        number = number_of(error) or errno.EIO
        raise OSError(number, os.strerror(number), str(path)) from error
