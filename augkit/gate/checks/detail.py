"""Is the car as sharp as real ones? Blur, flat colour and noise change how rough the paint is; light speckles do
not, and are counted."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.parts import BACKGROUND, IGNORE, Mask
from augkit.data.crop import Photo
from augkit.gate.candidate import Candidate, Sides, Stage
from augkit.gate.gate_check import CHECKS, FittedState
from augkit.gate.reference import ReferenceSet

LEAST = 1e-3
_APART = 60
"""Levels of 255 by which a speck differs from its surroundings in one of the colours."""


@CHECKS.register("detail")
class Detail:
    """Roughness of the car's pixels, on a logarithmic scale, and the share of specks among them; in photos without
    parts all pixels count."""

    stage: ClassVar[Stage] = "photo"
    sides: ClassVar[Sides] = {"detail": (True, True), "specks": (False, True)}

    def __init__(self, kept: FittedState, references: ReferenceSet) -> None:
        del kept, references

    @classmethod
    def fit(cls, references: ReferenceSet) -> FittedState:
        """Nothing is learnt but the bounds."""
        del references
        return FittedState()

    def score(self, candidate: Candidate) -> dict[str, float]:
        """The natural logarithm of the roughness; the specks' share, 0 to 1."""
        photo, mask = candidate.pair.photo, candidate.pair.mask
        return {"detail": float(np.log(roughness(photo, mask) + LEAST)), "specks": specks(photo, mask)}


def roughness(photo: Photo, mask: Mask) -> float:
    """(H, W, 3), (H, W) -> mean absolute Laplacian of the car's grey levels over their standard deviation.

    0 for one colour; neither brightness nor contrast changes it.
    """
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float64)
    inside = _car(mask)
    spread = float(grey[inside].std())
    edges = np.abs(cv2.Laplacian(grey, cv2.CV_64F))
    return float(edges[inside].mean()) / spread if spread > 1.0 else 0.0


def specks(photo: Photo, mask: Mask) -> float:
    """(H, W, 3), (H, W) -> share of the car's pixels that lie further than ``_APART`` from their 3 x 3 median."""
    apart = cv2.absdiff(photo, cv2.medianBlur(photo, 3)).max(-1) > _APART
    return float(apart[_car(mask)].mean())


def _car(mask: Mask) -> NDArray[np.bool_]:
    """Where the car is; everywhere, where the mask shows none."""
    car: NDArray[np.bool_] = (mask != BACKGROUND) & (mask != IGNORE)
    return car if car.any() else np.ones_like(car)
