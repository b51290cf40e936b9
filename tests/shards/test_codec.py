from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from augkit.core.errors import ShardError
from augkit.shards.codec import Mask, Photo, decode_mask, decode_mask_png, decode_photo, encode_mask, encode_photo

from .pairs import make_pair

sides = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=20)


@given(arrays(np.uint8, sides))
def test_masks_come_back_exactly(mask: Mask) -> None:
    data = encode_mask(mask)
    assert data == encode_mask(mask.copy(order="F"))
    np.testing.assert_array_equal(decode_mask(data), mask)
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.mode == "L"


@given(arrays(np.uint8, sides.map(lambda shape: (*shape, 3))))
def test_lossless_photos_come_back_exactly(photo: Photo) -> None:
    data, extension = encode_photo(photo, lossless=True)
    assert extension == "webp"
    assert data == encode_photo(photo, lossless=True)[0]
    np.testing.assert_array_equal(decode_photo(data), photo)


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_jpeg_keeps_colours_in_rgb_order(red: int, green: int, blue: int) -> None:
    photo = np.full((8, 8, 3), (red, green, blue), np.uint8)
    data, extension = encode_photo(photo)
    assert extension == "jpg"
    assert data == encode_photo(photo)[0]
    assert np.abs(decode_photo(data).astype(int) - photo).max() <= 3


def test_jpeg_is_not_subsampled() -> None:
    with Image.open(io.BytesIO(encode_photo(make_pair(0)[0])[0])) as picture:
        assert [layer[1:3] for layer in picture.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_cut_photos_are_refused(lossless: bool, share: float) -> None:
    data, _ = encode_photo(make_pair(0)[0], lossless=lossless)
    with pytest.raises(ShardError, match="no whole picture"):
        decode_photo(data[: int(len(data) * share)])


@pytest.mark.parametrize("length", [0, 10, 60, -1, -12])
def test_cut_masks_are_refused(length: int) -> None:
    with pytest.raises(ShardError, match="no whole mask"):
        decode_mask(encode_mask(make_pair(0)[1])[:length])


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGB", "I;16"])
def test_only_grey_8_bit_masks_are_decoded(mode: str) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (4, 4)).save(buffer, "PNG")
    with pytest.raises(ShardError, match="8-bit grey PNG"):
        decode_mask(buffer.getvalue())


def test_photos_are_not_turned_by_exif() -> None:
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 10)).save(buffer, "JPEG", exif=exif)
    assert decode_photo(buffer.getvalue()).shape == (10, 20, 3)


@pytest.mark.parametrize("array", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_arrays_that_are_no_photo_are_refused(array: np.ndarray) -> None:
    with pytest.raises(ShardError, match=r"uint8 \(H, W, 3\)"):
        encode_photo(array)


@pytest.mark.parametrize("array", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.int64)])
def test_arrays_that_are_no_mask_are_refused(array: np.ndarray) -> None:
    with pytest.raises(ShardError, match=r"uint8 \(H, W\)"):
        encode_mask(array)


def test_the_handler_takes_masks_only() -> None:
    data = encode_mask(make_pair(0)[1])
    assert decode_mask_png(".mask.png", data) is not None
    assert decode_mask_png(".png", data) is None
    assert decode_mask_png(".jpg", cv2.imencode(".jpg", make_pair(0)[0])[1].tobytes()) is None
