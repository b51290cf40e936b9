from __future__ import annotations

import pickle
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from augkit.core.errors import DataError
from augkit.data.importers._part_table import PartEntry, PartTable
from augkit.data.importers._pictures import MaskFile, photo_bytes
from augkit.data.samples import PartMask
from tests.data.importers.makers.pictures import COLOURS, PARTS, mask

NAMES = [PartEntry(id, name) for id, name in enumerate(PARTS, 1)]
COLOURED = [PartEntry(id, name, colour) for id, (name, colour) in enumerate(zip(PARTS, COLOURS, strict=True), 1)]
GREY_TABLE, TABLE = PartTable.of("parts.csv", NAMES), PartTable.of("parts.csv", COLOURED)
IDS = mask(0)
PALETTE = np.array([(0, 0, 0), *COLOURS], np.uint8)


def _read(path: Path, table: PartTable = TABLE) -> PartMask:
    return MaskFile(path.parent, path, table)()


def _saved(folder: Path, pixels: np.ndarray, name: str = "a.png", **options: object) -> Path:
    Image.fromarray(pixels).save(folder / name, **options)
    return folder / name


def _fault(path: Path, table: PartTable = TABLE) -> str:
    with pytest.raises(DataError) as error:
        _read(path, table)
    return str(error.value)


def _indexed(folder: Path, indices: np.ndarray, colours: np.ndarray) -> Path:
    picture = Image.fromarray(indices.astype(np.uint8))
    picture.putpalette(colours.astype(np.uint8).tobytes())
    picture.save(folder / "a.png")
    return folder / "a.png"


def _mode(path: Path) -> str:
    with Image.open(path) as picture:
        return picture.mode


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_grey_masks_hold_ids(tmp_path: Path, suffix: str) -> None:
    for table in (GREY_TABLE, TABLE):
        found = _read(_saved(tmp_path, IDS, f"a.{suffix}"), table)
        assert (found.ids == IDS).all() and found.ids.dtype == np.uint8 and found.off_palette == 0


def test_grey_masks_of_16_and_32_bits_hold_values_with_gaps(tmp_path: Path) -> None:
    table = PartTable.of("parts.csv", [PartEntry(7 + 1000 * n, name) for n, name in enumerate(PARTS)])
    values = np.where(IDS > 0, 7 + 1000 * (IDS.astype(np.int32) - 1), 0)
    for name, dtype in (("a.png", np.uint16), ("b.tif", np.int32)):
        path = _saved(tmp_path, values.astype(dtype), name)
        assert _mode(path).startswith("I")
        assert (_read(path, table).ids == IDS).all()


def test_values_that_the_table_lacks_are_counted(tmp_path: Path) -> None:
    values = IDS.copy()
    values[0, :3], values[1, :2] = 77, 200
    assert _fault(_saved(tmp_path, values)) == (
        "the mask has values that parts.csv does not list: 77 (3 px), 200 (2 px)"
    )
    values = np.arange(40 * 56, dtype=np.int32).reshape(40, 56) - 100
    assert "-100 (1 px)" in _fault(_saved(tmp_path, values, "b.tif"))
    assert "and 2225 more" in _fault(_saved(tmp_path, values, "b.tif"))


def test_255_is_ignore(tmp_path: Path) -> None:
    values = IDS.copy()
    values[0] = 255
    assert (_read(_saved(tmp_path, values)).ids == values).all()


def test_a_mask_of_one_bit_holds_0_and_1(tmp_path: Path) -> None:
    Image.fromarray(IDS > 0).save(tmp_path / "a.png")
    assert (_read(tmp_path / "a.png").ids == (IDS > 0)).all()


def test_a_grey_jpeg_is_refused(tmp_path: Path) -> None:
    assert "grey JPEG" in _fault(_saved(tmp_path, IDS, "a.jpg"))


@pytest.mark.parametrize("alpha", [False, True])
def test_colours_are_told_exactly(tmp_path: Path, alpha: bool) -> None:
    pixels = PALETTE[IDS]
    if alpha:
        pixels = np.dstack([pixels, np.full(IDS.shape, 255, np.uint8)])
    found = _read(_saved(tmp_path, pixels))
    assert (found.ids == IDS).all() and found.off_palette == 0


def test_colours_two_steps_off_are_told_and_counted(tmp_path: Path) -> None:
    off = np.where(IDS[..., None] > 0, PALETTE[IDS].astype(int) + np.array([1, -2, 2]), 0)
    found = _read(_saved(tmp_path, np.clip(off, 0, 255).astype(np.uint8)))
    assert (found.ids == IDS).all() and found.off_palette == pytest.approx((IDS > 0).mean())


def test_colours_of_a_jpeg_are_told(tmp_path: Path) -> None:
    large = IDS.repeat(8, axis=0).repeat(8, axis=1)
    found = _read(_saved(tmp_path, PALETTE[large], "a.jpg", quality=95, subsampling=0))
    settled = found.ids != 255
    assert settled.mean() > 0.99 and (found.ids == large)[settled].mean() > 0.999 and found.off_palette > 0


@pytest.mark.parametrize(("rows", "refused"), [(2, False), (3, True)])  # of 40: 5 % and 7.5 %
def test_unknown_colours_are_ignore_up_to_a_share(tmp_path: Path, rows: int, refused: bool) -> None:
    pixels = PALETTE[IDS]
    pixels[:rows] = (128, 128, 128)
    path = _saved(tmp_path, pixels)
    if refused:
        assert _fault(path) == "8 % of the mask's pixels are of no colour in parts.csv, nor near one"
        return
    found = _read(path)
    assert (found.ids[:rows] == 255).all() and (found.ids[rows:] == IDS[rows:]).all()
    assert found.off_palette == pytest.approx(0.05)


def test_colours_need_a_palette(tmp_path: Path) -> None:
    assert _fault(_saved(tmp_path, PALETTE[IDS]), GREY_TABLE) == "the mask is in colours, but parts.csv gives none"


def test_grey_ids_in_three_channels_are_ids(tmp_path: Path) -> None:
    path = _saved(tmp_path, IDS[..., None].repeat(3, axis=2))
    for table in (GREY_TABLE, TABLE):
        assert (_read(path, table).ids == IDS).all()


@pytest.mark.parametrize("channel", range(3))
@pytest.mark.parametrize("alpha", [False, True])
def test_ids_in_one_channel_are_ids(tmp_path: Path, channel: int, alpha: bool) -> None:
    pixels = np.zeros((*IDS.shape, 4 if alpha else 3), np.uint8)
    pixels[..., channel] = IDS
    pixels[..., 3:] = 255
    path = _saved(tmp_path, pixels)
    for table in (GREY_TABLE, TABLE):
        assert (_read(path, table).ids == IDS).all()
    pixels[0, 0, channel] = 99
    assert "99 (1 px)" in _fault(_saved(tmp_path, pixels), GREY_TABLE)


def test_colours_of_one_channel_are_colours(tmp_path: Path) -> None:
    reds = PartTable.of("parts.csv", [PartEntry(1, "hood", (2, 0, 0)), PartEntry(2, "door", (1, 0, 0))])
    pixels = np.zeros((*IDS.shape, 3), np.uint8)
    pixels[..., 0] = np.array([0, 2, 1], np.uint8)[np.minimum(IDS, 2)]
    assert (_read(_saved(tmp_path, pixels), reds).ids == np.minimum(IDS, 2)).all()
    bright = PartTable.of("parts.csv", [PartEntry(1, "hood", (200, 0, 0)), PartEntry(2, "door", (0, 200, 0))])
    pixels[..., 0] = 198 * (IDS > 0)
    assert (_read(_saved(tmp_path, pixels), bright).ids == (IDS > 0)).all()


def test_greys_of_the_palette_are_colours(tmp_path: Path) -> None:
    table = PartTable.of("parts.csv", [PartEntry(1, "hood", (40, 40, 40)), PartEntry(2, "door", (90, 90, 90))])
    grey = np.array([0, 40, 90], np.uint8)[np.minimum(IDS, 2)]
    assert (_read(_saved(tmp_path, grey[..., None].repeat(3, axis=2)), table).ids == np.minimum(IDS, 2)).all()


def test_indices_are_ids_whatever_their_colours(tmp_path: Path) -> None:
    foreign = np.array([(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (128, 0, 128)])
    for colours in (foreign, PALETTE, np.arange(6)[:, None].repeat(3, axis=1)):
        path = _indexed(tmp_path, IDS, colours)
        assert _mode(path) == "P"
        for table in (GREY_TABLE, TABLE):
            assert (_read(path, table).ids == IDS).all()


@pytest.mark.parametrize("off", [0, 1])
def test_a_coloured_mask_stored_with_fewer_bits_is_told_by_its_colours(tmp_path: Path, off: int) -> None:
    order = np.array([3, 5, 0, 1, 4, 2])  # index of each part
    colours = np.zeros((6, 3), int)
    colours[order] = np.where(PALETTE > 0, PALETTE.astype(int) - off, 0)
    found = _read(_indexed(tmp_path, order[IDS], colours))
    assert (found.ids == IDS).all() and (found.off_palette > 0) == bool(off)


def test_colours_that_two_parts_share_are_for_display(tmp_path: Path) -> None:
    shared = PartTable.of("parts.csv", [PartEntry(id, name, COLOURS[id // 2]) for id, name in enumerate(PARTS, 1)])
    colours = np.array([(0, 0, 0), *(COLOURS[id // 2] for id in range(1, 6))])
    assert (_read(_indexed(tmp_path, IDS, colours), shared).ids == IDS).all()
    assert (_read(_saved(tmp_path, IDS[..., None].repeat(3, axis=2), "b.png"), shared).ids == IDS).all()
    assert "have one colour" in _fault(_saved(tmp_path, colours.astype(np.uint8)[IDS], "c.png"), shared)


def test_a_colour_map_that_is_the_palettes_in_part_is_refused(tmp_path: Path) -> None:
    colours = PALETTE[[0, 2, 1, 3, 4, 5]].copy()
    colours[5] = (1, 200, 200)
    assert "of index 1" in _fault(_indexed(tmp_path, IDS, colours))


def test_what_is_transparent_is_background(tmp_path: Path) -> None:
    hidden = np.full(IDS.shape, 255, np.uint8)
    hidden[:, :20] = 0
    expected = np.where(hidden > 0, IDS, 0)
    assert (_read(_saved(tmp_path, np.dstack([PALETTE[IDS], hidden]))).ids == expected).all()
    assert (_read(_saved(tmp_path, np.dstack([IDS, hidden]), "b.png")).ids == expected).all()
    assert (_read(_saved(tmp_path, IDS, "c.png", transparency=3)).ids == np.where(IDS == 3, 0, IDS)).all()


def test_other_pixels_are_refused(tmp_path: Path) -> None:
    assert "F pixels" in _fault(_saved(tmp_path, IDS.astype(np.float32), "a.tif"))
    Image.new("CMYK", (4, 4)).save(tmp_path / "b.tif")
    assert "CMYK pixels" in _fault(tmp_path / "b.tif")


@pytest.mark.parametrize("kept", [0, 20, 60, 150])
def test_a_cut_off_mask_is_one_error(tmp_path: Path, kept: int) -> None:
    path = _saved(tmp_path, np.random.default_rng(0).integers(0, 6, (40, 56)).astype(np.uint8))
    path.write_bytes(path.read_bytes()[:kept])
    assert _fault(path).startswith("the mask cannot be read")
    assert str(tmp_path) not in _fault(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_mask_is_an_error_and_nothing_else(tmp_path: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["a.png", "a.bmp", "a.tif"]))
    damaged = bytearray(_saved(tmp_path, IDS, name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / name).write_bytes(damaged)
    with suppress(DataError):
        _read(tmp_path / name)


@pytest.mark.parametrize("side", [9_000, 20_000])
def test_a_huge_mask_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    path = _saved(tmp_path, IDS)
    stored = bytearray(path.read_bytes())
    stored[16:24] = struct.pack(">II", side, side)
    stored[29:33] = struct.pack(">I", zlib.crc32(stored[12:29]))
    path.write_bytes(stored)
    assert "larger than the limit of 67108864 pixels" in _fault(path)
    assert _fault(path).count("limit") == 1  # Pillow's own is another


def test_a_mask_is_not_there_or_elsewhere(tmp_path: Path) -> None:
    assert _fault(tmp_path / "a.png") == "the mask a.png is not there"
    root = tmp_path / "set"
    root.mkdir()
    (root / "a.png").symlink_to(_saved(tmp_path, IDS, "outside.png"))
    assert "outside the data set's folder" in _fault(root / "a.png")
    with pytest.raises(DataError, match="outside the data set's folder"):
        photo_bytes(root, root / "a.png")


def test_a_mask_file_goes_to_other_processes(tmp_path: Path) -> None:
    file = MaskFile(tmp_path, _saved(tmp_path, IDS), TABLE)
    assert (pickle.loads(pickle.dumps(file))().ids == file().ids).all()
