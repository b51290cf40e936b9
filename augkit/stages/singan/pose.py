"""Whether two cars stand alike, told from the wheels of their part masks.

A pyramid that one photo trained knows that photo's pose alone, and repaints other masks as if they had it. Wheels tell
the pose best: how many are in sight, how they lie to each other, and how round they look. All places are in widths of
the car in its own picture, so that neither its size nor its place in the frame matters.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from augkit.core.classes import READABLE
from augkit.core.parts import BACKGROUND, IGNORE, Mask, PartSchema
from augkit.data.orientation import classify
from augkit.data.part_semantics import part_semantics

LEAST_SHARE, FAINT, CLEAR = 0.002, 0.12, 0.5
"""Area of what may be a wheel, over the car's; and of what may be, or surely is one, over that of the largest."""
SPAN, DROP, ROUNDNESS = 0.13, 0.12, 0.3
"""How far wheelbase, height difference (in widths of the car) and width over height may be apart."""
SURE = 0.2
"""Confidence from which the orientation rule counts."""


@dataclass(frozen=True)
class Wheel:
    """A wheel in sight: its centre in widths of the car, from the car's upper left corner, and width over height.

    ``clear`` says whether it is large enough for any car in the same pose to show it too.
    """

    x: float
    y: float
    roundness: float
    clear: bool


def wheels_of(mask: Mask, schema: PartSchema) -> list[Wheel]:
    """(H, W) mask -> its wheels, at most two, the left one first; specks are none."""
    car = ((mask != BACKGROUND) & (mask != IGNORE)).astype(np.uint8)
    left, top, across, _ = cv2.boundingRect(car)
    shown = part_semantics(schema).wheel[mask].astype(np.uint8)
    count, _, stats, centres = cv2.connectedComponentsWithStats(shown)
    areas = stats[:, cv2.CC_STAT_AREA]
    blobs = sorted(range(1, count), key=lambda blob: int(areas[blob]), reverse=True)[:2]
    largest = int(areas[blobs[0]]) if blobs else 0
    wheels = [
        Wheel(
            float(centres[blob][0] - left) / across, float(centres[blob][1] - top) / across,
            float(stats[blob, cv2.CC_STAT_WIDTH] / stats[blob, cv2.CC_STAT_HEIGHT]),
            bool(areas[blob] >= CLEAR * largest),
        )
        for blob in blobs if areas[blob] >= max(LEAST_SHARE * int(car.sum()), FAINT * largest)
    ]  # fmt: skip
    return sorted(wheels, key=lambda wheel: wheel.x)


def pose_differences(photo: Mask, painting: Mask, schema: PartSchema) -> list[str]:
    """What speaks against one pose of the two cars, in words; empty where nothing does.

    Wheels cannot tell a front from a back, so the quadrants of the orientation rule are compared as well, where it is
    sure of both.
    """
    ours, theirs = wheels_of(photo, schema), wheels_of(painting, schema)
    return [*_counts(ours, theirs), *_places(ours, theirs), *_views(photo, painting, schema)]


def _counts(ours: list[Wheel], theirs: list[Wheel]) -> list[str]:
    """A wheel that is clear in the one and not in sight in the other."""
    clear = [sum(wheel.clear for wheel in wheels) for wheels in (ours, theirs)]
    if clear[0] <= len(theirs) and clear[1] <= len(ours):
        return []
    return [f"the photo shows {_number(ours)}, the painting {_number(theirs)}"]


def _places(ours: list[Wheel], theirs: list[Wheel]) -> list[str]:
    """How two wheels lie to each other, and how round they look."""
    if not len(ours) == len(theirs) == 2:
        return []
    (a, b), (c, d) = ours, theirs
    return [
        *_apart("the distance of the wheels", b.x - a.x, d.x - c.x, SPAN),
        *_apart("how far the right wheel is lower than the left one", b.y - a.y, d.y - c.y, DROP),
        *_apart("the wheels' width over height", (a.roundness + b.roundness) / 2, (c.roundness + d.roundness) / 2,
                ROUNDNESS),
    ]  # fmt: skip


def _views(photo: Mask, painting: Mask, schema: PartSchema) -> list[str]:
    ours, theirs = classify(photo, schema), classify(painting, schema)
    if ours.orientation == theirs.orientation or min(ours.confidence, theirs.confidence) < SURE:
        return []
    names = READABLE[ours.orientation], READABLE[theirs.orientation]
    return [f"the photo is seen from {names[0]}, the painting from {names[1]}"]


def _apart(what: str, photo: float, painting: float, limit: float) -> list[str]:
    if abs(photo - painting) <= limit:
        return []
    return [f"{what}: {photo:.2f} in the photo, {painting:.2f} in the painting"]


def _number(wheels: list[Wheel]) -> str:
    return {0: "no wheel", 1: "one wheel", 2: "two wheels"}[len(wheels)]
