from __future__ import annotations

from pathlib import Path

from tests.data.importers.makers.pictures import PARTS, mask, photo, save


def make(folder: Path, count: int) -> Path:
    for number in range(count):
        save(folder / "images" / f"{number}.jpg", photo(number))
        save(folder / "masks" / f"{number}.png", mask(number))
    rows = [f"{id},{name}" for id, name in enumerate(PARTS, 1)]
    (folder / "parts.csv").write_text("\n".join(["id,name", *rows]), encoding="utf-8")
    return folder
