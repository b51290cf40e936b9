from __future__ import annotations

from pathlib import Path

import yaml

from tests.data.importers.makers.pictures import PARTS, photo, save


def rectangle(part: int, left: float, top: float, right: float, bottom: float) -> str:
    """A row of a label file, in shares of the photo."""
    return f"{part} {left} {top} {right} {top} {right} {bottom} {left} {bottom}"


def make(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        save(folder / "images" / "train" / f"{number}.jpg", photo(number))
        rows = [rectangle(part, 0.1 + 0.15 * part, 0.2, 0.25 + 0.15 * part, 0.7) for part in range(len(PARTS))]
        label = folder / "labels" / "train" / f"{number}.txt"
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text("\n".join(rows) + "\n", encoding="utf-8")
    description = {"path": "../datasets/cars", "train": "images/train", "names": dict(enumerate(PARTS))}
    (folder / "data.yaml").write_text(yaml.safe_dump(description, sort_keys=False), encoding="utf-8")
    return folder
