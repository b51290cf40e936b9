"""The camera: a pinhole that looks at the car from an azimuth, an elevation and a distance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """Axes are those of the car in metres: x forward, y to its left, z up; the picture's x runs right and its y down.

    ``position`` (3,), ``right``, ``up`` and ``forward`` (3,) unit vectors, ``focal`` in pixels, ``centre`` (2,) is the
    pixel on the optical axis.
    """

    position: Floats
    right: Floats
    up: Floats
    forward: Floats
    focal: float = 1.0
    centre: tuple[float, float] = (0.0, 0.0)

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """(N, 3) points -> (N, 2) pixels and (N,) 1 / depth, depth in metres along the optical axis."""
        away = points - self.position
        nearness = 1.0 / (away @ self.forward)
        x = self.centre[0] + self.focal * (away @ self.right) * nearness
        y = self.centre[1] - self.focal * (away @ self.up) * nearness
        return np.stack([x, y], 1), nearness

    def framed(self, points: Floats, side: int, fill: float, shift: tuple[float, float]) -> Camera:
        """The same view, zoomed so that the points' box is ``fill`` of a square of ``side`` pixels wide (or high).

        ``shift`` moves the box away from the middle: -1 and 1 put it at the edges of the picture.
        """
        flat, _ = replace(self, focal=1.0, centre=(0.0, 0.0)).project(points)
        low, high = flat.min(0), flat.max(0)
        extent = high - low
        focal = fill * side / float(extent.max())
        room = (side - focal * extent) / 2
        middle = side / 2 + room * np.asarray(shift) - focal * (low + high) / 2
        return replace(self, focal=focal, centre=(float(middle[0]), float(middle[1])))

    def zoomed(self, factor: float) -> Camera:
        """The same picture with ``factor`` times as many pixels a side."""
        return replace(self, focal=self.focal * factor, centre=(self.centre[0] * factor, self.centre[1] * factor))

    def horizon(self) -> float:
        """The row of the horizon (may be outside the picture)."""
        level = np.hypot(self.forward[0], self.forward[1])
        return float(self.centre[1] + self.focal * self.forward[2] / level)


def look(azimuth: float, elevation: float, distance: float, target: Floats) -> Camera:
    """A camera ``distance`` metres from ``target``. Azimuth 0 sees the front, 90 the left side; angles in degrees."""
    turn, rise = np.radians(azimuth), np.radians(elevation)
    towards = np.array([np.cos(rise) * np.cos(turn), np.cos(rise) * np.sin(turn), np.sin(rise)])
    forward = -towards
    right = np.array([-np.sin(turn), np.cos(turn), 0.0])
    return Camera(target + distance * towards, right, np.cross(right, forward), forward)
