"""Sample pictures: rows of pictures side by side, as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augkit.core.atomic_file import replacing

Picture = NDArray[np.uint8]


def grid(rows: Sequence[Sequence[Picture]], gap: int = 2) -> Picture:
    """(S, S, 3) pictures in rows, which may differ in length -> one picture, dark between them."""
    widest = max(len(row) for row in rows)
    height, width = rows[0][0].shape[:2]
    canvas = np.full((len(rows) * (height + gap) + gap, widest * (width + gap) + gap, 3), 24, np.uint8)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            top, left = gap + i * (height + gap), gap + j * (width + gap)
            canvas[top : top + height, left : left + width] = picture
    return canvas


def write_picture(path: Path, picture: Picture) -> None:
    """A PNG: (H, W, 3) in colours, (H, W) in grey."""
    with replacing(path) as temporary:
        Image.fromarray(picture).save(temporary, "PNG")
