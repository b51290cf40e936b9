"""GrabCut: the whole car by its colours and what is known of its place. Needs no model and no network.

Rother, Kolmogorov, Blake: "GrabCut": interactive foreground extraction using iterated graph cuts, SIGGRAPH 2004;
OpenCV's implementation. What is written here is where a car may be: the seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import DataError
from augkit.core.parts import BACKGROUND, IGNORE, Mask
from augkit.data.crop import Box, Photo, Region

_CUT_SIDE = 256
"""The cut is made at this size: its edge is that of the colours, and the time grows with the square."""
_ROUNDS = 4
_CONTEXT = 0.15
"""Share of the box that is looked at round it, for the colours of the background."""


@dataclass(frozen=True)
class _Reach:
    """How far the car goes beyond the hull of its parts; shares of the parts' height, ``side`` of its mean size.

    Where the parts fill their hull (a front), it is nearly the silhouette; where they leave gaps (a side without
    bumpers and fenders), the car goes on beyond them. ``*_gap`` is what a hull without any parts would add.
    ``clearance`` is the height of what is beside or between the wheels above the ground, ``skirt`` that of the rows
    above it in which colour decides; ``steep`` ends the line on which the car stands; ``annotation`` is how far, as a
    share of the mean size, the edges of parts may be wrong.
    """

    up: float = 0.05
    up_gap: float = 0.10
    side: float = 0.02
    side_gap: float = 0.30
    down: float = 0.02
    low_side: float = 0.01
    clearance: float = 0.14
    skirt: float = 0.22
    steep: float = 0.45
    annotation: float = 0.008


_REACH = _Reach()


def from_parts(photo: Photo, mask: Mask) -> Region:
    """(H, W, 3) RGB photo, (H, W) part ids -> (H, W) silhouette of the car that the parts belong to.

    Parts are on the car for sure, pixels far from their hull and those to ignore are not; colour decides about the
    rest (roof, fenders, pillars, what has no label). Empty where there is no part. The same input gives the same mask.
    """
    ignored = mask == IGNORE
    parts = ~ignored & (mask != BACKGROUND)
    silhouette = np.zeros(mask.shape, np.bool_)
    if parts.any():
        window = bounds(~ignored)  # padding has no colour of its own and must not be learned from
        silhouette[window] = _cut(photo[window], _part_seeds(parts[window], ignored[window]))
    return np.asarray(silhouette & ~ignored)  # holes to be ignored were filled


def from_box(photo: Photo, box: Box) -> Region:
    """(H, W, 3) RGB photo -> (H, W) silhouette of the car in a tight box ``(x0, y0, x1, y1)``, in pixels.

    Raises DataError where the box has no area inside the photo. The same input gives the same mask.
    """
    height, width = photo.shape[:2]
    x0, y0 = max(0, int(np.floor(box[0]))), max(0, int(np.floor(box[1])))
    x1, y1 = min(width, int(np.ceil(box[2]))), min(height, int(np.ceil(box[3])))
    if x1 <= x0 or y1 <= y0:
        raise DataError(f"the box {box} in a photo of {width} x {height} px", "a box with an area inside the photo")
    more = round(_CONTEXT * max(x1 - x0, y1 - y0))
    left, top = max(0, x0 - more), max(0, y0 - more)
    window = slice(top, y1 + more), slice(left, x1 + more)
    seeds = np.full(photo[window].shape[:2], cv2.GC_BGD, np.uint8)
    seeds[y0 - top : y1 - top, x0 - left : x1 - left] = _box_seeds(y1 - y0, x1 - x0)
    silhouette = np.zeros((height, width), np.bool_)
    silhouette[window] = _cut(photo[window], seeds)
    return silhouette


def bounds(region: Region) -> tuple[slice, slice]:
    """Rows and columns of a (H, W) region that is not empty."""
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _box_seeds(height: int, width: int) -> Mask:
    """A car fills the middle of its box and leaves the corners: (height, width) seeds."""
    y = np.abs(np.linspace(-1, 1, height))[:, None]
    x = np.abs(np.linspace(-1, 1, width))[None]
    below = np.linspace(0, 1, height)[:, None]
    seeds = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    seeds[x**2.5 + y**2.5 <= 0.9] = cv2.GC_PR_FGD
    seeds[(x <= 0.8) & (below >= 0.43) & (below <= 0.78)] = cv2.GC_FGD
    seeds[(x <= 0.2) & (below >= 0.10) & (below <= 0.43)] = cv2.GC_FGD
    seeds[(x + y >= 1.85) & (below < 0.5)] = cv2.GC_BGD
    return seeds


def _part_seeds(parts: Region, ignored: Region, reach: _Reach = _REACH) -> Mask:
    """(H, W) seeds from the parts; see ``_Reach``."""
    row = np.arange(parts.shape[0])[:, None]
    rows, columns = bounds(parts)
    height = rows.stop - rows.start
    size = float(np.sqrt(height * (columns.stop - columns.start)))
    hull = _hull(parts)
    gap = 1 - parts.sum() / hull.sum()
    side, up = (reach.side + reach.side_gap * gap) * size, (reach.up + reach.up_gap * gap) * height
    ground = _ground(hull, reach.steep)
    low = row > ground - reach.clearance * height
    near = np.where(
        low,
        _grow(hull, reach.low_side * size, 1.0, reach.down * height),
        _grow(hull, side, up, reach.down * height),
    )
    below = ~parts & (row > _lowest(parts) + 0.015 * height)
    seeds = np.full(parts.shape, cv2.GC_BGD, np.uint8)
    seeds[near] = cv2.GC_PR_BGD
    seeds[hull] = cv2.GC_PR_FGD
    seeds[hull & below & (row > ground - reach.skirt * height)] = cv2.GC_PR_BGD
    seeds[below & low] = cv2.GC_BGD
    seeds[ignored] = cv2.GC_BGD
    edge = int(reach.annotation * size)
    seeds[parts] = cv2.GC_PR_FGD
    seeds[cv2.erode(parts.astype(np.uint8), np.ones((2 * edge + 1, 2 * edge + 1), np.uint8)) > 0] = cv2.GC_FGD
    return seeds


def _hull(region: Region) -> Region:
    hull = np.zeros(region.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.argwhere(region)[:, ::-1].astype(np.int32)), 1)
    return hull > 0


def _grow(region: Region, side: float, up: float, down: float) -> Region:
    """Dilation by two half ellipses: so many pixels sideways, upwards and downwards (at least one each)."""
    wide, high, deep = (max(1, int(np.ceil(value))) for value in (side, up, down))
    most = max(high, deep)
    y, x = np.mgrid[-most : most + 1, -wide : wide + 1]
    # A pixel is reached upwards where the region is below it: the kernel is read at +y.
    kernel = (y / np.where(y >= 0, high, deep)) ** 2 + (x / wide) ** 2 <= 1
    return np.asarray(cv2.dilate(region.astype(np.uint8), kernel.astype(np.uint8)) > 0)


def _lowest(region: Region) -> NDArray[np.float64]:
    """(W,) row of the lowest pixel of each column, interpolated where a column has none."""
    columns = np.flatnonzero(region.any(0))
    bottom = region.shape[0] - 1 - region[::-1, columns].argmax(0)
    return np.asarray(np.interp(np.arange(region.shape[1]), columns, bottom))


def _ground(hull: Region, steep: float) -> NDArray[np.float64]:
    """(W,) row of the line that the car stands on: the hull's lower edge, level from where it rises steeply."""
    columns = np.flatnonzero(hull.any(0))
    bottom = _lowest(hull)[columns]
    step = max(2, len(columns) // 20)
    ends = []
    for way in (-step, step):
        place = int(bottom.argmax())
        while 0 <= place + way < len(columns) and bottom[place] - bottom[place + way] < steep * step:
            place += way
        ends.append(place)
    gentle = slice(ends[0], ends[1] + 1)
    return np.asarray(np.interp(np.arange(hull.shape[1]), columns[gentle], bottom[gentle]))


def _cut(photo: Photo, seeds: Mask) -> Region:
    """(H, W) foreground that GrabCut finds from (H, W) seeds, tidied."""
    height, width = seeds.shape
    scale = min(1.0, _CUT_SIDE / max(height, width))
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.ascontiguousarray(cv2.resize(photo, shape, interpolation=cv2.INTER_AREA)[:, :, ::-1])
    known = np.asarray(cv2.resize(seeds, shape, interpolation=cv2.INTER_NEAREST), np.uint8)
    labels = known.copy()
    if min(_front(labels).sum(), (~_front(labels)).sum()) > 0:  # both need colours to learn from
        cv2.setRNGSeed(0)  # its k-means start is random
        behind, front = np.zeros((1, 65)), np.zeros((1, 65))  # colour models, which it wants to be given
        cv2.grabCut(small, labels, (0, 0, 0, 0), behind, front, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = _tidy(_front(labels), known == cv2.GC_FGD)
    enlarged = cv2.resize(found.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged > 0.5)


def _front(labels: Mask) -> Region:
    return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))


def _tidy(found: Region, sure: Region) -> Region:
    """Without threads, crumbs and holes: what hangs together with what is sure (all of it, where nothing is)."""
    radius = max(1, int(0.02 * np.sqrt(sure.sum())))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    opened = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0
    kept = opened | sure
    if sure.any():
        _, pieces = cv2.connectedComponents(kept.astype(np.uint8))
        kept = np.isin(pieces, np.unique(pieces[sure]))
    framed = np.pad(~kept, 1, constant_values=True).astype(np.uint8)
    _, outside = cv2.connectedComponents(framed)
    return np.asarray((outside != outside[0, 0])[1:-1, 1:-1])
