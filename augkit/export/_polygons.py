"""Regions as polygons. A hole is reached from its outer ring by a cut of no width, since formats know no holes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Ring = NDArray[np.float64]
"""(N, 2) points, x before y."""
GridRing = NDArray[np.int64]
"""The same in whole numbers."""


def corner_polygons(region: NDArray[np.bool_]) -> list[Ring]:
    """(H, W) -> polygons along the edges of pixels: their areas add up to the region's."""
    twice = region.astype(np.uint8).repeat(2, 0).repeat(2, 1)  # so that the sides of a pixel are told apart
    return [_without_repeats((ring + 1) // 2).astype(np.float64) for ring in _bridged(twice)]


def centre_polygons(region: NDArray[np.bool_]) -> list[Ring]:
    """(H, W) -> polygons through the centres of the outermost pixels, for tools that fill them with their border."""
    return [ring.astype(np.float64) + 0.5 for ring in _bridged(region.astype(np.uint8))]


def _bridged(region: NDArray[np.uint8]) -> list[GridRing]:
    """Every outer ring with its holes."""
    contours, hierarchy = cv2.findContours(region, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    rings = [np.asarray(contour[:, 0, :], np.int64) for contour in contours]
    joined = {place: ring for place, ring in enumerate(rings) if hierarchy[0, place, 3] < 0}
    for place, ring in enumerate(rings):
        if (outer := int(hierarchy[0, place, 3])) >= 0:
            joined[outer] = _with_hole(joined[outer], ring)
    return list(joined.values())


def _with_hole(ring: GridRing, hole: GridRing) -> GridRing:
    """The ring with a way to the hole, around it and back, where the two are closest."""
    distances = ((ring[:, None] - hole[None]) ** 2).sum(-1)
    here, there = np.unravel_index(int(distances.argmin()), distances.shape)
    around = np.concatenate([hole[there:], hole[: there + 1]])
    return np.concatenate([ring[: here + 1], around, ring[here:]])


def _without_repeats(ring: GridRing) -> GridRing:
    kept: NDArray[np.bool_] = (ring != np.roll(ring, 1, 0)).any(1)
    return ring[kept]
