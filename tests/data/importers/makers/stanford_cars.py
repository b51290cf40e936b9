from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.io import savemat

WIDTH, HEIGHT = 60, 40
BOX = (11, 6, 50, 35)  # as the files have it: from 1, the last pixel included


def photo(root: Path, name: str, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(len(name)).integers(0, 255, (size[1], size[0], 3), np.uint8)
    Image.fromarray(noise).save(path)
    return path


def mat(root: Path, name: str, *rows: dict[str, Any]) -> Path:
    """Annotations as the development kit has them."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.empty((1, len(rows)), [(column, object) for column in rows[0]])
    for place, row in enumerate(rows):
        array[0, place] = tuple(row.values())
    savemat(path, {"annotations": array})
    return path


def row(name: str, box: tuple[Any, ...] = BOX, column: str = "fname", **other: Any) -> dict[str, Any]:
    # MATLAB stores them in the smallest type that holds them.
    corners = [np.uint8(value) if isinstance(value, int) and 0 <= value < 256 else value for value in box]
    return dict(zip(("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2"), corners, strict=True)) | other | {column: name}


def ellipse(root: Path, name: str, seed: int = 0) -> np.ndarray:
    """A photo of 120 x 80 pixels that shows a red ellipse in the box (21, 21, 100, 60); returns where it is."""
    picture = np.random.default_rng(seed).integers(150, 180, (80, 120, 3), np.uint8)
    rows, columns = np.mgrid[:80, :120]
    car = ((rows - 40) / 20) ** 2 + ((columns - 60) / 40) ** 2 < 1
    picture[car] = (200, 20, 20)
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, quality=95)
    return car


def make(folder: Path, count: int) -> Path:
    names = [f"0000{number}.jpg" for number in range(count)]
    for number, name in enumerate(names):
        ellipse(folder, f"cars_train/{name}", number)
    mat(folder, "devkit/cars_train_annos.mat", *(row(name, (21, 21, 100, 60)) for name in names))
    return folder
