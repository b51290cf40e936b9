"""What lies where on a car: draws doors, lights, glass and the rest into the atlas."""

from __future__ import annotations

import numpy as np

from augkit.sources.render.atlas import Atlas, AtlasSheet
from augkit.sources.render.ends import Outline, draw_back, draw_front
from augkit.sources.render.shape import Shape
from augkit.sources.render.surfaces import Details, Material, part_id


def paint_atlas(shape: Shape, style: str, details: Details) -> Atlas:
    """The atlas of a car."""
    atlas = Atlas()
    for sheet in (AtlasSheet.FRONT, AtlasSheet.BACK, AtlasSheet.LEFT, AtlasSheet.RIGHT):
        atlas.fill(sheet, Material.PAINT)
    atlas.fill(AtlasSheet.INSIDE, Material.DARK)
    atlas.fill(AtlasSheet.TYRE, Material.TYRE, part_id("wheel"))
    atlas.fill(AtlasSheet.LEFT_MIRROR, Material.MIRROR, part_id("left_mirror"))
    atlas.fill(AtlasSheet.RIGHT_MIRROR, Material.MIRROR, part_id("right_mirror"))
    draw_front(atlas, details)
    draw_back(atlas, style, details)
    for side in ("left", "right"):
        _side(atlas, shape, style, side)
    _wheel(atlas, details)
    return atlas


def _side(atlas: Atlas, shape: Shape, style: str, side: str) -> None:
    sheet = AtlasSheet.LEFT if side == "left" else AtlasSheet.RIGHT
    for front, axle in zip((True, False), shape.axles, strict=True):
        outward = 4.0 if front else -4.0
        edge = axle + (0.6 if front else -0.6) * shape.arch
        top = 3.8 if front else 3.25
        outline = [
            (edge, 0.0),
            (outward, 0.0),
            (outward, shape.on_side(edge, top)[1]),
            (edge, shape.on_side(edge, top)[1]),
        ]
        atlas.polygon(sheet, outline, Material.BUMPER, part_id("front_bumper" if front else "back_bumper"))
    if style == "pickup":
        _bed(atlas, sheet, shape)
    _doors(atlas, sheet, shape, side)
    crease = [shape.on_side(x, 5.6) for x in np.linspace(shape.axles[0], shape.axles[1] - 0.4, 9)]
    atlas.line(sheet, crease, Material.CREASE, 3)
    edging = Material.SEAM if style not in ("suv", "pickup") else Material.PLASTIC
    for axle in shape.axles:
        atlas.disc(sheet, (axle, shape.wheel), shape.arch + 0.035, edging)
        atlas.disc(sheet, (axle, shape.wheel), shape.arch, Material.HOLE, 0)


def _bed(atlas: Atlas, sheet: AtlasSheet, shape: Shape) -> None:
    start = shape.door_splits[-1] - 0.22
    outline = [shape.on_side(start, 1.0), shape.on_side(-4.0, 1.0), shape.on_side(-4.0, 7.2), shape.on_side(start, 7.2)]
    atlas.polygon(sheet, outline, Material.PAINT, part_id("trunk"))
    atlas.line(sheet, [outline[0], outline[3]], Material.SEAM, 4)


def _doors(atlas: Atlas, sheet: AtlasSheet, shape: Shape, side: str) -> None:
    """Doors from the sill to the roof rail, each with its window; behind them a fixed window where there is room."""
    atlas.polygon(sheet, _glazing(shape, shape.side_ends(7.8)[0], shape.side_ends(7.8)[1]), Material.SEAM)
    start = shape.door_start
    for name, end in zip(("front", "back"), shape.door_splits, strict=False):
        outline = _door_outline(shape, start, end)
        part = part_id(f"{name}_{side}_door")
        atlas.polygon(sheet, outline, Material.PAINT, part)
        atlas.polygon(sheet, _door_window(shape, start, end), Material.GLASS)
        atlas.line(sheet, [*outline, outline[0]], Material.SEAM, 3)
        x, z = shape.on_side(end + 0.16, 6.55)
        atlas.polygon(
            sheet,
            [(x - 0.08, z - 0.016), (x + 0.1, z - 0.016), (x + 0.1, z + 0.016), (x - 0.08, z + 0.016)],
            Material.CHROME,
        )
        start = end
    room = start - 0.1 - shape.side_ends(8.6)[1]
    if room > 0.22:
        atlas.polygon(sheet, _fixed_window(shape, start), Material.GLASS)
    sill = [shape.on_side(shape.axles[0], r) for r in (0.0, 1.0)] + [
        shape.on_side(shape.axles[1], r) for r in (1.0, 0.0)
    ]
    atlas.polygon(sheet, sill, Material.SILL)


def _pillar(shape: Shape, row: float, front: float, back: float) -> tuple[float, float]:
    """The x range of the side glass at a row, kept within [back, front]."""
    first, last = shape.side_ends(row)
    return min(front, first + 0.02), max(back, last - 0.02)


def _glazing(shape: Shape, front: float, back: float) -> Outline:
    rows = np.linspace(7.55, 9.95, 6)
    leading = [shape.on_side(_pillar(shape, row, front, back)[0], row) for row in rows]
    trailing = [shape.on_side(_pillar(shape, row, front, back)[1] + 0.1, row) for row in rows[::-1]]
    return leading + trailing


def _door_outline(shape: Shape, start: float, end: float) -> Outline:
    leading = [shape.on_side(start, row) for row in (0.9, 3.0, 6.9)]
    leading += [shape.on_side(_pillar(shape, row, start, end)[0], row) for row in np.linspace(7.5, 10.05, 7)]
    trailing = [
        shape.on_side(_pillar(shape, row, start, end)[1] if row > 7.6 else end, row)
        for row in np.linspace(10.05, 7.4, 7)
    ]
    return leading + trailing + [shape.on_side(end, row) for row in (6.9, 3.0, 0.9)]


def _door_window(shape: Shape, start: float, end: float) -> Outline:
    rows = np.linspace(7.65, 9.8, 7)
    leading = [shape.on_side(_pillar(shape, row, start, end)[0] - 0.05, row) for row in rows]
    return leading + [shape.on_side(_pillar(shape, row, start, end)[1] + 0.05, row) for row in rows[::-1]]


def _fixed_window(shape: Shape, start: float) -> Outline:
    rows = np.linspace(7.7, 9.7, 7)
    trailing = [shape.on_side(max(shape.side_ends(row)[1] + 0.1, -4.0), row) for row in rows]
    leading = [shape.on_side(max(start - 0.06, shape.side_ends(row)[1] + 0.1), row) for row in rows[::-1]]
    return trailing + leading


def _wheel(atlas: Atlas, details: Details) -> None:
    sheet, part = AtlasSheet.WHEEL, part_id("wheel")
    atlas.fill(sheet, Material.TYRE, part)
    atlas.disc(sheet, (0, 0), 0.68, Material.RIM)
    atlas.disc(sheet, (0, 0), 0.61, Material.RIM_GAP)
    half = (0.16 + 0.3 * details.spoke_width) * np.pi / details.spokes
    for turn in np.arange(details.spokes) * 2 * np.pi / details.spokes:
        angles = np.array([turn - half * 1.6, turn - half, turn + half, turn + half * 1.6])
        radii = np.array([0.15, 0.64, 0.64, 0.15])
        atlas.polygon(sheet, np.stack([radii * np.sin(angles), -radii * np.cos(angles)], 1), Material.RIM)
    atlas.disc(sheet, (0, 0), 0.17, Material.RIM)
    atlas.disc(sheet, (0, 0), 0.06, Material.RIM_GAP)
