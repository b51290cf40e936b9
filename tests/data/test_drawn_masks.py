"""Masks that were drawn by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augkit.core.errors import DataError
from augkit.core.parts import PartSchema
from augkit.data.drawn_masks import read_drawn_mask

SCHEMA = PartSchema.from_names(["hood", "wheel"], [(200, 30, 30), (20, 20, 220)])
MASK = np.array([[0, 1, 1], [0, 2, 255], [0, 0, 0]], np.uint8)


def test_ids_and_colours_are_read_alike(tmp_path: Path) -> None:
    grey, coloured = tmp_path / "grey.png", tmp_path / "coloured.png"
    Image.fromarray(MASK).save(grey)
    Image.fromarray(np.where(SCHEMA.colourise(MASK) == 200, 203, SCHEMA.colourise(MASK))).save(coloured)
    assert np.array_equal(read_drawn_mask(grey, SCHEMA), MASK)
    shown = MASK != 255
    assert np.array_equal(read_drawn_mask(coloured, SCHEMA)[shown], MASK[shown])


@pytest.mark.parametrize(
    ("pixels", "told"),
    [
        (np.full((4, 4), 7, np.uint8), r"7 \(16 px\)"),
        (np.zeros((4, 4), np.uint8), "shows no part"),
        (np.full((4, 4, 3), 120, np.uint8) + np.arange(3, dtype=np.uint8), "100 % of the mask's pixels"),
    ],
)
def test_what_is_no_mask_is_refused_with_a_remedy(pixels: np.ndarray, told: str, tmp_path: Path) -> None:
    path = tmp_path / "drawn.png"
    Image.fromarray(pixels).save(path)
    with pytest.raises(DataError, match=rf"{path}(.|\n)*{told}(.|\n)*parts.json"):
        read_drawn_mask(path, SCHEMA)


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "drawn.png"
    path.write_text("no picture")
    with pytest.raises(DataError, match=rf"{path}(.|\n)*cannot be read"):
        read_drawn_mask(path, SCHEMA)
