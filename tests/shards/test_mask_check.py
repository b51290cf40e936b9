from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from augkit.core.parts import IGNORE
from augkit.shards import shard_check
from augkit.shards.codec import Mask, decode_mask, encode_mask
from augkit.shards.mask_check import shows_known_parts
from augkit.shards.verify import verify

from .pairs import Pairs

CHANNELS = 4


def a_mask(*more: int) -> Mask:
    mask = np.random.default_rng(0).integers(0, CHANNELS, (24, 33), dtype=np.uint8)
    mask[3, : len(more)] = more
    return mask


def as_png(mask: Mask, mode: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(mask).convert(mode).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("more", [(), (IGNORE,), (IGNORE, 0, IGNORE)])
def test_what_the_writer_writes_is_known_without_decoding(more: tuple[int, ...]) -> None:
    assert shows_known_parts(encode_mask(a_mask(*more)), 24, 33, CHANNELS)


@pytest.mark.parametrize("more", [(CHANNELS,), (IGNORE, IGNORE - 1), (17,)])
def test_unknown_ids_are_not_known(more: tuple[int, ...]) -> None:
    assert not shows_known_parts(encode_mask(a_mask(*more)), 24, 33, CHANNELS)


def test_what_is_of_another_form_is_left_to_the_decoder() -> None:
    data = encode_mask(a_mask())
    assert not shows_known_parts(data, 33, 24, CHANNELS) and not shows_known_parts(data, 24, 32, CHANNELS)
    others = [data + b"\0", data[:-1], data[:-12], b"", as_png(a_mask(), "P"), as_png(a_mask(), "RGB")]
    assert not any(shows_known_parts(other, 24, 33, CHANNELS) for other in others)
    assert not shows_known_parts(b"\x89PNG\r\n\x1a\n" + b"\xff" * 60, 2**16, 2**16, CHANNELS)


def test_filtered_lines_are_left_to_the_decoder() -> None:
    done, data = cv2.imencode(".png", a_mask(), (cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB))
    assert done and (decode_mask(data.tobytes()) == a_mask()).all()
    assert not shows_known_parts(data.tobytes(), 24, 33, 255)


def test_no_flipped_bit_gets_past_it() -> None:
    data = encode_mask(a_mask(IGNORE))
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        assert not shows_known_parts(bytes(damaged), 24, 33, CHANNELS), f"bit {bit}"


def test_verify_decodes_no_sound_mask(dataset: tuple[object, Pairs], monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []

    def counted(data: bytes) -> Mask:
        decoded.append(len(data))
        return decode_mask(data)

    monkeypatch.setattr(shard_check, "decode_mask", counted)
    assert verify(dataset[0]) == [] and not decoded  # type: ignore[arg-type]
