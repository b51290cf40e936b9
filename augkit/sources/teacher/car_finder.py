"""Where the car is: the largest connected piece of a reading that is no background."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import DataError
from augkit.core.parts import BACKGROUND, IGNORE, Mask
from augkit.data.crop import Photo, Window, cut_photo, window_around
from augkit.data.plausibility import SMALLEST_CROP
from augkit.sources.teacher.car_reader import CarReader, Chances

ANOTHER = 0.25
"""Of the largest piece, that another one has to cover to count as another car."""

LEAST_CAR = 0.005
"""Of a whole photo, that a car has to cover."""

_GAP = 0.03
"""Of the side: pieces nearer to each other are one, e.g. a wheel and a door with the unlabelled sill between them."""
_SECOND_LOOK = 0.25
"""The margin of the square in which a car that was found is read again."""


@dataclass(frozen=True)
class FoundCar:
    """The ``piece`` (s, s) of a reading that is the car; ``others`` are cars beside it."""

    piece: NDArray[np.bool_]
    others: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom end."""
        left, top, across, down = cv2.boundingRect(self.piece.astype(np.uint8))
        return left, top, left + across, top + down


def find_car(read: Mask) -> FoundCar | None:
    """The largest piece of an (s, s) reading; None where it shows no part."""
    shown = (read != BACKGROUND) & (read != IGNORE)
    width = max(1, round(_GAP * len(read))) | 1
    closed = cv2.morphologyEx(shown.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((width, width), np.uint8))
    _, pieces = cv2.connectedComponents(closed)
    areas = np.bincount(pieces[shown], minlength=2)
    areas[0] = 0
    largest = int(areas.argmax())
    if not areas[largest]:
        return None
    others = int((areas >= ANOTHER * areas[largest]).sum()) - 1
    return FoundCar(shown & (pieces == largest), others)


def locate_car(photo: Photo, reader: CarReader, margin: float) -> tuple[Window, int]:
    """The canonical window of the largest car of a whole photo (H, W, 3), and how many other cars there are.

    The whole photo is read, then the square around what was found. Raises DataError where there is no car.
    """
    chances, square = reader.whole(photo)
    found = find_car(chances.read)
    if found is None or found.piece.mean() < LEAST_CAR:
        share = 0.0 if found is None else float(found.piece.mean())
        raise DataError(f"no car is found: {share:.1%} of the photo is read as parts of one")
    first = _window(found, chances, square, photo, _SECOND_LOOK)
    chances = reader.glance(cut_photo(photo, first, reader.size))
    again = find_car(chances.read)
    if again is None:
        raise DataError("no car is found: a second look at what seemed to be one shows no part")
    window = _window(again, chances, first, photo, margin)
    if window.side < SMALLEST_CROP:
        raise DataError(f"the car is {window.side} pixels large; {SMALLEST_CROP} are the least")
    return window, found.others


def without_other_cars(read: Mask) -> Mask:
    """The (s, s) reading of a square around one car, with 255 on whatever belongs to other pieces of some size."""
    found = find_car(read)
    if found is None:
        return read
    shown = (read != BACKGROUND) & (read != IGNORE) & ~found.piece
    return np.where(shown & np.bool_(found.others > 0), IGNORE, read).astype(np.uint8)


def _window(found: FoundCar, chances: Chances, square: Window, photo: Photo, margin: float) -> Window:
    """The window of a piece of a square's reading, in the photo."""
    scale = square.side / chances.of_parts.shape[1]
    left, top, right, bottom = (round(edge * scale) for edge in found.box)
    height, width = photo.shape[:2]
    box = (
        min(max(0, square.x + left), width - 1), min(max(0, square.y + top), height - 1),
        max(1, min(width, square.x + right)), max(1, min(height, square.y + bottom)),
    )  # fmt: skip
    return window_around(box, photo.shape, margin)
