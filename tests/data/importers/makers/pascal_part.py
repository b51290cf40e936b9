from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.io import savemat

WIDTH, HEIGHT = 60, 40


def cover(x: int, y: int, width: int, height: int, shape: tuple[int, int] = (HEIGHT, WIDTH)) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    mask[y : y + height, x : x + width] = 1
    return mask


WHOLE = cover(10, 10, 40, 20)


def structs(*entries: dict[str, Any]) -> np.ndarray:
    """A 1xN struct array as MATLAB has it."""
    array = np.empty((1, len(entries)), [(name, object) for name in entries[0]]) if entries else np.zeros((0, 0))
    for place, entry in enumerate(entries):
        array[0, place] = tuple(entry.values())
    return array


def thing(name: str = "car", mask: np.ndarray = WHOLE, **parts: np.ndarray) -> dict[str, Any]:
    found = [{"part_name": part, "mask": cover} for part, cover in parts.items()]
    return {"class": name, "class_ind": 7, "bbox": np.array([[11, 11, 50, 30]]), "mask": mask, "parts": structs(*found)}


class Pascal:
    """A PASCAL-Part folder in the making."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.photos, self.files = root / "JPEGImages", root / "Annotations_Part"
        self.photos.mkdir(parents=True)
        self.files.mkdir()

    def photo(self, id: str = "2008_000008") -> Path:
        path = self.photos / f"{id}.jpg"
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)).save(path)
        return path

    def annotation(self, *things: dict[str, Any], id: str = "2008_000008") -> Path:
        path = self.files / f"{id}.mat"
        anno = {"imname": id, "objects": structs(*things)}
        savemat(path, {"anno": anno}, do_compression=True)
        return path

    def add(self, *things: dict[str, Any], id: str = "2008_000008") -> Path:
        self.photo(id)
        return self.annotation(*(things or (thing(door_1=cover(20, 15, 10, 10)),)), id=id)


def make(folder: Path, count: int) -> Path:
    pascal = Pascal(folder)
    for number in range(count):
        door, wheel = cover(20 + number, 15, 10, 10), cover(12, 24, 5, 5)
        pascal.add(thing(door_1=door, wheel_1=wheel), thing("person"), id=f"2008_00000{number}")
    return folder
