from __future__ import annotations

from pathlib import Path

import numpy as np


def array(side: int = 40, label: int = 50, seed: int = 0) -> np.ndarray:
    """A photo of noise with a rectangle of the label."""
    values = np.random.default_rng(seed).integers(0, 256, (side, side + 4, 4)).astype(np.uint8)
    values[..., 3] = 0
    values[4:24, 4:30, 3] = label
    return values


def save(root: Path, name: str, values: np.ndarray | None = None) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        np.save(stream, array() if values is None else values)
    return path


def make(folder: Path, count: int) -> Path:
    for number in range(count):
        save(folder, f"black_5_doors_{number:04}.npy", array(seed=number))
    return folder
