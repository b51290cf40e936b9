from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augkit.core.parts import PartSchema
from augkit.core.storage import open_storage
from augkit.report.chart import class_chart
from augkit.report.contact_sheet import COLUMNS, HEADER, TILE, contact_sheet, overlay
from augkit.shards.codec import encode_mask, encode_photo
from augkit.shards.index import finish
from augkit.shards.shard_names import shard_name
from augkit.shards.writer import PairRecord, ShardWriter

SCHEMA = PartSchema.from_names(["hood", "wheel"])


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Two classes: three real pairs of each, and two generated ones of the first."""
    pairs = [("A", "real", 3), ("A", "generated", 2), ("C", "real", 3)]
    return write_shards(tmp_path / "shards", [(*pair, "train") for pair in pairs])


def write_shards(folder: Path, pairs: Sequence[tuple[str, str, int, str]]) -> Path:
    """So many pairs of noise of an orientation, a source and a split."""
    writers = {split: ShardWriter(open_storage(folder), shard_name(split, 0)) for *_, split in pairs}
    generator = np.random.default_rng(0)
    for orientation, source, count, split in pairs:
        for number in range(count):
            photo = generator.integers(0, 256, (40, 40, 3), np.uint8)
            mask = generator.integers(0, 3, (40, 40), np.uint8)
            record = PairRecord(
                key=f"{orientation}-{source}-{split}-{number}", split=split, source=source, orientation=orientation,
                doors="5", seed=0, mask_model="", image_model="", width=40, height=40, histogram=[1, 1, 1],
            )  # fmt: skip
            writers[split].add(record, *encode_photo(photo, 95, False), encode_mask(mask))
    for writer in writers.values():
        writer.commit("digest")
    finish(open_storage(folder), [shard_name(split, 0) for split in writers], SCHEMA, "digest", {})
    return folder


def test_the_contact_sheet_has_a_row_a_class_and_a_tile_a_pair(shards: Path, tmp_path: Path) -> None:
    path = contact_sheet(shards, tmp_path / "reports" / "sheet.png")
    sheet = np.asarray(Image.open(path))
    assert sheet.shape == (HEADER + 2 * (2 * TILE + HEADER) + 4, 2 * COLUMNS * TILE + 36, 3)
    filled = [
        [bool(tile(sheet, row, column, lower).std() > 5) for column in range(2 * COLUMNS)]
        for row in range(2)
        for lower in (0, 1)
    ]
    # Classes by name: back-right-5 has nothing generated.
    back, front = [True] * 3 + [False] * 5, [True] * 3 + [False] + [True] * 2 + [False] * 2
    assert filled == [back, back, front, front]


def test_the_contact_sheet_shows_what_the_teacher_read_and_nothing_held_out(tmp_path: Path) -> None:
    pairs = [
        ("A", "real", 2, "train"),
        ("A", "real", 2, "test"),
        ("A", "pseudo", 1, "train"),
        ("A", "generated", 3, "train"),
    ]
    path = contact_sheet(write_shards(tmp_path / "shards", pairs), tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(path))
    assert sheet.shape[1] == 3 * (COLUMNS * TILE + 12) + 12
    filled = [bool(tile(sheet, 0, column, 0).std() > 5) for column in range(3 * COLUMNS)]
    assert filled == [True, True, False, False, True, False, False, False, True, True, True, False]


def tile(sheet: np.ndarray, row: int, column: int, lower: int) -> np.ndarray:
    top = HEADER + row * (2 * TILE + HEADER) + HEADER + lower * TILE
    left = 12 + column // COLUMNS * (COLUMNS * TILE + 12) + column % COLUMNS * TILE
    return sheet[top : top + TILE, left : left + TILE]


def test_an_overlay_colours_the_parts_and_leaves_the_background() -> None:
    photo = np.full((1, 3, 3), 100, np.uint8)
    warped = overlay(photo, np.array([[0, 1, 2]], np.uint8), SCHEMA, strength=0.5)
    assert warped[0, 0].tolist() == [100, 100, 100]
    for place, part in enumerate(SCHEMA.parts, 1):
        assert warped[0, place] == pytest.approx((np.array(part.colour) + 100) / 2, abs=0.51)


def test_the_chart_is_written(tmp_path: Path) -> None:
    path = class_chart({"front-left-5": 7, "back-right-3": 6}, {"front-left-5": 3}, 10, tmp_path / "new" / "chart.png")
    picture = np.asarray(Image.open(path).convert("RGB"))
    assert picture.shape[1] == 960
    colours = {tuple(colour) for colour in picture.reshape(-1, 3).tolist()}
    assert {(0x4C, 0x78, 0xA8), (0xF5, 0x85, 0x18)} <= colours  # bars of real pairs, and of generated ones


def test_the_chart_shows_a_set_with_nothing_generated(tmp_path: Path) -> None:
    picture = np.asarray(Image.open(class_chart({"front-left-5": 7}, {}, 5, tmp_path / "chart.png")).convert("RGB"))
    assert (picture == (0x4C, 0x78, 0xA8)).all(-1).any()
