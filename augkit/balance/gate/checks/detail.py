"""Is the car as sharp as real ones? Blur, flat colour, speckles and noise change how rough the paint is."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np

from augkit.balance.gate.evidence import Evidence
from augkit.balance.gate.pair import Pair, Sides, Stage
from augkit.balance.gate.registry import CHECKS, Kept
from augkit.data.crop import Photo
from augkit.parts import BACKGROUND, IGNORE, Mask

_LEAST = 1e-3


@CHECKS.register("detail")
class Detail:
    """Roughness of the car's pixels, on a logarithmic scale; that of photos without parts counts everywhere."""

    stage: ClassVar[Stage] = "photo"
    sides: ClassVar[Sides] = {"detail": (True, True)}

    def __init__(self, kept: Kept, evidence: Evidence) -> None:
        del kept, evidence

    @classmethod
    def fit(cls, evidence: Evidence) -> Kept:
        """Nothing is learnt but the bounds."""
        del evidence
        return Kept()

    def score(self, pair: Pair) -> dict[str, float]:
        """Natural logarithm of the roughness."""
        return {"detail": float(np.log(roughness(pair.painted, pair.mask) + _LEAST))}


def roughness(photo: Photo, mask: Mask) -> float:
    """(H, W, 3), (H, W) -> mean absolute Laplacian of the car's grey levels over their standard deviation.

    0 for one colour; neither brightness nor contrast changes it.
    """
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float64)
    car = (mask != BACKGROUND) & (mask != IGNORE)
    inside = car if car.any() else np.ones_like(car)
    spread = float(grey[inside].std())
    edges = np.abs(cv2.Laplacian(grey, cv2.CV_64F))
    return float(edges[inside].mean()) / spread if spread > 1.0 else 0.0
