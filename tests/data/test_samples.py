from __future__ import annotations

import io
import re
import struct
import tracemalloc
import zlib
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from augkit.core.errors import DataError
from augkit.data.photo_decoding import decode
from augkit.data.reading_way import Exif, Overlap, ReadingWay
from augkit.data.sample_ids import ids_of
from augkit.data.samples import Drawing, LazySamples, PartMask, Sample, read

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


@dataclass(frozen=True)
class _Half(Drawing):
    """The upper half of whatever frame it is drawn into is part 1."""

    recorded: tuple[int, int] | None = None
    runs: bool = False

    @property
    def size(self) -> tuple[int, int] | None:
        return self.recorded

    @property
    def fixed(self) -> bool:
        return self.runs

    def drawn(self, height: int, width: int, overlap: Overlap | None = None) -> PartMask:
        return PartMask(np.arange(height)[:, None].repeat(width, 1).astype(np.uint8) < height // 2)


STORED = np.asarray(_photo(20, 30))  # 30 rows of 20
TURNED = {1: STORED, 3: np.rot90(STORED, 2), 6: np.rot90(STORED, -1), 8: np.rot90(STORED)}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("way", [None, "upright", "stored"])
@pytest.mark.parametrize("recorded", [None, (30, 20), (20, 30)])
def test_a_drawing_lies_on_the_photo_as_said(
    orientation: int, way: Exif | None, recorded: tuple[int, int] | None
) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    sample = Sample("a", "a.png", _encoded(_photo(20, 30), exif=exif), _Half(recorded))
    sideways = orientation in (6, 8)
    if not sideways and recorded == (20, 30):
        with pytest.raises(DataError, match=r"the photo is 20x30 pixels, but its annotation is for 30x20"):
            read(sample, ReadingWay(way))
    elif sideways and recorded == (30, 20) and way is None:
        with pytest.raises(DataError, match=r"as stored, 20x30: .* upright one, 30x20. .*--exif stored or --exif"):
            read(sample)
    else:
        reading = read(sample, ReadingWay(way))
        assert (reading.photo == (STORED if way == "stored" else TURNED[orientation])).all()
        assert (reading.mask == _Half().drawn(*reading.photo.shape[:2]).ids).all()


def test_run_lengths_of_the_stored_size_leave_no_doubt() -> None:
    exif = Image.Exif()
    exif[274] = 6
    sample = Sample("a", "a.png", _encoded(_photo(20, 30), exif=exif), _Half((30, 20), runs=True))
    assert (read(sample).photo == STORED).all()


@pytest.mark.parametrize(
    ("orientation", "shape", "way", "expected"),
    [(3, (30, 20), "stored", STORED), (3, (30, 20), "upright", TURNED[3]), (6, (30, 20), "stored", STORED),
     (6, (20, 30), "upright", TURNED[6]), (6, (30, 20), "upright", None), (6, (20, 30), "stored", None)],
)  # fmt: skip
def test_a_mask_picture_lies_on_the_photo_as_said(
    orientation: int, shape: tuple[int, int], way: Exif, expected: np.ndarray | None
) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    sample = Sample("a", "a.png", _encoded(_photo(20, 30), exif=exif), np.ones(shape, np.uint8))
    if expected is None:
        with pytest.raises(DataError, match=f"pixels (upright|as stored), but its annotation is for {shape[1]}x"):
            read(sample, ReadingWay(way))
    else:
        assert (read(sample, ReadingWay(way)).photo == expected).all()


def test_a_known_problem_is_told_without_reading() -> None:
    with pytest.raises(DataError, match="was lost"):
        read(Sample("a", "a.png", problem="the photo was lost"))
    with pytest.raises(DataError, match="no mask"):
        read(Sample("a", "a.png", b""))


def _claims(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its 100 bytes do not have."""
    data = bytearray(_encoded(Image.new("RGB", (8, 8))))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


@pytest.mark.parametrize("size", [(20_000, 20_000), (10_000, 9_000), (8193, 8192)])
def test_a_huge_photo_is_refused_from_its_header(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    claims = _claims(*size)
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("it was decoded"))
    monkeypatch.setattr("cv2.imdecode", lambda *more: pytest.fail("it was decoded"))
    with pytest.raises(DataError, match="larger than the limit of 67108864 pixels") as refused:
        decode(claims, size[::-1])
    assert str(refused.value).count("limit") == 1  # Pillow's own is another


def test_the_limit_is_for_masks_and_arrays_too() -> None:
    huge = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (20_000, 20_000), (0, 0))
    with pytest.raises(DataError, match=r"mask is 20000x20000.*limit"):
        read(Sample("a", "a.png", b"", huge))
    with pytest.raises(DataError, match=r"photo is 20000x20000.*limit"):
        read(Sample("a", "a.png", np.broadcast_to(huge[..., None], (20_000, 20_000, 3)), MASK))


@pytest.mark.parametrize(("mode", "options"), [("RGB", {}), ("L", {}), ("CMYK", {}), ("RGB", {"progressive": True})])
def test_every_jpeg_is_decoded_as_pillow_does(mode: str, options: dict[str, object]) -> None:
    data = _encoded(_photo(61, 47).convert(mode), "JPEG", quality=80, **options)
    with Image.open(io.BytesIO(data)) as image:
        assert (decode(data, (47, 61)) == np.asarray(image.convert("RGB"))).all()


@given(st.lists(st.sampled_from(["a/x.jpg", "b/x.jpg", "b/X.png", "y.jpg", "z z.jpg", "x-2.jpg", "\u00fc.jpg"])))
def test_samples_made_on_demand_have_the_ids_of_their_files(files: list[str]) -> None:
    samples = LazySamples(files, lambda place, id: Sample(id, files[place]))
    for _ in range(2):
        assert [(sample.id, sample.source_file) for sample in samples] == list(zip(ids_of(files), files, strict=True))
    assert len(samples) == len(files)


def test_ids_of_many_files_need_no_memory_of_their_own() -> None:
    files = [f"folder/photo-{number:06d}.jpg" for number in range(5_000)]
    tracemalloc.start()
    samples = LazySamples(files, lambda place, id: Sample(id, files[place]))
    count = sum(1 for _ in samples)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 5_000 and peak < 60 * count  # two lists of names would be 150 bytes a file
