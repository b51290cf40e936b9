"""The canonical cut: a square around the car, so that every car fills the same share of the frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.errors import DataError
from augkit.parts import BACKGROUND, IGNORE, Mask

Photo = NDArray[np.uint8]
"""(H, W, 3) RGB."""


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
    shown = (mask != BACKGROUND) & (mask != IGNORE)
    columns, rows = np.flatnonzero(shown.any(axis=0)), np.flatnonzero(shown.any(axis=1))
    if not columns.size:
        raise DataError("the mask shows no part")
    left, right, top, bottom = int(columns[0]), int(columns[-1]) + 1, int(rows[0]), int(rows[-1]) + 1
    side = max(1, round(max(right - left, bottom - top) * (1 + 2 * margin)))
    height, width = mask.shape
    return Window(_place(left, right, side, width), _place(top, bottom, side, height), side)


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
    height, width = mask.shape
    left, top = max(0, -window.x), max(0, -window.y)
    right, bottom = max(0, window.x + window.side - width), max(0, window.y + window.side - height)
    here = np.s_[max(0, window.y) : window.y + window.side, max(0, window.x) : window.x + window.side]
    borders = (top, bottom, left, right)
    square = cv2.copyMakeBorder(np.ascontiguousarray(photo[here]), *borders, cv2.BORDER_REPLICATE)
    labels = cv2.copyMakeBorder(np.ascontiguousarray(mask[here]), *borders, cv2.BORDER_CONSTANT, value=(IGNORE,))
    method = cv2.INTER_AREA if window.side > size else cv2.INTER_CUBIC
    resized = cv2.resize(square, (size, size), interpolation=method)
    return np.asarray(resized, np.uint8), resize_mask(np.asarray(labels, np.uint8), size)


def resize_mask(mask: Mask, size: int) -> Mask:
    """(S, S) mask -> (size, size) mask; each pixel takes the id with the largest area in it.

    Ties go to the part that is smaller in the picture, since it has less to lose.
    """
    if mask.shape == (size, size):
        return mask.copy()
    method = cv2.INTER_AREA if mask.shape[0] > size else cv2.INTER_LINEAR
    areas = np.bincount(mask.reshape(-1), minlength=256)
    present = sorted(np.flatnonzero(areas).tolist(), key=lambda id: (areas[id], id))
    result = np.full((size, size), present[0], np.uint8)
    most = np.full((size, size), -1.0, np.float32)
    for id in present:
        share = cv2.resize((mask == id).astype(np.float32), (size, size), interpolation=method)
        wins = share > most
        result[wins], most[wins] = id, share[wins]
    return result
