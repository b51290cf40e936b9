from __future__ import annotations

from pathlib import Path

from tests.data.coco_folder import CocoFolder, square


def make(folder: Path, count: int) -> Path:
    coco = CocoFolder(folder)
    for number in range(count):
        coco.add(f"{number}.jpg", hood=[square(4 + number % 5, 8, 20)], wheel=[square(30, 20, 12)])
    return coco.write()
