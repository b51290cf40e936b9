from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 300, 160


class City:
    """A Cityscapes folder in the making."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("leftImg8bit", "gtFine"):
            (root / folder).mkdir(parents=True)

    def photo(self, name: str = "train/aachen/aachen_000000_000019", suffix: str = ".png") -> Path:
        path = self.root / "leftImg8bit" / f"{name}_leftImg8bit{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(len(name)).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
        Image.fromarray(noise).save(path)
        return path

    def annotation(self, name: str, ending: str) -> Path:
        path = self.root / "gtFine" / f"{name}_gtFine_{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def polygons(self, *objects: Any, name: str = "train/aachen/aachen_000000_000019", **other: Any) -> Path:
        path = self.annotation(name, "polygons.json")
        path.write_text(json.dumps({"imgWidth": WIDTH, "imgHeight": HEIGHT, "objects": list(objects)} | other))
        return path

    def ids(self, values: np.ndarray, name: str = "train/aachen/aachen_000000_000019") -> Path:
        path = self.annotation(name, "instanceIds.png")
        Image.fromarray(values.astype(np.uint16)).save(path)
        return path


def box(x: int, y: int, width: int = 60, height: int = 50, label: str = "car", **other: Any) -> dict[str, Any]:
    """A polygon that covers width x height pixels."""
    right, low = x + width - 1, y + height - 1
    return {"label": label, "polygon": [[x, y], [right, y], [right, low], [x, low]]} | other


def painted(*boxes: tuple[int, int, int, int, int]) -> np.ndarray:
    values = np.full((HEIGHT, WIDTH), 7, np.uint16)
    for value, x, y, width, height in boxes:
        values[y : y + height, x : x + width] = value
    return values


def make(folder: Path, count: int) -> Path:
    city = City(folder)
    for number in range(count):
        name = f"train/ulm/ulm_00000{number}_000019"
        city.photo(name)
        city.polygons(box(10 + number, 20), box(150, 40, 70, 60), name=name)
    return folder
