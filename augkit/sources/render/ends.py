"""Front and back of a car, drawn into the atlas: bumpers, lights, lids, glass, grille."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from augkit.sources.render.atlas import Atlas, AtlasSheet
from augkit.sources.render.surfaces import Details, Material, part_id

Outline = list[tuple[float, float]]


def draw_front(atlas: Atlas, details: Details) -> None:
    """Draws the front; outlines are given for the left half, from the middle outwards."""
    sheet = AtlasSheet.FRONT
    edge = 4.1 + 0.35 * (1 - details.grille)
    tip, top = 0.84 + 0.13 * details.sweep, 4.95 + 0.45 * details.sweep
    rim: Outline = [
        (0.40, edge + 0.02),
        (0.52, edge + 0.12),
        (0.66, 4.75),
        (0.84, 5.45),
        (0.91, 6.2),
        (0.91, 7.0),
        (0.80, 7.25),
    ]
    atlas.polygon(
        sheet, _both([(0, -1), (1.0, -1), (1.0, 4.0), (0.8, 5.0), (0, 5.0)]), Material.BUMPER, part_id("front_bumper")
    )
    atlas.polygon(sheet, _both([(0, edge), *rim, (0, 7.4)]), Material.PAINT, part_id("hood"))
    atlas.polygon(sheet, _both([(0, 7.42), (0.78, 7.3), (0.86, 7.65), (0, 7.8)]), Material.DARK)
    glass: Outline = [(0, 7.72), (0.86, 7.62), (0.87, 8.8), (0.85, 10.1), (0, 10.3)]
    atlas.polygon(sheet, _both(glass), Material.GLASS, part_id("front_glass"))
    _seats(atlas, sheet)
    _grille(atlas, details, edge)
    low = 3.2 + 0.5 * details.slim
    light: Outline = [
        (0.47, low + 0.2),
        (0.50, edge + 0.08),
        (0.66, 4.72),
        (tip, top),
        (tip + 0.03, top - 0.5),
        (0.84, low),
        (0.70, low - 0.15),
    ]
    for sign, side in ((1.0, "left"), (-1.0, "right")):
        atlas.line(sheet, [(sign * a, b) for a, b in rim], Material.SEAM, 3)
        atlas.polygon(sheet, [(sign * a, b) for a, b in light], Material.HEADLIGHT, part_id(f"front_{side}_light"))
        atlas.line(sheet, [(sign * a, b) for a, b in [*light, light[0]]], Material.SEAM, 2)
        atlas.polygon(sheet, _oval((0.58 * sign, (low + 4.2) / 2), 0.055, 0.30), Material.LAMP)
        atlas.polygon(sheet, _oval((0.73 * sign, (low + 4.5) / 2), 0.05, 0.30), Material.LAMP)
        atlas.polygon(
            sheet, [(sign * a, b) for a, b in ((0.60, 1.4), (0.80, 1.5), (0.76, 2.4), (0.60, 2.2))], Material.PLASTIC
        )
        atlas.polygon(sheet, _oval((0.68 * sign, 1.9), 0.045, 0.25), Material.LAMP)


def _seats(atlas: Atlas, sheet: AtlasSheet) -> None:
    """Seats and head rests, as seen darkly through a windscreen or rear window."""
    for a in (-0.42, 0.42):
        atlas.polygon(sheet, _oval((a, 8.2), 0.17, 0.55), Material.SEAT)
        atlas.polygon(sheet, _oval((a, 8.95), 0.085, 0.25), Material.SEAT)


def _oval(centre: tuple[float, float], a: float, b: float) -> NDArray[np.float64]:
    turn = np.linspace(0, 2 * np.pi, 25)[:-1]
    return np.stack([centre[0] + a * np.cos(turn), centre[1] + b * np.sin(turn)], 1)


def _grille(atlas: Atlas, details: Details, edge: float) -> None:
    sheet = AtlasSheet.FRONT
    width, low = 0.27 + 0.17 * details.grille_width, 3.4 - 0.8 * details.grille
    shape: Outline = [(0, low), (width * 0.8, low), (width, edge - 0.12), (0, edge - 0.06)]
    atlas.polygon(sheet, _both(shape), Material.GRILLE)
    for row in np.linspace(low, edge, 5)[1:-1]:
        atlas.line(sheet, _both([(0, row), (width * 0.88, row)]), Material.PLASTIC, 3)
    if details.chrome:
        atlas.line(sheet, [*_both(shape), shape[0]], Material.CHROME, 6)
        atlas.line(sheet, _both([(0.0, (low + edge) / 2), (width * 0.9, (low + edge) / 2)]), Material.CHROME, 6)
    atlas.polygon(sheet, _oval((0, (low + edge) / 2), 0.045, 0.22), Material.CHROME)
    atlas.polygon(sheet, _both([(0, 1.0), (0.54, 1.05), (0.47, 2.0), (0, 2.1)]), Material.GRILLE)
    high = low + 0.3 * details.plate
    _plate(atlas, sheet, high - 0.65, high)


def _plate(atlas: Atlas, sheet: AtlasSheet, low: float, high: float) -> None:
    atlas.polygon(sheet, _both([(0, low), (0.2, low), (0.2, high), (0, high)]), Material.PLATE)
    inner, outer = low + 0.28 * (high - low), high - 0.28 * (high - low)
    for start in np.linspace(-0.16, 0.11, 6):
        atlas.polygon(
            sheet, [(start, inner), (start + 0.035, inner), (start + 0.035, outer), (start, outer)], Material.INK
        )


def draw_back(atlas: Atlas, style: str, details: Details) -> None:
    """Draws the back of a car of a style."""
    sheet = AtlasSheet.BACK
    atlas.polygon(sheet, _both([(0, -1), (1.0, -1), (1.0, 3.25), (0, 3.25)]), Material.BUMPER, part_id("back_bumper"))
    atlas.polygon(sheet, _both([(0, 0), (0.8, 0.2), (0.74, 1.3), (0, 1.3)]), Material.PLASTIC)
    lid, glass, light, name = _back_outlines(style, details)
    atlas.polygon(sheet, _both(glass), Material.GLASS, part_id("back_glass"))
    _seats(atlas, sheet)
    atlas.polygon(sheet, _both(lid), Material.PAINT, part_id(name))
    for sign, side in ((1.0, "left"), (-1.0, "right")):
        outline = [(sign * a, b) for a, b in light]
        middle = np.mean(outline, 0)
        atlas.line(sheet, [(sign * a, b) for a, b in lid], Material.SEAM, 3)
        atlas.polygon(sheet, outline, Material.TAILLIGHT, part_id(f"back_{side}_light"))
        atlas.polygon(sheet, (np.asarray(outline) - middle) * [0.6, 0.35] + middle + [0, 0.2], Material.TAIL_CORE)
        atlas.polygon(sheet, (np.asarray(outline) - middle) * [0.6, 0.16] + middle - [0, 0.5], Material.LAMP)
    if style == "pickup":
        atlas.polygon(sheet, _both([(0, 7.1), (0.97, 7.1), (0.97, 7.93), (0, 7.93)]), Material.DARK, 0)
        _plate(atlas, sheet, 1.6, 2.5)
        atlas.line(sheet, _both([(0, 6.2), (0.12, 6.2)]), Material.PLASTIC, 12)
    else:
        _plate(atlas, sheet, 4.0, 4.75)
        atlas.line(sheet, _both([(0, 5.05), (0.24, 5.05)]), Material.CHROME if details.chrome else Material.SEAM, 7)


def _back_outlines(style: str, details: Details) -> tuple[Outline, Outline, Outline, str]:
    """Left halves of the lid and the glass, the left light, and the lid's part name.

    Names follow the real data: a sedan's lid is the ``tailgate``, a hatch or a pickup's bed the ``trunk``.
    """
    low, high = 3.45 + 0.4 * details.slim, 6.1 - 0.7 * details.slim
    if style == "sedan":
        lid = [(0.0, 3.2), (0.54, 3.2), (0.62, 4.0), (0.68, 5.9), (0.86, 6.3), (0.86, 7.2), (0.80, 7.45), (0.0, 7.5)]
        light = [(0.585, low), (0.66, 5.2), (0.70, high), (0.95, high), (0.99, 4.6), (0.88, low)]
        return lid, [(0.0, 7.75), (0.86, 7.7), (0.88, 8.8), (0.85, 10.1), (0.0, 10.25)], light, "tailgate"
    if style == "pickup":
        lid = [(0.0, 2.95), (0.80, 2.95), (0.80, 7.15), (0.0, 7.15)]
        light = [(0.82, 3.6), (0.82, 6.6), (0.99, 6.6), (0.99, 3.6)]
        return lid, [(0.0, 8.15), (0.78, 8.15), (0.78, 10.0), (0.0, 10.1)], light, "trunk"
    lid = [(0.0, 3.1), (0.64, 3.1), (0.72, 4.2), (0.76, 6.0), (0.86, 7.3), (0.86, 7.8), (0.0, 7.8)]
    light = [(0.70, low), (0.73, 5.2), (0.79, high + 0.9), (0.96, high + 0.9), (0.99, low + 0.5), (0.92, low)]
    return lid, [(0.0, 7.85), (0.84, 7.85), (0.86, 8.8), (0.83, 9.9), (0.0, 10.0)], light, "trunk"


def _both(half: Outline) -> Outline:
    """The outline of a part across the middle, from its left half (from the middle bottom to the middle top)."""
    return half + [(-a, b) for a, b in reversed(half)]
