"""Left and right labels that contradict what is seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augkit.core.parts import PartSchema
from augkit.data.audit.audit_check import Figures, Finding, Hit, check, worst_first
from augkit.data.audit.measurements import AuditedPair, Measurements
from augkit.data.part_semantics import PartSemantics, part_semantics

STEEP = 0.3
"""Slope of the parts' columns over their depth from which on a flank is in sight (see ``augkit.data.orientation``)."""

VISIBLE_SHARE = 0.002
_APART = 0.05
_SURE = 0.5


@dataclass(frozen=True)
class _Places:
    """Areas (256,) in pixels, and mean columns (256,) from 0 to 1 over the car's width (0 where there is no pixel)."""

    area: NDArray[np.float64]
    column: NDArray[np.float64]
    car: float

    @classmethod
    def of(cls, audited: AuditedPair) -> _Places:
        area, mask = audited.areas.astype(np.float64), audited.pair.mask
        columns = np.broadcast_to(np.arange(mask.shape[1], dtype=np.float64), mask.shape)
        sums = np.bincount(mask.reshape(-1), weights=columns.reshape(-1), minlength=256)
        shown = np.flatnonzero(audited.car.any(0))
        first, width = (float(shown[0]), float(np.ptp(shown)) + 1) if shown.size else (0.0, 1.0)
        return cls(area, (sums / np.maximum(area, 1) - first) / width, float(audited.car.sum()))

    def mean_column(self, ids: NDArray[np.bool_]) -> float:
        """Of several parts together; the middle where none of them shows."""
        area = self.area * ids
        return float(area @ self.column / area.sum()) if area.sum() else 0.5


def contradictions(audited: AuditedPair) -> Figures:
    """The strongest contradiction of a left or right label (0: none), and what it is."""
    places, semantics = _Places.of(audited), part_semantics(audited.schema)
    if not places.car:
        return {"score": 0.0, "what": ""}
    visible = places.area > VISIBLE_SHARE * places.car
    found = [
        *_of_both(places, semantics, audited.schema, visible),
        *_of_one(places, semantics, audited.schema, visible),
    ]
    score, what = max(found, default=(0.0, ""))
    return {"score": score, "what": what}


def _slope(places: _Places, semantics: PartSemantics) -> float:
    """Columns over depth by least squares: positive where the left flank is in sight. Asks for no left and right."""
    weight = places.area * semantics.placed
    total, depth = weight.sum(), semantics.depth / 100
    if not total:
        return 0.0
    centred = depth - weight @ depth / total
    spread = float(weight @ centred**2)
    return float(weight @ (centred * places.column)) / spread if spread > 1e-6 * total else 0.0


def _end(places: _Places, semantics: PartSemantics) -> float:
    """-1..1: area of front parts less that of back parts, over both."""
    total = places.area @ np.abs(semantics.end)
    return float(places.area @ semantics.end / total) if total else 0.0


def _of_both(
    places: _Places, semantics: PartSemantics, schema: PartSchema, visible: NDArray[np.bool_]
) -> Iterator[tuple[float, str]]:
    """Seen from the front a car's left is at the picture's right, from the back at its left. A light says itself from
    which end it is seen; for other parts it is the end that shows."""
    lights, overall = semantics.front_light - semantics.back_light, _end(places, semantics)
    for pair in schema.swaps:
        left, right = sorted(pair, key=lambda id: -semantics.side[id])
        if not (visible[left] and visible[right] and semantics.side[left] > 0):
            continue
        end = float(lights[left]) or overall
        apart = float(places.column[left] - places.column[right])
        if abs(end) >= _SURE and abs(apart) >= _APART and apart * end < 0:
            yield abs(apart * end), f"{schema.names[left]} and {schema.names[right]} have changed places"


def _of_one(
    places: _Places, semantics: PartSemantics, schema: PartSchema, visible: NDArray[np.bool_]
) -> Iterator[tuple[float, str]]:
    """A door or a light alone, without its mate, belongs to the flank in sight. A far mirror can be in sight alone; it
    is wrong where it lies on the near side of the windows."""
    slope, end = _slope(places, semantics), _end(places, semantics)
    flank = semantics.front_door + semantics.rear_door + semantics.front_light + semantics.back_light
    middle = places.mean_column((semantics.side == 0) & (semantics.end != 0))
    for part in schema.parts:
        side, mate = int(semantics.side[part.id]), int(schema.flip_table[part.id])
        alone = places.area[mate] < places.area[part.id] / 2
        if not (side and visible[part.id] and alone and side * slope < 0 and abs(slope) >= STEEP):
            continue
        near = semantics.mirror[part.id] and end >= _SURE and (places.column[part.id] - middle) * -side > _APART
        if flank[part.id] or near:
            score = abs(slope) * min(1.0, float(places.area[part.id]) / (0.02 * places.car))
            yield score, f"{schema.names[part.id]} on the car's {'right' if side > 0 else 'left'} side"


@check("sides", "left and right labels that contradict the view", contradictions)
def sides(measurements: Measurements) -> Iterator[Finding]:
    """A warning: stage I learns these labels, and the class of a row with few others may rest on them."""
    scores, named = measurements.column("sides", "score"), measurements.texts("sides", "what")
    hits = [
        Hit(row.id, score, what)
        for row, score, what in zip(measurements.seen, scores.tolist(), named, strict=True)
        if what
    ]
    if hits:
        yield Finding(
            "sides",
            "warning",
            f"{len(hits)} of {len(measurements.seen)} masks name a left part right, or a right part left",
            "exchange the labels at the source and import again",
            worst_first(hits),
        )
