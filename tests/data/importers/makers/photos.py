from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def make(folder: Path, count: int) -> Path:
    (folder / "lot").mkdir(parents=True)
    for number in range(count):
        noise = np.random.default_rng(number).integers(0, 255, (48, 64, 3), np.uint8)
        Image.fromarray(noise).save(folder / "lot" / f"{number}.jpg")
    return folder
