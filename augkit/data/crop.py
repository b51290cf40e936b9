"""The canonical cut: a square around the car, so that every car fills the same share of the frame."""

from __future__ import annotations

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

_SHOWN = np.isin(np.arange(256), (BACKGROUND, IGNORE), invert=True).astype(np.uint8)
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
    left, top, across, down = cv2.boundingRect(cv2.LUT(mask, _SHOWN))
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
    image would look smoother, but repeats wheels and lights that the border cuts). The photo is shrunk by area means
    and enlarged by cubic interpolation. A pixel of the mask becomes the id that covers most of it, so the result only
    holds ids of the source (and ignore), and thin parts do not fray.
    """
    borders = _borders(window, mask.shape)
    labels = cv2.copyMakeBorder(_under(mask, window), *borders, cv2.BORDER_CONSTANT, value=(IGNORE,))
    return cut_photo(photo, window, size), resize_mask(np.asarray(labels, np.uint8), size)


def cut_photo(photo: Photo, window: Window, size: int) -> Photo:
    """The photo of ``cut`` alone."""
    square = cv2.copyMakeBorder(_under(photo, window), *_borders(window, photo.shape), cv2.BORDER_REPLICATE)
    method = cv2.INTER_AREA if window.side > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (size, size), interpolation=method), np.uint8)


def _under(picture: Photo, window: Window) -> Photo:
    """What of a photo or a mask lies under the window."""
    rows, columns = (slice(max(0, start), start + window.side) for start in (window.y, window.x))
    return np.ascontiguousarray(picture[rows, columns])


def _borders(window: Window, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """How far the window reaches outside a picture (H, W, ...): above, below, to the left and to the right."""
    height, width = shape[:2]
    below, right = window.y + window.side - height, window.x + window.side - width
    return max(0, -window.y), max(0, below), max(0, -window.x), max(0, right)


def resize_photo(photo: Photo, size: int) -> Photo:
    """(H, W, 3) -> (size, size, 3): area means when shrinking, cubic when enlarging."""
    if photo.shape[:2] == (size, size):
        return photo
    method = cv2.INTER_AREA if photo.shape[0] > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(photo, (size, size), interpolation=method), np.uint8)


def resize_mask(mask: Mask, size: int) -> Mask:
    """(S, S) mask -> (size, size) mask; each pixel takes the id with the largest area in it.

    When enlarging, a pixel weighs the four around its centre as in bilinear interpolation. Ties go to the part that is
    smaller in the picture, since it has less to lose. All areas are whole numbers, so a tie is one.
    """
    side = mask.shape[0]
    if side == size:
        return mask.copy()
    first, weights = _footprint(side, size)
    width = weights.shape[1]
    result, mixed = _sample_uniform(mask, first, width)
    rows, columns = np.nonzero(mixed)
    if rows.size:
        areas = histogram(mask)
        order = np.array(sorted(np.flatnonzero(areas).tolist(), key=lambda id: (areas[id], id)), np.uint8)
        result[rows, columns] = order[
            _vote(mask, order, (first[rows], weights[rows]), (first[columns], weights[columns]))
        ]
    return result


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


def _sample_uniform(mask: Mask, first: NDArray[np.int64], width: int) -> tuple[Mask, NDArray[np.bool_]]:
    """(size, size) ids where all pixels of a footprint have one id, and where they have not."""
    kernel, anchor = np.ones((width, width), np.uint8), (0, 0)  # minimum and maximum over place .. place + width - 1
    least, most = (
        np.asarray(extreme(mask, kernel, anchor=anchor))[first].take(first, 1) for extreme in (cv2.erode, cv2.dilate)
    )
    return np.asarray(least, np.uint8), np.asarray(least != most)


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
