"""Masks that do not lie on their photo: shifted, mirrored, or another photo's."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.parts import IGNORE, Mask
from augkit.data.audit.audit_check import Figures, Finding, Hit, check, worst_first
from augkit.data.audit.measurements import AuditedPair, Measurements
from augkit.data.crop import Photo, resize_mask

SIZE = 128
REACH = 12
NEAR, FAR = 1.5, 4.0
"""In pixels of a ``SIZE`` frame: a best place within ``NEAR`` is here, one from ``FAR`` on is elsewhere."""

FEWEST_PIXELS = 40
_SPREAD, _FAINT = 8, 1.0
_DEVIATIONS, _LOWEST_BOUND = 4.0, -0.25

Plane = NDArray[np.float32]

_OFFSETS = np.hypot(*np.mgrid[-REACH : REACH + 1, -REACH : REACH + 1])


def edge_agreement(audited: AuditedPair) -> Figures:
    """``gain``: by how much the outlines agree better with the photo's edges elsewhere than here.

    The agreement of a shift is the mean of the normalised edge strength under the shifted outlines, in standard
    deviations of the photo's pixels. ``gain`` is the best one from ``FAR`` px on less the best one within ``NEAR``;
    ``shift`` is the distance of that place in pixels of the frame. NaN where the mask has hardly an outline.
    """
    mask = resize_mask(audited.pair.mask, SIZE)
    across, down = _outlines(mask)
    if across.sum() + down.sum() < FEWEST_PIXELS:
        return {"gain": float("nan"), "shift": float("nan")}
    agreement = _agreement(audited.pair.photo, mask, across, down)
    elsewhere = np.where(_OFFSETS >= FAR, agreement, -np.inf)
    gain = float(elsewhere.max() - agreement[_OFFSETS <= NEAR].max())
    shift = float(_OFFSETS.reshape(-1)[elsewhere.argmax()]) * audited.pair.mask.shape[0] / SIZE
    return {"gain": gain, "shift": shift}


def _outlines(mask: Mask) -> tuple[Plane, Plane]:
    """1 where a pixel differs from its left neighbour, and from its upper one; the photo's border is no outline."""
    inside = mask != IGNORE
    across, down = np.zeros(mask.shape, np.float32), np.zeros(mask.shape, np.float32)
    across[:, 1:] = (mask[:, 1:] != mask[:, :-1]) & inside[:, 1:] & inside[:, :-1]
    down[1:] = (mask[1:] != mask[:-1]) & inside[1:] & inside[:-1]
    return across, down


def _agreement(photo: Photo, mask: Mask, across: Plane, down: Plane) -> Plane:
    """(2 REACH + 1, 2 REACH + 1) agreement by shift. Edges count only along the outline they lie under: what is left
    of an outline and what is right of it differ in colour, which a texture's edges do only by chance."""
    small = cv2.resize(photo, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2Lab), np.float32)
    inside = mask != IGNORE
    edges = [np.zeros(mask.shape, np.float32) for _ in range(2)]
    edges[0][:, 1:] = np.abs(np.diff(lab, axis=1)).max(axis=2)
    edges[1][1:] = np.abs(np.diff(lab, axis=0)).max(axis=2)
    around = cv2.GaussianBlur(np.maximum(*edges), (0, 0), _SPREAD)  # a faint edge in a calm region is an edge too
    total, weight = np.zeros(_OFFSETS.shape), np.zeros(_OFFSETS.shape)
    for edge, outline in zip(edges, (across, down), strict=True):
        strength = edge / (edge + around + _FAINT)
        known = strength[inside]
        z = np.where(inside, (strength - known.mean()) / (known.std() + 1e-3), 0)
        total = total + _under(z.astype(np.float32), outline)
        weight = weight + _under(inside.astype(np.float32), outline)
    return np.asarray(total / np.maximum(weight, weight.max() / 2), np.float32)


def _under(plane: Plane, outline: Plane) -> NDArray[np.float32]:
    """The sum of a plane under the outline, for every shift."""
    padded = cv2.copyMakeBorder(plane, REACH, REACH, REACH, REACH, cv2.BORDER_CONSTANT, value=(0,))
    return np.asarray(cv2.matchTemplate(padded, outline, cv2.TM_CCORR), np.float32)


@check("alignment", "masks whose outlines do not lie on the photo's edges", edge_agreement, excludes=True)
def alignment(measurements: Measurements) -> Iterator[Finding]:
    """Names the pairs above ``bound``; where that is most of them, photos and masks were matched wrongly."""
    gains, shifts = measurements.column("alignment", "gain"), measurements.column("alignment", "shift")
    known = gains[~np.isnan(gains)]
    if not known.size:
        return
    limit = bound(known)
    hits = [
        Hit(row.id, gain, f"fits {'better' if gain > 0 else 'as well'} {shift:.0f} px away")
        for row, gain, shift in zip(measurements.seen, gains.tolist(), shifts.tolist(), strict=True)
        if gain > limit
    ]
    if hits:
        yield Finding(
            "alignment",
            "warning",
            f"{len(hits)} of {known.size} masks fit their photo as well, or better, in another place",
            "see whether photos and masks were matched by name, and import again"
            if 2 * len(hits) > known.size
            else "look at them: shifted, mirrored, or another photo's; correct or leave out, and import again",
            worst_first(hits),
        )


def bound(gains: NDArray[np.float64]) -> float:
    """The largest gain of a mask that is in its place.

    0 is the absolute bound: above, the outlines agree better elsewhere. Where the set's masks fit well, one that fits
    hardly better here than elsewhere stands out before that: by more than four standard deviations from the median,
    told from the median absolute deviation.
    """
    median = float(np.median(gains))
    deviation = 1.4826 * float(np.median(np.abs(gains - median)))
    return min(0.0, max(_LOWEST_BOUND, median + _DEVIATIONS * deviation))
