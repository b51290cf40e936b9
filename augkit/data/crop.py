"""The canonical cut: a square around the car, so that every car fills the same share of the frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import DataError
from augkit.core.parts import BACKGROUND, IGNORE, Mask, histogram

Photo = NDArray[np.uint8]
"""(H, W, 3) RGB."""
Region = NDArray[np.bool_]
"""(H, W) pixels that belong to something."""
Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels; the first pixel begins at 0, the last one ends at the width."""

Footprint = tuple[NDArray[np.int64], NDArray[np.int64]]

_VOTES = 1 << 20  # votes counted at a time


@dataclass(frozen=True)
class Window:
    """A square of ``side`` pixels with its upper left corner at (``x``, ``y``); it may reach outside the photo."""

    x: int
    y: int
    side: int


def canonical_window(mask: Mask, margin: float) -> Window:
    """The square around all parts of an (H, W) mask.

    Its side is the longer side of the parts' bounding box times ``1 + 2 * margin``. It is centred on the box, then
    shifted to lie inside the photo; along an axis where the photo is shorter than the square, it covers the photo.
    Raises DataError where the mask shows no part.
    """
    left, top, across, down = cv2.boundingRect(cv2.inRange(mask, BACKGROUND + 1, IGNORE - 1))
    if not across:
        raise DataError("the mask shows no part")
    return window_around((left, top, left + across, top + down), mask.shape, margin)


def window_around(box: tuple[int, int, int, int], shape: tuple[int, ...], margin: float) -> Window:
    """The canonical window of a box (left, top, right and bottom end) in a photo (H, W, ...)."""
    left, top, right, bottom = box
    across, down = right - left, bottom - top
    side = max(1, round(max(across, down) * (1 + 2 * margin)))
    height, width = shape[:2]
    return Window(_place(left, left + across, side, width), _place(top, top + down, side, height), side)


def _place(start: int, stop: int, side: int, length: int) -> int:
    """Where a square begins on one axis: centred on start..stop, inside 0..length or around all of it."""
    spare = length - side
    return min(max((start + stop - side) // 2, min(0, spare)), max(0, spare))


def cut(photo: Photo, mask: Mask, window: Window, size: int) -> tuple[Photo, Mask]:
    """(H, W, 3) photo and (H, W) mask -> (size, size, 3) and (size, size), the part of them under the window.

    Where the window reaches outside, the photo is continued by its border pixels and the mask says ignore (a mirror
    image would look smoother, but repeats wheels and lights that the border cuts). A pixel of the mask becomes the id
    that covers most of it, so the result only holds ids of the source (and ignore), and thin parts do not fray.
    """
    return cut_photo(photo, window, size), resize_mask(cut_mask(mask, window), size)


def cut_photo(photo: Photo, window: Window, size: int) -> Photo:
    """The photo of ``cut`` alone."""
    return np.ascontiguousarray(resize_photo(_framed(photo, window, cv2.BORDER_REPLICATE), size))


def cut_mask(mask: Mask, window: Window) -> Mask:
    """(H, W) -> (side, side): the mask under the window, ignored where there is no photo."""
    return _framed(mask, window, cv2.BORDER_CONSTANT)


def _framed(picture: Photo, window: Window, border: int) -> Photo:
    """A photo or a mask under the window; the picture's own pixels where that lies inside, so nothing to write to."""
    inside = _under(picture, window)
    borders = _borders(window, picture.shape)
    return (
        np.asarray(cv2.copyMakeBorder(inside, *borders, border, value=(IGNORE,)), np.uint8) if any(borders) else inside
    )


def _under(picture: Photo, window: Window) -> Photo:
    """What of a photo or a mask lies under the window."""
    rows, columns = (slice(max(0, start), start + window.side) for start in (window.y, window.x))
    return picture[rows, columns]


def _borders(window: Window, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """How far the window reaches outside a picture (H, W, ...): above, below, to the left and to the right."""
    height, width = shape[:2]
    below, right = window.y + window.side - height, window.x + window.side - width
    return max(0, -window.y), max(0, below), max(0, -window.x), max(0, right)


def resize_photo(photo: Photo, size: int) -> Photo:
    """(S, S, 3) -> (size, size, 3): enlarged by cubic interpolation, shrunk as ``shrink`` does."""
    if len(photo) > size:
        return shrink(photo, size)
    return photo if len(photo) == size else np.asarray(cv2.resize(photo, (size, size), interpolation=cv2.INTER_CUBIC))


def shrink(photo: Photo, size: int) -> Photo:
    """(S, S, 3) -> (size, size, 3), no larger, by area means of whole pixels.

    Up to four times the new side, a photo is first brought to a multiple of it by cubic interpolation: to twice at
    least, down by up to a quarter of the new side, up otherwise. Unlike means of shares of pixels that is as sharp as a
    Lanczos filter whatever the ratio, and about as near to one or nearer; it is never slower, and takes a third of the
    time down to about half (``tests/benchmarks/shrinking.py``). Further down, shares of pixels matter little.
    """
    side = len(photo)
    if side <= 4 * size:
        side = size * max(2, math.ceil(side / size - 1 / 4))
    if side != len(photo):
        photo = np.asarray(cv2.resize(photo, (side, side), interpolation=cv2.INTER_CUBIC))
    return np.asarray(cv2.resize(photo, (size, size), interpolation=cv2.INTER_AREA))


def resize_mask(mask: Mask, size: int, areas: NDArray[np.int64] | None = None) -> Mask:
    """(S, S) mask -> (size, size) mask; each pixel takes the id with the largest area in it.

    When enlarging, a pixel weighs the four around its centre as in bilinear interpolation. Ties go to the part that is
    smaller in the picture, since it has less to lose. All areas are whole numbers, so a tie is one. ``areas`` is the
    mask's histogram, where that is known.
    """
    side = mask.shape[0]
    if side == size:
        return mask.copy()
    mask = np.ascontiguousarray(mask)
    first, weights = _footprint(side, size)
    least, most = _extremes(mask, first, weights.shape[1])
    result = least.reshape(-1)
    places = np.flatnonzero(least != most)
    if not places.size:
        return least
    here = result[places], most.reshape(-1)[places]
    rows, columns = np.divmod(places, size)
    down, along = (first[rows], weights[rows]), (first[columns], weights[columns])
    result[places], open = _majority(mask, here, down, along)
    if open.size:
        areas = histogram(mask) if areas is None else areas
        order = np.array(sorted(np.flatnonzero(areas).tolist(), key=lambda id: (areas[id], id)), np.uint8)
        down, along = ((start[open], shares[open]) for start, shares in (down, along))
        result[places[open]] = order[_vote(mask, order, down, along)]
    return least


@lru_cache(maxsize=256)
def _footprint(side: int, size: int) -> Footprint:
    """On one axis, for ``size`` pixels made of ``side``: (size,) the first that each is made of, and (size, K) whole
    weights of that and the next. The first is chosen such that all K lie inside; weights may be 0."""
    places = np.arange(size, dtype=np.int64)
    if side > size:  # in units of 1/size of a source pixel, pixel j covers j * side .. (j + 1) * side
        width = min(side, -(-side // size) + 1)
        start, stop, unit = places * side, (places + 1) * side, size
    else:  # in units of 1/(2 * size), the two pixels next to the centre share a stretch of one pixel around it
        width, unit = min(side, 2), 2 * size
        start = np.clip((2 * places + 1) * side - size, 0, (side - 1) * unit)
        stop = start + unit
    first = np.minimum(start // unit, side - width)
    edges = (first[:, None] + np.arange(width + 1)) * unit
    covered = np.clip(edges, start[:, None], stop[:, None])
    return first, np.diff(covered, axis=1)


def _extremes(mask: Mask, first: NDArray[np.int64], width: int) -> tuple[Mask, Mask]:
    """(size, size) the least and the greatest id in each footprint: first of rows, then of columns."""
    least = most = mask
    for _ in range(2):
        last = len(least) - width + 1
        low, high = least[:last], most[:last]
        for step in range(1, width):
            low, high = np.minimum(low, least[step : step + last]), np.maximum(high, most[step : step + last])
        least, most = np.asarray(cv2.transpose(low[first])), np.asarray(cv2.transpose(high[first]))
    return least, most


def _majority(mask: Mask, ids: tuple[Mask, Mask], down: Footprint, along: Footprint) -> tuple[Mask, NDArray[np.int64]]:
    """(N,) which of two ``ids``, the least and the greatest in each of N footprints, has most weight there; and the
    places where that does not decide: a third id is there, or both weigh the same."""
    steps, flat = np.arange(down[1].shape[1]), mask.reshape(-1)
    within = (steps[:, None] * mask.shape[1] + steps).reshape(-1, 1)  # from the first pixel of a footprint
    half = down[1][0].sum() * along[1][0].sum() / 2
    whole = np.int32 if half < 1 << 30 else np.int64
    chosen, open = np.empty_like(ids[0]), []
    at_once = max(1, _VOTES // len(within))
    for begin in range(0, len(chosen), at_once):
        here = np.s_[begin : begin + at_once]
        low, high = ids[0][here], ids[1][here]
        found = flat.take(within + (down[0][here] * mask.shape[1] + along[0][here]))
        lines = (found == low).reshape(len(steps), len(steps), -1) * along[1][here].T.astype(whole)
        share = (lines.sum(axis=1, dtype=whole) * down[1][here].T.astype(whole)).sum(axis=0, dtype=whole)
        third = ((found != low) & (found != high)).any(axis=0)
        chosen[here] = np.where(share > half, low, high)
        open.append(begin + np.flatnonzero(third | (share == half)))
    return chosen, np.concatenate(open)


def _vote(mask: Mask, order: Mask, down: Footprint, along: Footprint) -> NDArray[np.int64]:
    """(N,) places in ``order`` of the ids with most weight under N footprints, given by their rows and columns."""
    rank = np.zeros(256, np.int64)
    rank[order] = np.arange(len(order))
    steps, count = np.arange(down[1].shape[1]), len(down[0])
    best = np.zeros(count, np.int64)
    at_once = max(1, _VOTES // (len(steps) ** 2 + len(order)))
    for begin in range(0, count, at_once):
        here = np.s_[begin : begin + at_once]
        rows, columns = down[0][here, None] + steps, along[0][here, None] + steps
        ids = rank[mask[rows[:, :, None], columns[:, None, :]]].reshape(len(rows), -1)
        ids += np.arange(len(ids))[:, None] * len(order)
        shares = down[1][here, :, None] * along[1][here, None, :]
        counts = np.bincount(ids.reshape(-1), shares.reshape(-1), len(ids) * len(order))
        best[here] = counts.reshape(len(ids), -1).argmax(axis=1)  # the first of equals
    return best
