"""Photos and masks of something that every importer can take for a car: parts in front of a background."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

PARTS = ("hood", "front_bumper", "front_left_door", "back_left_door", "wheel")
COLOURS = ((250, 149, 10), (249, 9, 250), (19, 98, 19), (249, 249, 10), (20, 19, 249))


def photo(number: int, height: int = 40, width: int = 56) -> np.ndarray:
    """(H, W, 3) noise, another for every number."""
    return np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)


def mask(number: int, height: int = 40, width: int = 56) -> np.ndarray:
    """(H, W) ids: one band a part, at a place that depends on the number."""
    ids = np.zeros((height, width), np.uint8)
    for id in range(1, len(PARTS) + 1):
        left = 2 + 9 * (id - 1) + number % 4
        ids[8 + number % 3 : 30, left : left + 9] = id
    return ids


def save(path: Path, pixels: np.ndarray) -> Path:
    """Writes a picture, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path
