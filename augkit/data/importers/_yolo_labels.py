"""One photo's polygons in YOLO's text format."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from augkit.core.errors import DataError
from augkit.core.parts import BACKGROUND
from augkit.core.regular_file import LABELS, read_plain
from augkit.data.importers._outlines import PartShape, draw
from augkit.data.importers._source import contained
from augkit.data.reading_way import Overlap
from augkit.data.samples import Drawing, PartMask

TOLERANCE = 0.05
"""How far outside the photo a point may lie, as a share of its width or height; it is moved to the border."""


@dataclass(frozen=True)
class PolygonFile(Drawing):
    """The text file at ``path``, below ``root``; ``values`` are (class, part id).

    Rows are ``class x1 y1 x2 y2 x3 y3 ...`` with coordinates as shares of the photo's width and height (upright, as
    EXIF says, unless an import is told otherwise). Drawing raises DataError where there is no such file, nothing in it,
    a class without a name, an odd count of coordinates, points farther outside than ``TOLERANCE``, or boxes in place
    of polygons. Rows of fewer than three points are left out and counted.
    """

    root: Path
    path: Path
    values: tuple[tuple[int, int], ...]

    @property
    def size(self) -> None:
        return None

    @property
    def fixed(self) -> bool:
        return False

    def drawn(self, height: int, width: int, overlap: Overlap | None = None) -> PartMask:
        label = self.path.relative_to(self.root).as_posix()
        try:
            lines = read_plain(contained(self.root, self.path), LABELS).splitlines()
        except FileNotFoundError as error:
            raise DataError(f"no annotation: {label} is not there") from error
        except ValueError as error:
            raise DataError(f"{label} is no text: {error}") from error
        rows = [(f"{label}, line {number}", line.split()) for number, line in enumerate(lines, 1) if line.strip()]
        if not rows:
            raise DataError(f"no annotation: {label} is empty")
        ids = dict(self.values)
        shapes = []
        for where, words in rows:
            id, ring = _polygon(words, ids, where)
            if id != BACKGROUND:
                scaled = [value * side for value, side in zip(ring, [width, height] * (len(ring) // 2), strict=True)]
                shapes.append(PartShape(id, where, [scaled]))
        return draw(shapes, height, width, overlap, scaled=True)


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
    far = [value for value in points if not math.isfinite(value) or not -TOLERANCE <= value <= 1 + TOLERANCE]
    if far:
        raise DataError(f"{where}: {far[0]:g} lies far outside the photo; coordinates are shares, 0 to 1")
    return ids[int(number)], [min(1.0, max(0.0, value)) for value in points]
