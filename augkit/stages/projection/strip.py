"""Strips: a few pictures side by side, each under its title."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from augkit.train.image_grid import Picture, write_picture

LEAST = 128
"""Smaller pictures are enlarged, pixel by pixel, to at least this many px."""
GAP, HEADER = 6, 20
DARK, LIGHT, FRAME = (24, 24, 24), (235, 235, 235), (255, 190, 40)


def write_strip(path: Path, pictures: Sequence[Picture], titles: Sequence[str], marked: int | None = None) -> None:
    """(H, W, 3) pictures of one size -> a PNG; a frame around the ``marked`` one."""
    least = min(pictures[0].shape[:2])
    factor = -(-LEAST // least) if least < LEAST else 1
    height, width = (length * factor for length in pictures[0].shape[:2])
    step = width + GAP
    canvas = Image.new("RGB", (GAP + len(pictures) * step, HEADER + height + GAP), DARK)
    draw = ImageDraw.Draw(canvas)
    for place, (picture, title) in enumerate(zip(pictures, titles, strict=True)):
        left = GAP + place * step
        draw.text((left, 3), title, fill=LIGHT, font=ImageFont.load_default(12))
        if place == marked:
            draw.rectangle((left - 3, HEADER - 3, left + width + 2, HEADER + height + 2), fill=FRAME)
        large = np.repeat(np.repeat(picture, factor, 0), factor, 1)
        canvas.paste(Image.fromarray(large), (left, HEADER))
    write_picture(path, np.asarray(canvas))
