from __future__ import annotations

import io
import struct
import subprocess
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from augkit.core.decoding import MAX_PIXELS, decoded
from augkit.core.errors import DataError
from augkit.data.importers._pictures import opened
from augkit.data.photo_decoding import FORMATS, decode, open_picture, readable
from tests.fuzz.damage import EPS


def encoded(form: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (9, 8, 7)).save(buffer, form)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("form", FORMATS)
def test_the_formats_that_are_read(form: str) -> None:
    assert decode(encoded(form), (8, 8)).shape == (8, 8, 3)


def test_a_phone_s_file_of_several_photos_is_its_first_one() -> None:
    """A JPEG for all who do not ask for the others."""
    buffer = io.BytesIO()
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    first.save(buffer, "MPO", save_all=True, append_images=[second])
    with open_picture(buffer.getvalue()) as picture:
        assert picture.format == "MPO"
    assert decode(buffer.getvalue(), (8, 8))[4, 4, 0] > 200


@pytest.mark.parametrize("data", [EPS, encoded("GIF"), encoded("PPM"), encoded("ICO"), b"", b"\0" * 99])
def test_no_other_format_is_opened_and_no_program_started(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", started)
    with pytest.raises(DataError, match="the photo cannot be read: no picture of a known format"):
        decode(data, (8, 8))
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(DataError, match="the mask cannot be read"), opened(tmp_path / "a.png", "mask"):
        pass


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), MemoryError(), KeyError("y"), RecursionError("z")])
def test_whatever_a_decoder_raises_is_the_file_s_fault(error: Exception) -> None:
    with pytest.raises(DataError, match=r"the photo cannot be read: ."), readable():
        raise error


def test_opencv_is_told_the_limit_too() -> None:
    """Whole pictures of a bit a pixel, on both sides of it."""

    def grey(side: int) -> bytes:
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
        rows = zlib.compress(bytes(side * (side // 8 + 1)), 1)
        return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")

    assert 8000**2 < MAX_PIXELS < 8200**2
    assert decoded(grey(8000), cv2.IMREAD_UNCHANGED) is not None and decoded(grey(8200), cv2.IMREAD_UNCHANGED) is None
    assert decoded(b"", cv2.IMREAD_COLOR) is None
    assert np.array_equal(decoded(encoded("PNG"), cv2.IMREAD_COLOR_RGB)[0, 0], (9, 8, 7))
