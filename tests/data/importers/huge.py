"""A picture that claims to be 20,000 x 20,000 pixels, in 100 bytes."""

from __future__ import annotations

import struct
import zlib


def huge_png() -> bytes:
    """A PNG file of which only the header is true to the format."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 16, 0, 0, 0, 0)
    content = chunk(b"IDAT", zlib.compress(bytes(20))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + content
