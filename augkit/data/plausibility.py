"""Whether outlines can be meant as they are read: in pixels, x before y, as large as the file says that they are.

Every importer's shapes pass here before they are drawn, and every mask before it is cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from augkit.core.errors import DataError

SMALLEST_CROP = 16
"""Pixels of the source photo along the canonical cut: whatever covers less shows no part that a model could learn."""

NO_AREA = "outlines without an area in the photo were left out"
UNLIKE_STATED = "outlines are of another size than the area and box that the file states"
"""What an import tells of outlines without a pixel, and of those that no reading explains."""

_SHARE_SLACK = 0.05
_CORNER, _WIDE, _LARGE = 100, 60, 600  # percent: all within the first, from the second on, of a photo of the third

Extent = tuple[float, float, float, float]
"""Left, top, right and bottom end."""


@dataclass(frozen=True, eq=False)
class Polygons:
    """A shape's outline, and what the file states of it beside that.

    ``rings`` are polygons ``[x, y, x, y, ...]``, ``area`` is in pixels, ``box`` left, top, width and height; 0 and ()
    where nothing is stated.
    """

    rings: Sequence[Sequence[float]]
    area: float = 0.0
    box: tuple[float, ...] = ()

    @cached_property
    def extent(self) -> Extent:
        """The box around all rings."""
        xs = [edge for ring in self.rings for edge in (min(ring[::2]), max(ring[::2]))]
        ys = [edge for ring in self.rings for edge in (min(ring[1::2]), max(ring[1::2]))]
        return min(xs), min(ys), max(xs), max(ys)

    @cached_property
    def areas(self) -> list[float]:
        """What each ring encloses."""
        return [ring_area(ring) for ring in self.rings]

    @property
    def weight(self) -> float:
        """How much its statement counts: the larger, the better it tells."""
        return max(self.area, self.box[2] * self.box[3] if self.states_box else 0.0)

    @property
    def states_area(self) -> bool:
        """An area of a pixel or less is a placeholder."""
        return self.area > 1

    @property
    def states_box(self) -> bool:
        """A box of a pixel or less is a placeholder."""
        return len(self.box) == 4 and min(self.box[2:]) > 0 and self.box[2] * self.box[3] > 1


def ring_area(ring: Sequence[float]) -> float:
    """The area that a polygon encloses (shoelace formula)."""
    x, y = np.asarray(ring[::2], float), np.asarray(ring[1::2], float)
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def require_crop(side: int, height: int, width: int) -> None:
    """Raises DataError where an (H, W) photo, or its canonical cut, is too small to show anything."""
    if min(height, width) < SMALLEST_CROP:
        raise DataError(f"the photo is {width}x{height} pixels; {SMALLEST_CROP} are the least of a side")
    if side < SMALLEST_CROP:
        raise DataError(
            f"all parts lie within {side} px of a photo of {width}x{height}; {SMALLEST_CROP} are the least. Are the "
            "coordinates in pixels, and of this photo?"
        )


def require_pixels(outlines: Sequence[Polygons], height: int, width: int) -> float:
    """Raises DataError where a photo's outlines are in another unit than pixels, or y before x.

    Returns the share of what the file states, by weight, that no reading of the outlines explains.
    """
    if not outlines:
        return 0.0
    left, top, right, bottom = _around(outline.extent for outline in outlines)
    if max(right, bottom) <= 1 + _SHARE_SLACK and min(left, top) >= -_SHARE_SLACK and max(height, width) > 2:
        raise _unit(f"shares of the photo's sides (up to {max(right, bottom):g})")
    if _in_a_corner((left, top, right, bottom), height, width):
        raise _unit(f"in percent of the photo's sides (up to {max(right, bottom):g}, in a photo of {width}x{height})")
    same = [outline.states_box and _same_box(outline, _PIXELS) for outline in outlines]
    if all(same):
        return 0.0
    others = [outline for outline, told in zip(outlines, same, strict=True) if not told and outline.states_box]
    plain = [outline for outline, told in zip(outlines, same, strict=True) if told]
    if _weight(outline for outline in others if _same_box(outline, _SWAPPED)) > _weight(plain):
        raise _unit("y before x, by the boxes that the file states")
    unexplained = _require_scale(outlines, height, width)
    if not plain and _fits_swapped(outlines, height, width):
        raise _unit(f"y before x: some lie outside the photo ({width}x{height}), and none would with x and y exchanged")
    return unexplained


def _require_scale(outlines: Sequence[Polygons], height: int, width: int) -> float:
    """Raises DataError where the stated areas and boxes are those of outlines in another unit; returns what the others
    weigh that are not of their own outlines, as a share."""
    told = [outline for outline in outlines if outline.states_area or outline.states_box]
    others = [outline for outline in told if not _agrees(outline, _PIXELS)]
    plain = _weight(told) - _weight(others)
    for reading in _scales(height, width) if others else ():
        if sum(outline.weight for outline in others if _agrees(outline, reading, strictly=True)) > plain:
            raise _unit(f"{reading.words}, by the areas and boxes that the file states")
    return _weight(others) / max(1.0, _weight(told))


def require_near(outline: Polygons, name: str, height: int, width: int) -> None:
    """Raises DataError for an outline beyond a photo's own size on any side.

    It belongs to another photo, and drawing it would cost memory by the distance.
    """
    left, top, right, bottom = outline.extent
    if left < -width or top < -height or right > 2 * width or bottom > 2 * height:
        raise DataError(f"{name}: a polygon far outside the photo")


class _Reading(NamedTuple):
    """What coordinates may mean: factors to pixels, and whether y comes before x."""

    words: str
    across: float = 1.0
    down: float = 1.0
    swapped: bool = False

    def extent(self, outline: Polygons) -> Extent:
        """In pixels."""
        x0, y0, x1, y1 = outline.extent
        if self.swapped:
            x0, y0, x1, y1 = y0, x0, y1, x1
        return x0 * self.across, y0 * self.down, x1 * self.across, y1 * self.down


_PIXELS, _SWAPPED = _Reading("in pixels"), _Reading("y before x", swapped=True)


def _scales(height: int, width: int) -> tuple[_Reading, ...]:
    return (
        _Reading("in percent of the photo's sides", width / 100, height / 100),
        _Reading("in thousandths of the photo's sides", width / 1000, height / 1000),
        _Reading("shares of the photo's sides", width, height),
    )


def _unit(found: str) -> DataError:
    return DataError(f"the coordinates are {found}; pixels are expected, x before y")


def _weight(outlines: Iterable[Polygons]) -> float:
    return sum(outline.weight for outline in outlines)


def _agrees(outline: Polygons, reading: _Reading, strictly: bool = False) -> bool:
    """Whether the outline is of the stated area or box; ``strictly``: of all that is stated."""
    said = [_same_box(outline, reading)] if outline.states_box else []
    if outline.states_area and (strictly or not any(said)):
        said.append(_same_area(outline, reading))
    return all(said) if strictly else any(said)


def _same_box(outline: Polygons, reading: _Reading) -> bool:
    """Boxes are left, top, width, height; some write the right and bottom end in place of these."""
    extent, (x, y, across, down) = reading.extent(outline), outline.box
    slack = max(2.0, 0.05 * max(extent[2] - extent[0], extent[3] - extent[1]))
    forms = ((x, y, x + across, y + down), (x, y, across, down))
    return any(all(abs(a - b) <= slack for a, b in zip(extent, form, strict=True)) for form in forms)


def _same_area(outline: Polygons, reading: _Reading) -> bool:
    """Some write the area of the box for that of the shape; pixels counted are half the circumference more."""
    left, top, right, bottom = reading.extent(outline)
    across, down, scale = right - left, bottom - top, reading.across * reading.down
    most = sum(outline.areas) * scale
    least = min(most, max(0.0, 2 * max(outline.areas) * scale - most))  # the other rings are holes
    ranges = ((least, most), (across * down, across * down))
    return any(0.9 * low - across - down <= outline.area <= 1.1 * high + across + down for low, high in ranges)


def _around(extents: Iterable[Extent]) -> Extent:
    left, top, right, bottom = zip(*extents, strict=True)
    return min(left), min(top), max(right), max(bottom)


def _in_a_corner(extent: Extent, height: int, width: int) -> bool:
    """Whether all lies in the first 100 pixels of a large photo and fills them, as percents do."""
    left, top, right, bottom = extent
    inside = min(left, top) >= 0 and max(right, bottom) <= _CORNER
    return inside and max(right - left, bottom - top) >= _WIDE and min(height, width) >= _LARGE


def _fits_swapped(outlines: Sequence[Polygons], height: int, width: int) -> bool:
    """Whether a shape's middle lies outside the photo, and every shape inside it once x and y change places."""
    centres = [((x0 + x1) / 2, (y0 + y1) / 2) for x0, y0, x1, y1 in (outline.extent for outline in outlines)]
    slack = 1 + 0.01 * max(height, width)
    outside = any(not (-slack <= x <= width + slack and -slack <= y <= height + slack) for x, y in centres)
    left, top, right, bottom = _around(_SWAPPED.extent(outline) for outline in outlines)
    return outside and min(left, top) >= -slack and right <= width + slack and bottom <= height + slack
