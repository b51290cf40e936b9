"""How sure a reading has to be, part by part: from labelled photos that the segmenter has not seen.

One threshold for all parts starves small ones, whose confidence is lower (UniMatch, issue 58). A part's is the lowest
confidence from which on the share ``right`` of its pixels is right; but where that would keep less than ``least_kept``
of them, it is the confidence that keeps so many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augkit.core.parts import BACKGROUND, IGNORE, Mask
from augkit.sources.teacher.car_reader import Chances

EACH = 4096
"""Pixels of a photo that are looked at."""


@dataclass(frozen=True)
class SeenPixels:
    """Some pixels of a labelled photo, (N,): what was ``read`` of them, how surely, and whether that is right."""

    read: NDArray[np.uint8]
    confidence: NDArray[np.float32]
    right: NDArray[np.bool_]

    @classmethod
    def of(cls, chances: Chances, mask: Mask) -> SeenPixels:
        """At even steps, of a reading and the true mask of its size; what the mask ignores is left out."""
        seen = np.flatnonzero(mask.reshape(-1) != IGNORE)
        seen = seen[:: max(1, len(seen) // EACH)]
        read = chances.read.reshape(-1)[seen]
        return cls(read, chances.confidence.reshape(-1)[seen], read == mask.reshape(-1)[seen])


@dataclass(frozen=True)
class PartThresholds:
    """The least confidence by part id, background first."""

    least: tuple[float, ...]

    @classmethod
    def fit(cls, seen: Sequence[SeenPixels], channels: int, right: float, least_kept: float) -> PartThresholds:
        """From pixels of labelled photos. A part that was never read gets the threshold of all pixels together."""
        read, confidence, hit = (
            np.concatenate([getattr(some, name) for some in seen]) for name in ("read", "confidence", "right")
        )
        least = []
        for part in range(channels):
            own = read == part
            own = own if own.any() else np.ones_like(own)
            least.append(_lowest(confidence[own], hit[own], right, least_kept))
        return cls(tuple(least))

    def apply(self, chances: Chances) -> Mask:
        """(s, s) what was read, with 255 where it is uncertain."""
        read = chances.read
        return np.where(chances.confidence >= np.asarray(self.least)[read], read, IGNORE).astype(np.uint8)

    def to_list(self) -> list[float]:
        """Plain data."""
        return [round(value, 6) for value in self.least]

    @classmethod
    def from_list(cls, values: Sequence[float]) -> PartThresholds:
        """Inverse of ``to_list``."""
        return cls(tuple(map(float, values)))


def kept_share(read: Mask, kept: Mask) -> float:
    """Of the pixels that were read as parts (s, s), the share that is kept; 0 where none was."""
    car = (read != BACKGROUND) & (read != IGNORE)
    return float((kept[car] != IGNORE).mean()) if car.any() else 0.0


def _lowest(confidence: NDArray[Any], hit: NDArray[Any], right: float, least_kept: float) -> float:
    """The threshold of pixels with these confidences, of which these are right."""
    order = np.argsort(-confidence, kind="stable")
    shares = hit[order].cumsum() / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(shares >= right)
    last = max(int(enough[-1]) if len(enough) else 0, round(least_kept * len(order)) - 1)
    return float(confidence[order[max(0, last)]])
