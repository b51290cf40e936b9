from __future__ import annotations

import io
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from augkit.data.samples import Sample, decode, ids_of, read
from augkit.errors import DataError

MASK = np.ones((20, 30), np.uint8)


def _encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def _photo(width: int = 30, height: int = 20) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8))


@given(st.lists(st.text(max_size=120), max_size=12))
def test_ids_are_unique_plain_names(files: list[str]) -> None:
    ids = ids_of(files)
    assert len(ids) == len(files)
    assert len({id.lower() for id in ids}) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,120}", id) for id in ids)


def test_ids_keep_plain_names_and_tell_others_apart() -> None:
    assert ids_of(["x/car_1.jpg"]) == ["car_1"]
    a, b, c = ids_of(["x/car.jpg", "y/car.jpg", "y/CAR.png"])
    assert len({a.lower(), b.lower(), c.lower()}) == 3 and a.startswith("car-")
    first, second = ids_of(["ü.v2.jpg", "車.jpg"])
    assert first.startswith("u-v2-") and second.startswith("photo-")
    assert ids_of(["car.jpg", "z.jpg"])[0] == ids_of(["car.jpg"])[0]


def test_a_sample_may_hold_bytes_an_array_or_functions() -> None:
    data = _encoded(_photo())
    by_bytes = read(Sample("a", "a.png", data, MASK))
    by_call = read(Sample("a", "a.png", lambda: data, lambda: MASK))
    assert (by_bytes.photo == by_call.photo).all() and by_bytes.sha256 == by_call.sha256
    drawn = read(Sample("a", "a.png", by_bytes.photo, MASK))
    assert (drawn.photo == by_bytes.photo).all() and len(drawn.sha256) == 64


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "CMYK", "LA"])
def test_every_usual_kind_of_pixel_becomes_rgb(mode: str) -> None:
    image = Image.new(mode, (30, 20))
    assert decode(_encoded(image, "TIFF" if mode == "CMYK" else "PNG"), (20, 30)).shape == (20, 30, 3)


def test_a_palette_with_transparency_becomes_rgb() -> None:
    assert decode(_encoded(_photo().convert("P"), transparency=b"\0\7"), (20, 30)).shape == (20, 30, 3)


@pytest.mark.parametrize("mode", ["I;16", "F"])
def test_deep_pixels_are_refused(mode: str) -> None:
    with pytest.raises(DataError, match="8 bits"):
        decode(_encoded(Image.new(mode, (30, 20)), "TIFF"), (20, 30))


def test_damaged_photos_are_refused() -> None:
    data = _encoded(_photo(), "JPEG")
    for damaged in (data[: len(data) // 2], b"", b"no photo"):
        with pytest.raises(DataError, match="cannot be read"):
            decode(damaged, (20, 30))


def test_a_photo_of_another_size_than_its_annotation_is_refused() -> None:
    with pytest.raises(DataError, match=r"31x20 pixels.*30x20"):
        read(Sample("a", "a.png", _encoded(_photo(31)), MASK))
    with pytest.raises(DataError, match=r"31x20 pixels.*30x20"):
        read(Sample("a", "a.png", np.zeros((20, 31, 3), np.uint8), MASK))


def test_exif_orientation_follows_the_annotation() -> None:
    exif = Image.Exif()
    exif[274] = 6  # to be turned by 90 degrees
    turned = _encoded(_photo(20, 30), exif=exif)
    plain = np.asarray(_photo(20, 30))
    assert (decode(turned, (20, 30)) == np.rot90(plain, -1)).all()
    assert (decode(turned, (30, 20)) == plain).all()
    exif[274] = 3  # by 180 degrees: both shapes fit, so it is shown as viewers show it
    assert (decode(_encoded(_photo(), exif=exif), (20, 30)) == np.asarray(_photo())[::-1, ::-1]).all()


def test_a_known_problem_is_told_without_reading() -> None:
    with pytest.raises(DataError, match="was lost"):
        read(Sample("a", "a.png", problem="the photo was lost"))
    with pytest.raises(DataError, match="no mask"):
        read(Sample("a", "a.png", b""))
