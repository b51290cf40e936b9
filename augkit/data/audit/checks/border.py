"""Cars that the photo's border cuts."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from augkit.data.audit.audit_check import Figures, Finding, Hit, check, worst_first
from augkit.data.audit.measurements import AuditedPair, Measurements
from augkit.data.catalogue import CatalogueRow

LARGEST_CONTACT = 0.2
"""Share of the car's height (or width): a bumper that touches is no cut, an end that is missing touches with more."""

_LINES = 1 / 128  # of the frame: what is looked at next to the border
_SIDES = ("left", "right", "top", "bottom")


def contact(audited: AuditedPair) -> Figures:
    """How much of the car's height (width) touches the photo's left and right (top and bottom) border."""
    return dict(zip(_SIDES, contacts(audited.row, audited.car), strict=True))


def contacts(row: CatalogueRow, car: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """For the (S, S) car of a canonical pair: 0 for a border of the source photo that lies outside the frame."""
    left, right = _borders(row.crop_x, row.width, row)
    top, bottom = _borders(row.crop_y, row.height, row)
    height, width = max(1, int(car.any(1).sum())), max(1, int(car.any(0).sum()))
    lines = max(1, round(_LINES * row.size))
    at_left, at_right = car[:, left : left + lines], car[:, max(0, right - lines) : right]
    at_top, at_bottom = car[top : top + lines], car[max(0, bottom - lines) : bottom]
    return (
        float(at_left.any(1).sum()) / height,
        float(at_right.any(1).sum()) / height,
        float(at_top.any(0).sum()) / width,
        float(at_bottom.any(0).sum()) / width,
    )


def _borders(start: int, length: int, row: CatalogueRow) -> tuple[int, int]:
    """Where the photo begins and ends on one axis of the frame: ``size`` and 0 where that is outside of it."""
    scale = row.size / row.crop_side
    first = math.ceil(-start * scale) if start <= 0 else row.size
    last = math.floor((length - start) * scale) if start + row.crop_side >= length else 0
    return first, last


@check("border", "cars that the photo's border cuts", contact, excludes=True)
def border(measurements: Measurements) -> Iterator[Finding]:
    """A warning: generators learn to cut cars as well."""
    figures = np.array([measurements.column("border", side) for side in _SIDES])
    hits = [
        Hit(row.id, float(values.max()), f"{values.max():.0%} along the {_SIDES[int(values.argmax())]} border")
        for row, values in zip(measurements.seen, figures.T, strict=True)
        if values.max() > LARGEST_CONTACT
    ]
    if hits:
        yield Finding(
            "border",
            "warning",
            f"{len(hits)} of {len(measurements.seen)} cars are cut by the photo's border: it touches more than "
            f"{LARGEST_CONTACT:.0%} of the car's height or width",
            "leave these photos out where there are enough others of their class",
            worst_first(hits),
        )
