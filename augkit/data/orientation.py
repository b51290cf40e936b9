"""From where a car is seen, told from its part mask. No learning: areas and places of parts, known by their names.

The classes are quadrants of the camera's azimuth (see ``core.classes``), so the rule decides front or back, and left
or right, each as the sign of a score with the terms below. ``core.part_names`` reads the names of parts,
``part_semantics`` says what they are to this rule. All places are columns of the picture, and a flip of the mask turns
the sign of every left/right term exactly (they are formed from whole numbers), so a mirrored mask has the mirrored
class, the same doors and the same confidence.

Left or right: the car's own left side is visible where the score is positive.

- Depth (weight 2). Seen from its left side a car's front is at the picture's left, from its right side at the right.
  The term is the slope of the parts' columns over their depth, i.e. their place along the car from 0 (front) to 1
  (back), by least squares over all pixels, in widths of the car in the picture: near 1 in a side view, near 0 in a
  frontal one. It asks for no left and right in the names, so it also holds where the labels are mirrored.
- Doors (weight 1): left minus right door area over their sum; fully from 2 % of the car's area.
- Lights (weight 1): the nearer light of a pair looks larger. Of two lights of one end it is their places that say which
  is the left one; of a single light it is its name.
- Mirrors (weight 1/4): the name, where a single one is visible.

Front or back: front where the score is positive.

- Ends: weighted area of front parts minus that of back parts, as a share of the car's area. Trunk and panes count
  less the more of the doors is visible, and not at all where they take 20 % of the car's area.
- Wheels, where doors and a wheel at both sides of their centre are visible: the nearer wheel looks larger and stands
  lower in the picture. This decides side views, in which the ends show little.

The confidence is the smaller of the two scores' absolute values, both of which lie in 0..1. It is low near the border
of two quadrants: in exact side views (front or back?) and exact frontal views (left or right?). A tie is the one case
that a flip cannot mirror: a score of 0, e.g. of an empty or a symmetric mask, counts as front, or as left, with
confidence 0.

Doors: ``5`` where rear doors cover at least 0.4 % of the car; else ``3`` where front doors do and the car goes on
behind them (a wheel or a part of the back beyond their edge: a door at the border of a photo, or one that stands open
in a frontal view, leaves room for others), else ``unknown``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from augkit.core.classes import CarClass, Doors, Orientation
from augkit.core.parts import BACKGROUND, IGNORE, Mask, PartSchema, column_histogram
from augkit.data.part_semantics import PartSemantics, Table, part_semantics

VISIBLE_SHARE = 0.004
_TERMS = {"depth": 2.0, "doors": 1.0, "lights": 1.0, "mirrors": 0.25}
_DEPTH_SCALE, _LIGHT_SCALE, _DOOR_SHARE = 0.2, 0.2, 0.02
_FLANK_SHARE = 0.2
_END_SCALE, _SIZE_SCALE, _HEIGHT_SCALE = 0.08, 0.10, 0.05


@dataclass(frozen=True)
class CarView:
    """From where a car is seen: quadrant, confidence in it (0..1), and the doors that are visible."""

    orientation: Orientation
    confidence: float
    doors: Doors

    @property
    def car_class(self) -> CarClass:
        """The class that it counts for."""
        return CarClass(self.orientation, self.doors)


@dataclass(frozen=True)
class _Figures:
    """Sums over a mask, all whole numbers. ``columns`` is (K, W): pixels by part and column, of the parts ``shown``;
    ``area`` and ``moment`` (256,), by id, are its sums and its sums times ``place``, the columns' places (W,) around
    the middle, in half pixels."""

    shown: Table
    columns: Table
    place: Table
    area: Table
    moment: Table

    @classmethod
    def of(cls, mask: Mask) -> _Figures:
        counts, width = column_histogram(mask), mask.shape[1]
        shown = np.flatnonzero(counts.any(axis=1))
        shown = shown[(shown != BACKGROUND) & (shown != IGNORE)]
        columns = counts[shown].astype(np.int64)
        place = 2 * np.arange(width, dtype=np.int64) - (width - 1)
        area, moment = np.zeros(256, np.int64), np.zeros(256, np.int64)
        area[shown], moment[shown] = columns.sum(axis=1), columns @ place
        return cls(shown, columns, place, area, moment)

    @property
    def car(self) -> int:
        """Pixels of all parts."""
        return int(self.area.sum())

    @property
    def width(self) -> int:
        """Columns from the first to the last that shows a part."""
        shown = np.flatnonzero(self.columns.any(axis=0))
        return int(shown[-1] - shown[0] + 1)


def classify(mask: Mask, schema: PartSchema) -> CarView:
    """(H, W) mask -> the view of its car. A pure function, for any schema (see the module's text for the rule)."""
    semantics, sums = part_semantics(schema), _Figures.of(mask)
    if not sums.car:
        return CarView("A", 0.0, "unknown")
    side = _side(sums, semantics)
    end = _end(mask, sums, semantics, left=side >= 0)
    orientation: Orientation = ("A" if side >= 0 else "D") if end >= 0 else ("B" if side >= 0 else "C")
    return CarView(orientation, min(abs(side), abs(end)), _doors(sums, semantics, left=side >= 0))


def _side(sums: _Figures, semantics: PartSemantics) -> float:
    """-1..1, positive where the car's left side is visible."""
    left, right = _sides(sums.area, semantics.front_door + semantics.rear_door, semantics)
    mirrors = _sides(sums.area, semantics.mirror, semantics)
    terms = {
        "depth": math.tanh(_depth_slope(sums, semantics) / _DEPTH_SCALE),
        "doors": _balance(left, right) * min(1.0, (left + right) / (_DOOR_SHARE * sums.car)),
        "lights": math.tanh(_lights(sums, semantics) / _LIGHT_SCALE),
        "mirrors": _balance(*mirrors) if not all(mirrors) else 0.0,
    }
    return sum(weight * terms[name] for name, weight in _TERMS.items()) / sum(_TERMS.values())


def _depth_slope(sums: _Figures, semantics: PartSemantics) -> float:
    """Columns over depth by least squares, in widths of the car a car length."""
    area, moment, depth = sums.area * semantics.placed, sums.moment * semantics.placed, semantics.depth
    pixels, places = int(area.sum()), int(moment.sum())
    first, second, mixed = int(area @ depth), int(area @ depth**2), int(moment @ depth)
    spread = pixels * second - first * first
    # Places are in half pixels and depths in percent.
    return 50 * (pixels * mixed - first * places) / (spread * sums.width) if spread else 0.0


def _lights(sums: _Figures, semantics: PartSemantics) -> float:
    """-1..1, positive where the lights of the left side look larger."""
    total = found = 0.0
    for kind, end in ((semantics.front_light, 1), (semantics.back_light, -1)):
        left, right = _sides(sums.area, kind, semantics)
        order = 1
        if left and right:
            left_moment, right_moment = _sides(sums.moment, kind, semantics)
            gap = left_moment * right - right_moment * left
            order = end * ((gap > 0) - (gap < 0))  # seen from the front, the car's left is at the picture's right
        total += order * (left - right)
        found += left + right
    return total / found if found else 0.0


def _end(mask: Mask, sums: _Figures, semantics: PartSemantics, left: bool) -> float:
    """-1..1, positive where the front is visible."""
    doors = int(sums.area @ (semantics.front_door + semantics.rear_door))
    faded = min(1.0, doors / (_FLANK_SHARE * sums.car))
    ends = int(sums.area @ semantics.end) - faded * int(sums.area @ semantics.fading)
    strongest = int(np.abs(semantics.end).max()) or 1
    score = max(-4.0, min(4.0, ends / (strongest * sums.car * _END_SCALE)))
    if doors:
        size, height = _wheels(mask, sums, semantics, left)
        score += math.tanh(size / _SIZE_SCALE) + math.tanh(height / _HEIGHT_SCALE)
    return math.tanh(score)


def _wheels(mask: Mask, sums: _Figures, semantics: PartSemantics, left: bool) -> tuple[float, float]:
    """How much larger the front wheel is than the rear one (-1..1), and how much lower, in distances between them."""
    door, wheel = semantics.front_door + semantics.rear_door, semantics.wheel
    door_area, door_moment = int(sums.area @ door), int(sums.moment @ door)
    offset = sums.place * door_area - door_moment
    at_left, at_right = offset < 0, offset > 0
    front, rear = (at_left, at_right) if left else (at_right, at_left)
    counts = wheel[sums.shown] @ sums.columns
    area, other = int(counts[front].sum()), int(counts[rear].sum())
    if min(area, other) < 0.15 * max(area, other) or not min(area, other):
        return 0.0, 0.0
    wheels = cv2.LUT(mask, wheel.astype(np.uint8)).astype(np.float64)  # exact, and many times as fast as whole numbers
    rows, places = (np.arange(len(mask), dtype=np.float64) @ wheels).astype(np.int64), counts * sums.place
    lower = int(rows[front].sum()) / area - int(rows[rear].sum()) / other
    apart = abs(int(places[front].sum()) / area - int(places[rear].sum()) / other) / 2
    return _balance(area, other), lower / apart


def _doors(sums: _Figures, semantics: PartSemantics, left: bool) -> Doors:
    least = VISIBLE_SHARE * sums.car
    if int(sums.area @ semantics.rear_door) >= least:
        return "5"
    if int(sums.area @ semantics.front_door) < least:
        return "unknown"
    # From the door towards the back of the car: to the right where the left side is seen.
    columns = sums.columns if left else sums.columns[:, ::-1]
    door = np.cumsum(semantics.front_door[sums.shown] @ columns)
    edge = int(np.searchsorted(20 * door, 19 * door[-1]))  # 95 %: specks must not move it
    behind = semantics.wheel + (semantics.end < 0)
    return "3" if int((behind[sums.shown] @ columns)[edge + 1 :].sum()) >= least else "unknown"


def _sides(values: Table, kind: Table, semantics: PartSemantics) -> tuple[int, int]:
    """Sums over the left and the right parts of a kind."""
    return int(values @ (kind * (semantics.side > 0))), int(values @ (kind * (semantics.side < 0)))


def _balance(one: int, other: int) -> float:
    """-1..1: the difference over the sum; 0 where both are 0."""
    return (one - other) / (one + other) if one or other else 0.0
