"""A z-buffer over whole arrays: triangles become spans, spans become fragments, the nearest fragment wins a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]

_TRIANGLE_BITS = 20
_DEPTH_STEPS = 2.0**38


@dataclass(frozen=True)
class Visible:
    """What the camera sees: ``pixels`` (N,) flat indices of those covered, ``attributes`` (N, C) interpolated there."""

    pixels: Ints
    attributes: Singles


@dataclass(frozen=True)
class Triangles:
    """Triangles on the screen.

    ``corners`` (T, 3, 2) are pixel positions (x right, y down), ``nearness`` (T, 3) is 1 / depth, ``values``
    (T, 3, C) are vertex values, the first two of them the column and row in the atlas of materials.
    Where ``pierced`` (T,) is set, what has material 0 is a hole.
    """

    corners: Floats
    nearness: Floats
    values: Singles
    pierced: NDArray[np.bool_]

    @cached_property
    def slopes(self) -> Floats:
        """(T, 4) growth of the weights of corners 1 and 2 per pixel: 1 with x, 1 with y, 2 with x, 2 with y."""
        one, two = self.corners[:, 1] - self.corners[:, 0], self.corners[:, 2] - self.corners[:, 0]
        area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
        return np.asarray(np.stack([two[:, 1], -two[:, 0], -one[:, 1], one[:, 0]], 1) / area[:, None])

    def facing(self) -> Triangles:
        """Those that turn counter-clockwise to the eye; y runs down, so their signed area is negative."""
        one, two = self.corners[:, 1] - self.corners[:, 0], self.corners[:, 2] - self.corners[:, 0]
        kept = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0] < -1e-9
        return Triangles(self.corners[kept], self.nearness[kept], self.values[kept], self.pierced[kept])

    def interpolate(self, triangle: Ints, x: Ints, y: Ints, columns: slice) -> Singles:
        """(N, C) vertex values in the middle of the pixels (x, y), each inside the given triangle."""
        start = self.values[:, 0, columns]
        first, second = self.values[:, 1, columns] - start, self.values[:, 2, columns] - start
        slopes = self.slopes.astype(np.float32)
        by_x, by_y = (slopes[:, i, None] * first + slopes[:, i + 2, None] * second for i in (0, 1))
        corner = (self.corners[:, 0] - 0.5).astype(np.float32)
        dx = x.astype(np.float32) - corner[:, 0].take(triangle)
        dy = y.astype(np.float32) - corner[:, 1].take(triangle)
        result = start.take(triangle, 0)
        result += dx[:, None] * by_x.take(triangle, 0)
        result += dy[:, None] * by_y.take(triangle, 0)
        return np.asarray(result)


def rasterise(triangles: Triangles, materials: NDArray[np.uint8], side: int) -> Visible:
    """Draws the triangles that face the camera into a square of ``side`` pixels.

    Anything else wins against a hole, however far it is; what then remains of the hole is the darkness inside.
    """
    shown = triangles.facing()
    triangle, x, y, nearness = _fragments(shown, side)
    tested = np.flatnonzero(shown.pierced[triangle])
    place = shown.interpolate(triangle[tested], x[tested], y[tested], slice(0, 2)).astype(np.int64)
    nearness[tested[materials[place[:, 1], place[:, 0]] == 0]] *= 1e-3
    keys = ((nearness * _DEPTH_STEPS).astype(np.int64) << _TRIANGLE_BITS) | triangle
    buffer = np.full(side * side, -1, np.int64)
    np.maximum.at(buffer, y * side + x, keys)
    pixels = np.flatnonzero(buffer >= 0)
    nearest = buffer[pixels] & ((1 << _TRIANGLE_BITS) - 1)
    return Visible(pixels, shown.interpolate(nearest, pixels % side, pixels // side, slice(None)))


def _fragments(shown: Triangles, side: int) -> tuple[Ints, Ints, Ints, Floats]:
    """Triangle, column, row and 1 / depth of every pixel centre inside a triangle."""
    triangle, row = _rows(shown.corners, side)
    low, high = _span(shown.corners, triangle, row + 0.5)
    start = np.clip(np.ceil(low - 0.5), 0, side).astype(np.int64)
    counts = np.clip(np.ceil(high - 0.5), 0, side).astype(np.int64) - start
    step = shown.nearness - shown.nearness[:, :1]
    across = step[:, 1] * shown.slopes[:, 0] + step[:, 2] * shown.slopes[:, 2]
    down = step[:, 1] * shown.slopes[:, 1] + step[:, 2] * shown.slopes[:, 3]
    origin = shown.corners[:, 0]
    base = shown.nearness[triangle, 0] + down[triangle] * (row + 0.5 - origin[triangle, 1])
    base += across[triangle] * (start + 0.5 - origin[triangle, 0])
    offset = _counting(counts)
    span = np.repeat(np.arange(len(counts)), counts)
    return triangle[span], start[span] + offset, row[span], base[span] + across[triangle][span] * offset


def _rows(corners: Floats, side: int) -> tuple[Ints, Ints]:
    """Every (triangle, pixel row) whose row centre lies inside the triangle's height."""
    y = corners[:, :, 1]
    top = np.clip(np.ceil(y.min(1) - 0.5), 0, side).astype(np.int64)
    counts = np.clip(np.ceil(y.max(1) - 0.5), 0, side).astype(np.int64) - top
    triangle = np.repeat(np.arange(len(corners)), counts)
    return triangle, top[triangle] + _counting(counts)


def _span(corners: Floats, triangle: Ints, y: Floats) -> tuple[Floats, Floats]:
    """Left and right end of the triangles at the heights y. Shared edges give equal ends: no pixel is lost or twice."""
    order = np.argsort(corners[:, :, 1], axis=1, kind="stable")
    sorted_corners = np.take_along_axis(corners, order[:, :, None], 1)
    a, b, c = (sorted_corners[triangle, i] for i in range(3))
    long_edge = _cross(a, c, y)
    short_edge = np.where(y < b[:, 1], _cross(a, b, y), _cross(b, c, y))
    return np.minimum(long_edge, short_edge), np.maximum(long_edge, short_edge)


def _cross(start: Floats, end: Floats, y: Floats) -> Floats:
    height = end[:, 1] - start[:, 1]
    share = (y - start[:, 1]) / np.where(height == 0, 1.0, height)
    return np.asarray(start[:, 0] + share * (end[:, 0] - start[:, 0]))


def _counting(counts: Ints) -> Ints:
    """0..n-1 for every n in counts, one after the other."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
