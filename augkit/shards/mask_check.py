"""Masks checked without being decoded to a picture, in two thirds of the time: those that are as ``encode_mask`` writes
them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np

from augkit.core.parts import IGNORE

_START, _END = b"\x89PNG\r\n\x1a\n", (b"IEND", b"")
_GREY = bytes((8, 0, 0, 0, 0))
_LARGEST = 1 << 26
"""Pixels of a mask that is looked at here: what a file claims is not believed."""


def shows_known_parts(data: bytes, height: int, width: int, channels: int) -> bool:
    """Whether these are the bytes of a whole 8-bit grey PNG of that size whose ids are all below ``channels``, or to be
    ignored. No is said of sound ones of other forms, too: these have to be decoded."""
    lines = _lines(data, height, width)
    if lines is None:
        return False
    ids = np.frombuffer(lines, np.uint8)
    if ids[:: width + 1].any():  # a filter: the bytes of its line are no ids
        return False
    return int(ids.max()) < channels or int((ids + np.uint8(256 - IGNORE)).max()) <= channels  # 255 becomes 0


def _lines(data: bytes, height: int, width: int) -> bytes | None:
    """The lines of the picture, each behind the number of its filter."""
    chunks = list(_chunks(data)) if data.startswith(_START) else []
    if len(chunks) < 3 or chunks[-1] != _END or not 0 < height * width <= _LARGEST:
        return None
    head, *parts, _ = chunks
    if head != (b"IHDR", width.to_bytes(4) + height.to_bytes(4) + _GREY) or {kind for kind, _ in parts} != {b"IDAT"}:
        return None
    size = height * (width + 1)
    try:
        lines = zlib.decompress(b"".join(part for _, part in parts), bufsize=size)
    except zlib.error:
        return None
    return lines if len(lines) == size else None


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each chunk up to the last byte; ends early, without the end of a PNG, where one is broken."""
    place = len(_START)
    while place + 12 <= len(data):
        end = place + 8 + int.from_bytes(data[place : place + 4])
        if zlib.crc32(data[place + 4 : end]) != int.from_bytes(data[end : end + 4]):
            return
        yield data[place + 4 : place + 8], data[place + 8 : end]
        place = end + 4
    if place != len(data):
        yield b"", b""
