"""The atlas: flat pictures that say which part and which material lies where on the car.

Every vertex of the car carries its place in the atlas, so one look-up a pixel gives the exact part, whatever the
size of the triangles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Points = Sequence[tuple[float, float]] | Floats

WIDTH = 1024
_FRACTION_BITS = 4


@dataclass(frozen=True)
class _Area:
    """Rows ``top`` .. ``top + rows`` of the atlas, over a in [a0, a1] and b in [b0, b1]."""

    top: int
    rows: int
    a0: float
    a1: float
    b0: float
    b1: float


class AtlasSheet(Enum):
    """Parts of the atlas and their coordinates (a, b).

    FRONT and BACK: a is the share of the way from the middle (0) to where the side begins (1 left, -1 right), b the row
    of the profile. LEFT and RIGHT: metres along the car and above the ground. WHEEL: wheel radii from the hub.
    The mirrors, the inside and the tyre are of one surface each.
    """

    FRONT = _Area(0, 384, -1.0, 1.0, 0.0, 12.0)
    BACK = _Area(384, 384, -1.0, 1.0, 0.0, 12.0)
    LEFT = _Area(768, 400, -3.2, 3.2, 0.0, 2.2)
    RIGHT = _Area(1168, 400, -3.2, 3.2, 0.0, 2.2)
    WHEEL = _Area(1568, 160, -6.4, 6.4, -1.0, 1.0)
    LEFT_MIRROR = _Area(1728, 8, 0.0, 1.0, 0.0, 1.0)
    RIGHT_MIRROR = _Area(1736, 8, 0.0, 1.0, 0.0, 1.0)
    INSIDE = _Area(1744, 8, 0.0, 1.0, 0.0, 1.0)
    TYRE = _Area(1752, 8, 0.0, 1.0, 0.0, 1.0)

    def place(self, a: Floats, b: Floats) -> Floats:
        """(..., 2) column and row in the atlas; places beyond the sheet's edge are moved onto it."""
        area = self.value
        column = (a - area.a0) / (area.a1 - area.a0) * WIDTH
        row = (b - area.b0) / (area.b1 - area.b0) * area.rows
        return np.stack([np.clip(column, 0.5, WIDTH - 0.5), area.top + np.clip(row, 0.5, area.rows - 0.5)], -1)


class Atlas:
    """Two pictures of the same layout: ``parts`` (ids of the part schema) and ``materials`` (0 is a hole)."""

    def __init__(self) -> None:
        last = AtlasSheet.TYRE.value
        shape = (last.top + last.rows, WIDTH)
        self.parts: NDArray[np.uint8] = np.zeros(shape, np.uint8)
        self.materials: NDArray[np.uint8] = np.zeros(shape, np.uint8)

    def fill(self, sheet: AtlasSheet, material: int, part: int = 0) -> None:
        """Covers a whole sheet."""
        area = sheet.value
        self.materials[area.top : area.top + area.rows] = material
        self.parts[area.top : area.top + area.rows] = part

    def polygon(self, sheet: AtlasSheet, outline: Points, material: int, part: int | None = None) -> None:
        """Fills a closed outline of (a, b) points; without ``part`` the parts below stay."""
        points = [_fixed(sheet, outline)]
        cv2.fillPoly(_rows(self.materials, sheet), points, int(material), cv2.LINE_8, _FRACTION_BITS)
        if part is not None:
            cv2.fillPoly(_rows(self.parts, sheet), points, part, cv2.LINE_8, _FRACTION_BITS)

    def line(self, sheet: AtlasSheet, path: Points, material: int, thickness: int = 3) -> None:
        """Draws an open path, ``thickness`` in atlas pixels; the parts below stay."""
        points = [_fixed(sheet, path)]
        cv2.polylines(_rows(self.materials, sheet), points, False, int(material), thickness, cv2.LINE_8, _FRACTION_BITS)

    def disc(
        self, sheet: AtlasSheet, centre: tuple[float, float], radius: float, material: int, part: int | None = None
    ) -> None:
        """Fills a circle."""
        turn = np.linspace(0, 2 * np.pi, 49)[:-1]
        outline = np.stack([centre[0] + radius * np.cos(turn), centre[1] + radius * np.sin(turn)], 1)
        self.polygon(sheet, outline, material, part)


def _rows(image: NDArray[np.uint8], sheet: AtlasSheet) -> NDArray[np.uint8]:
    """The sheet's own rows, so that nothing is drawn beyond them."""
    area = sheet.value
    rows: NDArray[np.uint8] = image[area.top : area.top + area.rows]
    return rows


def _fixed(sheet: AtlasSheet, points: Points) -> NDArray[np.int32]:
    area = sheet.value
    flat = np.asarray(points, np.float64)
    column = (flat[:, 0] - area.a0) / (area.a1 - area.a0) * WIDTH - 0.5
    row = (flat[:, 1] - area.b0) / (area.b1 - area.b0) * area.rows - 0.5
    return np.asarray(np.round(np.stack([column, row], 1) * 2**_FRACTION_BITS), np.int32)
