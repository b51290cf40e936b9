"""The shape of one car: a style's key rings, stretched by the car's proportions and rounded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augkit.sources.render.body_styles import ROWS, Style

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Proportions:
    """How a car differs from its style; 1 and 0 change nothing. Lengths in metres.

    ``clearance`` lifts the body above its wheels, ``hood`` the hood's edge, ``rake`` moves the windscreen's top back.
    """

    length: float = 1.0
    width: float = 1.0
    height: float = 1.0
    clearance: float = 0.0
    hood: float = 0.0
    rake: float = 0.0
    tail: float = 0.0
    wheel: float = 1.0
    boxy: float = 0.0
    mirror: float = 1.0


@dataclass(frozen=True)
class Shape:
    """Rings of a body, bottom to top. Lengths in metres.

    ``row`` (R,) is each ring's place among the style's key rows, ``rings`` (R, 7) as in ``Style``. ``door_splits`` are
    the x at which the doors end, front to back.
    """

    row: Floats
    rings: Floats
    axles: tuple[float, float]
    wheel: float
    tyre: float
    boxy: float
    mirror_scale: float
    door_start: float
    door_splits: tuple[float, ...]

    @property
    def track(self) -> float:
        """y of the wheels' outer face: just inside the body's side."""
        return float(self.row_at(2.2)[4]) - 0.035

    @property
    def arch(self) -> float:
        """Radius of the wheel arches."""
        return self.wheel + 0.05

    @property
    def mirror_place(self) -> tuple[float, float, float]:
        """Centre of the left mirror."""
        front, z, _, _, width, cap, _ = self.row_at(8.0)
        return front - cap - 0.02, width + 0.15, z + 0.06

    def row_at(self, row: float) -> Floats:
        """(7,) front x, z, back x, z, half width, front and back corner depth at a (fractional) row."""
        above = min(max(int(self.row.searchsorted(row)), 1), len(self.row) - 1)
        share = (row - self.row[above - 1]) / (self.row[above] - self.row[above - 1])
        start, stop = self.rings[above - 1], self.rings[above]
        return np.asarray(start + (stop - start) * min(max(share, 0.0), 1.0))

    def on_side(self, x: float, row: float) -> tuple[float, float]:
        """(x, z) of the point of a side at x and a row."""
        front, front_z, back, back_z = self.row_at(row)[:4]
        return x, float(back_z + (front_z - back_z) * (x - back) / (front - back))

    def side_ends(self, row: float) -> tuple[float, float]:
        """The x where the flat side begins (front) and ends (back) at a row."""
        front, _, back, _, _, front_cap, back_cap = self.row_at(row)
        return float(front - front_cap), float(back + back_cap)


def shape_of(style: Style, doors: str, proportions: Proportions) -> Shape:
    """The shape of a car of a style with three or five doors."""
    p = proportions
    rings = style.table.copy()
    above = np.linspace(0, 1, ROWS)
    upper = np.clip((np.arange(ROWS) - 7) / 3.0, 0, 1)  # 0 up to the cowl, 1 from the roof rail on
    rings[:, 0] = rings[:, 0] * p.length - p.rake * upper
    rings[:, 2] = rings[:, 2] * p.length + p.tail * upper
    rings[:, [1, 3]] = 0.3 + (rings[:, [1, 3]] - 0.3) * p.height + p.clearance
    rings[:, 1] += p.hood * np.exp(-((above * 12 - 4.5) ** 2) / 4)
    rings[:, 4] *= p.width
    # However the roof is moved, a ring's front stays before its back.
    rings[:, 0] = np.maximum(rings[:, 0], rings[:, 2] + rings[:, 5] + rings[:, 6] + 0.02)
    rows = np.column_stack([np.arange(ROWS, dtype=float), rings])
    rows = _rounded(_rounded(rows))
    ends = (style.pillar, style.door_end) if doors == "5" else (style.coupe_end,)
    return Shape(
        row=rows[:, 0],
        rings=rows[:, 1:],
        axles=(style.axles[0] * p.length, style.axles[1] * p.length),
        wheel=style.wheel * p.wheel,
        tyre=0.21 * p.width,
        boxy=style.boxy + p.boxy,
        mirror_scale=p.mirror,
        door_start=style.door_start * p.length,
        door_splits=tuple(end * p.length for end in ends),
    )


def _rounded(rows: Floats) -> Floats:
    """Chaikin's corner cutting; the first and last ring stay."""
    start, stop = rows[:-1], rows[1:]
    cut = np.stack([0.75 * start + 0.25 * stop, 0.25 * start + 0.75 * stop], 1).reshape(-1, rows.shape[1])
    return np.concatenate([rows[:1], cut, rows[-1:]])
