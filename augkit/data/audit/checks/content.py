"""Masks that show nothing, or next to nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from augkit.data.audit.audit_check import Figures, Finding, Hit, check, worst_first
from augkit.data.audit.measurements import AuditedPair, Measurements

SMALLEST_SHARE = 0.05
"""The cut puts the parts' bounding box in the frame, so a whole car fills more than a tenth of it."""

FEWEST_PARTS = 4
"""A set in which half the masks show this many parts shows whole cars: one with a quarter of them does not."""

VISIBLE_SHARE = 0.002


def content(audited: AuditedPair) -> Figures:
    """Share of the photo's area in the frame that parts cover, and the number of parts that show."""
    car = int(audited.car.sum())
    parts = int((audited.areas[1:255] > VISIBLE_SHARE * max(car, 1)).sum())
    return {"share": car / max(1, int(audited.inside.sum())), "parts": parts}


def _remark(share: float, parts: float) -> str:
    return "no part" if share == 0 else f"{share:.1%} of the frame, {parts:.0f} part(s)"


@check("empty", "masks that show no part, or hardly any", content, guards=True, excludes=True)
def empty(measurements: Measurements) -> Iterator[Finding]:
    """Fatal where it leaves a class without any mask; else a warning."""
    shares, parts = measurements.column("empty", "share"), measurements.column("empty", "parts")
    usual = float(np.median(parts)) if parts.size else 0.0
    few = usual / 4 if usual >= FEWEST_PARTS else 0.0
    hits = [
        Hit(row.id, 1 - share, _remark(share, count))
        for row, share, count in zip(measurements.seen, shares.tolist(), parts.tolist(), strict=True)
        if share < SMALLEST_SHARE or count <= few
    ]
    remedy = "draw these masks anew, or leave the photos out, and import again"
    if hits:
        yield Finding(
            "empty",
            "warning",
            f"{len(hits)} of {len(measurements.seen)} masks show next to nothing: less than {SMALLEST_SHARE:.0%} of "
            f"the frame, or {few:.0f} of the {usual:.0f} parts that masks here usually show",
            remedy,
            worst_first(hits),
        )
    blank = [row for row, share in zip(measurements.seen, shares.tolist(), strict=True) if share == 0]
    counts, all_counts = Counter(row.car_class for row in blank), Counter(row.car_class for row in measurements.rows)
    lost = {car_class for car_class, count in counts.items() if count == all_counts[car_class]}
    if lost:
        yield Finding(
            "empty",
            "fatal",
            f"every mask of {', '.join(sorted(c.name for c in lost))} is empty",
            remedy,
            tuple(Hit(row.id, 1.0, "no part") for row in blank if row.car_class in lost),
        )
