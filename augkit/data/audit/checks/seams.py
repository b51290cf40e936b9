"""Masks that were resized smoothly: along the seams of two parts lie the ids in between, which are other parts'."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from augkit.core.parts import IGNORE, Mask
from augkit.data.audit.audit_check import Figures, Finding, Hit, check, worst_first
from augkit.data.audit.measurements import AuditedPair, Measurements

LARGEST_SHARE = 0.1
"""Of the crossings of a seam; real parts between two others, such as frames, are thin at a few seams only."""

_THIN = 1 / 32  # of the frame
_FEWEST = 8  # crossings by which a seam is known

Ints = NDArray[np.int64]


def blended_seams(audited: AuditedPair) -> Figures:
    """``share``: how often a line along the frame passes from one part to another through thin runs of the ids between.

    A seam is that of two ids at least 2 apart; every row and column that crosses it counts. Of all seams it is the
    median, each weighed by its crossings.
    """
    seams = np.concatenate([_crossings(audited.pair.mask), _crossings(audited.pair.mask.T)], axis=1)
    kinds, places = np.unique(seams[0], return_inverse=True)
    counts = np.bincount(places, minlength=len(kinds))
    shares = np.bincount(places, seams[1], len(kinds)) / np.maximum(counts, 1)
    known = counts >= _FEWEST
    return {"share": _median(shares[known], counts[known])}


def _crossings(mask: Mask) -> Ints:
    """(2, N) of each crossing in a row: which two ids, and 1 where those between them lie between."""
    width = mask.shape[1]
    flat = mask.reshape(-1).astype(np.int64)
    change = np.ones(flat.size, np.bool_)
    change[1:] = flat[1:] != flat[:-1]
    change[::width] = True
    starts = np.flatnonzero(change)
    ids, lengths = flat[starts], np.diff(np.append(starts, flat.size))
    firm = np.flatnonzero((lengths > max(2, round(_THIN * width))) & (ids != IGNORE))
    left, right = firm[:-1], firm[1:]
    ignored = np.cumsum(ids == IGNORE)
    whole = (starts[left] // width == starts[right] // width) & (ignored[left] == ignored[right])
    left, right = left[whole], right[whole]
    left, right = (side[np.abs(ids[left] - ids[right]) >= 2] for side in (left, right))
    rising, falling = (np.append(0, np.cumsum(sign * np.diff(ids) > 0)) for sign in (1, -1))
    steps = right - left
    between = (steps > 1) & ((rising[right] - rising[left] == steps) | (falling[right] - falling[left] == steps))
    low, high = np.minimum(ids[left], ids[right]), np.maximum(ids[left], ids[right])
    return np.stack([low * (IGNORE + 1) + high, between.astype(np.int64)])


def _median(values: NDArray[np.float64], weights: Ints) -> float:
    """The least value that half of the weights do not exceed; 0 of none."""
    if not values.size:
        return 0.0
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) * 2 >= weights.sum()
    return float(values[order][reached.argmax()])


@check("seams", "masks resized smoothly, with ids of other parts along the seams", blended_seams)
def seams(measurements: Measurements) -> Iterator[Finding]:
    """A warning: training learns these slivers, and the classes of cars may follow from them."""
    shares = measurements.column("seams", "share")
    hits = [
        Hit(row.id, share, f"at {share:.0%} of the crossings of a seam")
        for row, share in zip(measurements.seen, shares.tolist(), strict=True)
        if share > LARGEST_SHARE
    ]
    if hits:
        yield Finding(
            "seams",
            "warning",
            f"{len(hits)} of {len(measurements.seen)} masks have slivers of other parts along their seams, of the ids "
            "between those of the two parts: they were resized with interpolation",
            "make the masks anew at their own size, or resize them to the nearest neighbour, and import again",
            worst_first(hits),
        )
