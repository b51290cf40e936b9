"""The gate on masks: what a class must and must not show, learnt from its real masks.

Every score is a column of the index; a rejected mask keeps its row, with the reasons.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.classes import ORIENTATIONS, CarClass
from augkit.core.parts import BACKGROUND, Mask, PartSchema, histogram
from augkit.data.catalogue import CatalogueRow
from augkit.data.exclusive_parts import exclusive_parts
from augkit.data.orientation import classify
from augkit.gate.candidate import Verdict
from augkit.gate.options import RuleOptions

ENOUGH = 20
"""Real masks from which a class's own statistics are used; below, those of its orientation join."""

FULL_AREA = 128 * 128
"""Pixels of the picture that ``min_part_pixels`` speaks of."""


@dataclass(frozen=True)
class ClassRanges:
    """What a class's masks look like: for each part its share of the frame, from ``low`` to ``high`` where shown.

    ``required`` and ``allowed`` are (K,) booleans by part id.
    """

    required: NDArray[np.bool_]
    allowed: NDArray[np.bool_]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class RuleLimits:
    """How much of each fault is let through: numbers of parts, and a natural logarithm of a factor."""

    parts_missing: float
    parts_unexpected: float
    parts_exclusive: float
    area_excess: float


class MaskRule:
    """Judges generated masks of the classes that the real rows show."""

    def __init__(self, rows: Sequence[CatalogueRow], schema: PartSchema, options: RuleOptions) -> None:
        self.schema, self.options = schema, options
        shares = _shares(rows, schema)
        self.bounds = {c: _learn(reference(c, shares), options) for c in shares}
        self.exclusive = self._exclusive(shares)

    def clean(self, mask: Mask) -> tuple[Mask, float]:
        """(H, W) mask -> the mask without stray specks, and the share of its pixels that was removed.

        A part's connected pieces below the minimal size go to the background, but never a part's largest piece.
        """
        smallest = self.options.min_part_pixels * mask.size / FULL_AREA
        cleaned = mask.copy()
        for part in np.unique(mask[mask != BACKGROUND]):
            count, labels, stats, _ = cv2.connectedComponentsWithStats((mask == part).astype(np.uint8), connectivity=8)
            areas = stats[:, cv2.CC_STAT_AREA]
            areas[0] = 0  # OpenCV's background
            stray = [piece for piece in range(1, count) if areas[piece] < smallest and piece != areas.argmax()]
            cleaned[np.isin(labels, stray)] = BACKGROUND
        return cleaned, float((cleaned != mask).mean())

    def judge(self, mask: Mask, car_class: CarClass, limits: RuleLimits | None = None) -> Verdict:
        """Compares a cleaned (H, W) mask with the class's bounds; without ``limits`` no part may be missing, none
        unexpected or beside one that it excludes, and areas stay within ``slack``.
        """
        let = limits or RuleLimits(0, 0, 0, math.log(self.options.slack))
        view = classify(mask, self.schema)
        share = histogram(mask, self.schema.channels) / mask.size
        bounds = self.bounds[car_class]
        shown = share > self._least
        clashing = self.exclusive @ shown & shown
        missing, surplus = bounds.required & ~shown, shown & ~bounds.allowed
        excess = _excess(share, bounds) * (shown & bounds.allowed)
        scores = {
            "view_confidence": view.confidence,
            "parts_missing": float(missing.sum()),
            "parts_unexpected": float(surplus.sum()),
            "parts_exclusive": float(clashing.sum()),
            "area_excess": float(excess.max()),
        }
        faults = {
            "missing": missing & (scores["parts_missing"] > let.parts_missing),
            "unexpected": surplus & (scores["parts_unexpected"] > let.parts_unexpected),
            "exclusive": clashing & (scores["parts_exclusive"] > let.parts_exclusive),
            "area": excess > let.area_excess,
        }
        reasons = [] if view.car_class == car_class else [f"view:{view.car_class.name}"]
        names = self.schema.names
        reasons += [f"{fault}:{names[part]}" for fault, parts in faults.items() for part in np.flatnonzero(parts)]
        return Verdict(scores, reasons)

    def exclusive_names(self) -> list[tuple[str, str]]:
        """The pairs of parts that exclude each other."""
        return [(self.schema.names[a], self.schema.names[b]) for a, b in np.argwhere(np.triu(self.exclusive))]

    @property
    def _least(self) -> float:
        """The share of the frame up to which a part counts as not shown."""
        return self.options.min_part_pixels / FULL_AREA

    def _exclusive(self, shares: Mapping[CarClass, NDArray[np.float64]]) -> NDArray[np.bool_]:
        """(K, K): see ``exclusive_parts``."""
        if not shares:
            return np.zeros((self.schema.channels, self.schema.channels), np.bool_)
        views = np.repeat([ORIENTATIONS.index(c.orientation) for c in shares], [len(own) for own in shares.values()])
        return exclusive_parts(np.concatenate(list(shares.values())) > self._least, views)


def reference(car_class: CarClass, shares: Mapping[CarClass, NDArray[np.float64]]) -> NDArray[np.float64]:
    """(M, K) shares of the class's real masks; with those of its whole orientation where they are few."""
    own = shares[car_class]
    if len(own) >= ENOUGH:
        return own
    return np.concatenate([s for c, s in shares.items() if c.orientation == car_class.orientation])


def _shares(rows: Sequence[CatalogueRow], schema: PartSchema) -> dict[CarClass, NDArray[np.float64]]:
    """(M, K) part shares of the frame by class; each mask counts for its class and, mirrored, for the mirror class."""
    swap = schema.flip_table[: schema.channels]
    found: dict[CarClass, list[NDArray[np.float64]]] = {}
    for row in rows:
        if row.problem:
            continue
        share = np.asarray(row.histogram, np.float64) / row.size**2
        found.setdefault(row.car_class, []).append(share)
        found.setdefault(row.car_class.mirror, []).append(share[swap])
    return {car_class: np.stack(values) for car_class, values in found.items()}


def _learn(shares: NDArray[np.float64], options: RuleOptions) -> ClassRanges:
    present = shares > options.min_part_pixels / FULL_AREA
    how_often = present.mean(0)
    low, high = np.zeros(shares.shape[1]), np.ones(shares.shape[1])
    for part in np.flatnonzero(how_often):
        values = shares[present[:, part], part]
        low[part], high[part] = np.quantile(values, [options.quantile, 1 - options.quantile])
    return ClassRanges(how_often >= options.required_share, how_often > 0, low, high)


def _excess(share: NDArray[np.float64], bounds: ClassRanges) -> NDArray[np.float64]:
    """(K,) natural logarithm of the factor by which a share lies outside its range; 0 inside."""
    tiny = 1e-9
    above = np.log((share + tiny) / (bounds.high + tiny))
    below = np.log((bounds.low + tiny) / (share + tiny))
    return np.maximum(0.0, np.maximum(above, below))
