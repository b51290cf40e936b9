"""One photo's polygons in YOLO's text format."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from augkit.core.errors import DataError
from augkit.core.parts import BACKGROUND, Mask
from augkit.data.importers._outlines import Outline
from augkit.data.importers._pictures import opened
from augkit.data.importers._source import contained

TOLERANCE = 0.05
"""How far outside the photo a point may lie, as a share of its width or height; it is moved to the border."""

_TURNED = (5, 6, 7, 8)
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class PolygonFile:
    """The text file ``label`` of the picture ``photo``, both below ``root``; ``values`` are (class, part id).

    Rows are ``class x1 y1 x2 y2 x3 y3 ...`` with coordinates as shares of the photo's width and height (upright, as
    EXIF says). Called, it reads the photo's size from its header and draws them. Raises DataError where there is no
    such file, nothing in it, a class without a name, an odd count of coordinates, fewer than three points, points
    farther outside than ``TOLERANCE``, or boxes in place of polygons.
    """

    root: Path
    photo: str
    label: str
    values: tuple[tuple[int, int], ...]

    def __call__(self) -> Mask:
        """(H, W) part ids; where parts overlap, the one with the smaller area lies on top."""
        path = contained(self.root, self.root / self.label)
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except FileNotFoundError as error:
            raise DataError(f"no annotation: {self.label} is not there") from error
        except ValueError as error:
            raise DataError(f"{self.label} is no text: {error}") from error
        rows = [(f"line {number}", line.split()) for number, line in enumerate(lines, 1) if line.strip()]
        if not rows:
            raise DataError(f"no annotation: {self.label} is empty")
        width, height = self._size()
        ids = dict(self.values)
        shapes = []
        for where, words in rows:
            id, ring = _polygon(words, ids, f"{self.label}, {where}")
            if id != BACKGROUND:
                scaled = [value * side for value, side in zip(ring, [width, height] * (len(ring) // 2), strict=True)]
                shapes.append((id, f"{self.label}, {where}", [scaled]))
        return Outline(height, width, tuple(shapes))()

    def _size(self) -> tuple[int, int]:
        """Width and height of the upright photo, from its header."""
        with opened(contained(self.root, self.root / self.photo), "photo") as picture:
            # In a PNG the tag may follow the pixels, and looking for it there would decode them all.
            known = picture.format != "PNG" or "exif" in picture.info
            turned = known and picture.getexif().get(_ORIENTATION) in _TURNED
            return (picture.height, picture.width) if turned else picture.size


def _polygon(words: list[str], ids: dict[int, int], where: str) -> tuple[int, list[float]]:
    """A row's part id and its points, moved into the photo."""
    try:
        number, *points = (float(word) for word in words)
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error
    if not number.is_integer() or int(number) not in ids:
        raise DataError(f"{where}: class {words[0]} is not among the names")
    if len(points) == 4:
        raise DataError(f"{where}: a box, not a polygon; part masks need the polygons of a segment data set")
    if len(points) % 2:
        raise DataError(f"{where}: {len(points)} coordinates, an odd count")
    if len(points) < 6:
        raise DataError(f"{where}: a polygon with {len(points) // 2} point(s); 3 are the least")
    far = [value for value in points if not math.isfinite(value) or not -TOLERANCE <= value <= 1 + TOLERANCE]
    if far:
        raise DataError(f"{where}: {far[0]:g} lies far outside the photo; coordinates are shares, 0 to 1")
    return ids[int(number)], [min(1.0, max(0.0, value)) for value in points]
