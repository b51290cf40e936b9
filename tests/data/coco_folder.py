from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

PARTS = ("hood", "front_bumper", "front_left_door", "back_left_door", "front_right_door", "back_right_door", "wheel")


class CocoFolder:
    """A COCO data set in the making: change ``data``, then ``write``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        categories = [{"id": 5 + 2 * n, "name": name} for n, name in enumerate(PARTS)]
        self.data: dict[str, Any] = {
            "images": [],
            "categories": [{"id": 1, "name": "_background_"}, *categories],
            "annotations": [],
        }

    def category(self, name: str) -> int:
        return next(c["id"] for c in self.data["categories"] if c["name"] == name)

    def add(self, name: str = "a.jpg", size: tuple[int, int] = (64, 48), **shapes: Any) -> int:
        """A photo (width, height) with one segmentation a part; by default a hood."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        number = len(self.data["images"]) + 1
        noise = np.random.default_rng(number).integers(0, 255, (size[1], size[0], 3), np.uint8)
        Image.fromarray(noise).save(path)
        self.data["images"].append({"id": number, "file_name": name, "width": size[0], "height": size[1]})
        for part, shape in (shapes or {"hood": [square(10, 10, 20)]}).items():
            self.annotate(number, part, shape)
        return number

    def annotate(self, image: int, part: str, shape: Any) -> None:
        annotation = {"id": len(self.data["annotations"]) + 1, "image_id": image, "category_id": self.category(part)}
        self.data["annotations"].append(annotation | {"segmentation": shape})

    def write(self, name: str = "annotations.json") -> Path:
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(json.dumps(self.data), encoding="utf-8")
        return self.root


def square(x: float, y: float, side: float) -> list[float]:
    return [x, y, x + side, y, x + side, y + side, x, y + side]
