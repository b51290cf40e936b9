"""A checksum inside the file that it is of: every bit of the file counts, and the file stays one file.

Whoever makes the bytes puts ``BLANK`` somewhere in them, once. ``sealed`` replaces its zeros by the sha256 of the bytes
with the zeros in; ``is_whole`` does the same again and compares.
"""

from __future__ import annotations

import hashlib
import re

_MARK = b"augkit-sha256:"
BLANK = (_MARK + b"0" * 64).decode()
"""What stands for the checksum while it is not known yet."""

_SEAL = re.compile(re.escape(_MARK) + b".{64}", re.DOTALL)


def sealed(data: bytes) -> bytes:
    """The bytes with their checksum in the place of ``BLANK``."""
    blank = BLANK.encode()
    assert data.count(blank) == 1, "one place for the checksum"
    return data.replace(blank, _seal_of(data))


def is_sealed(data: bytes) -> bool:
    """Whether there is a checksum; files of earlier versions have none."""
    return _SEAL.search(data) is not None


def is_whole(data: bytes) -> bool:
    """Whether the bytes are those that were sealed."""
    found = _SEAL.search(data)
    if found is None:
        return False
    blank = data[: found.start()] + BLANK.encode() + data[found.end() :]
    return found.group() == _seal_of(blank)


def _seal_of(blank: bytes) -> bytes:
    return _MARK + hashlib.sha256(blank).hexdigest().encode()
