"""Polygons and run lengths of a photo's parts, drawn into one mask."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np

from augkit.core.errors import DataError
from augkit.data.importers._run_lengths import Runs, run_lengths, uncompress
from augkit.data.plausibility import NO_AREA, UNLIKE_STATED, Polygons, require_near, require_pixels
from augkit.data.reading_way import Overlap
from augkit.data.samples import Drawing, PartMask

FILLED = "outlines with a ring inside another were drawn filled: no area says that it is a hole"

_NUMBERS = {int, float}  # no bool
Ring = list[float]


class PartShape(NamedTuple):
    """A part's shape in a photo.

    ``segmentation`` is COCO's: a list of polygons ``[x, y, x, y, ...]`` in pixels (0 is the photo's left or upper
    edge), that list as a JSON string, or run lengths as a mapping with ``size`` and ``counts``, compressed or not.
    ``name`` is for messages; ``area`` and ``box`` are what the file states (see ``Polygons``), ``z`` its order.
    """

    part: int
    name: str
    segmentation: Any
    area: float = 0.0
    box: tuple[float, ...] = ()
    z: float = 0.0


@dataclass(frozen=True)
class Outline(Drawing):
    """The parts of one photo, whose size the file records."""

    height: int
    width: int
    shapes: tuple[PartShape, ...]

    @property
    def size(self) -> tuple[int, int]:
        return self.height, self.width

    @property
    def fixed(self) -> bool:
        return all(isinstance(shape.segmentation, dict) for shape in self.shapes)

    def drawn(self, height: int, width: int, overlap: Overlap | None = None) -> PartMask:
        return draw(self.shapes, height, width, overlap)


def draw(
    shapes: Sequence[PartShape], height: int, width: int, overlap: Overlap | None = None, *, scaled: bool = False
) -> PartMask:
    """The (height, width) mask of a photo's shapes, and what was left out.

    ``scaled`` says that coordinates were shares of the photo's sides, so that there is no doubt about their unit.

    On top lies what ``z`` says, or else the smaller shape; with ``smaller`` always the smaller one, with ``order`` what
    ``z`` says or else what comes later. A shape with less than three points, and one that covers no pixel, is left out
    and counted. Raises DataError, naming the shape, for one that is none, and where no shape has an area.
    """
    notes: Counter[str] = Counter()
    outlines = [_outline(shape, height, width, notes) for shape in shapes]
    polygons = [outline for outline in outlines if isinstance(outline, Polygons) and not scaled]
    if require_pixels(polygons, height, width) > 0.5:
        notes[UNLIKE_STATED] += len(polygons)
    covers = _runs(shapes, outlines, height, width, notes)
    if shapes and not covers:
        raise DataError("no annotation has an area in the photo: there are points, lines or boxes only, or nothing")
    flat = np.zeros(width * height, np.uint8)  # column by column, as run lengths are
    for place, counts in _from_below(shapes, covers, overlap):
        inside = np.zeros(len(counts), np.bool_)
        inside[1::2] = True
        start, stop = int(counts[0]), flat.size - (0 if inside[-1] else int(counts[-1]))
        cover = np.repeat(inside[1:], counts[1:])
        np.copyto(flat[start:stop], shapes[place].part, where=cover[: max(0, stop - start)])
    return PartMask(
        np.asarray(cv2.transpose(flat.reshape(width, height)), np.uint8),
        notes={text: count for text, count in notes.items() if count},
    )


def _from_below(
    shapes: Sequence[PartShape], covers: dict[int, Runs], overlap: Overlap | None
) -> list[tuple[int, Runs]]:
    """The shapes that cover something, the lowest first."""
    areas = {place: int(counts[1::2].sum()) for place, counts in covers.items()}
    told = len({shapes[place].z for place in covers}) > 1
    if overlap == "smaller" or (overlap is None and not told):
        return sorted(covers.items(), key=lambda item: -areas[item[0]])
    if overlap == "order":
        return sorted(covers.items(), key=lambda item: shapes[item[0]].z)
    return sorted(covers.items(), key=lambda item: (shapes[item[0]].z, -areas[item[0]]))


def _outline(shape: PartShape, height: int, width: int, notes: Counter[str]) -> Polygons | Runs | None:
    """A shape's polygons or run lengths; None where it has no area. Nothing is drawn yet."""
    try:
        parsed = _from_text(shape.segmentation) if isinstance(shape.segmentation, str) else shape.segmentation
        if isinstance(parsed, dict):
            runs = run_lengths(parsed, height, width)
            found: Polygons | Runs | None = runs if runs[1::2].any() else None
        else:
            rings = _rings(parsed)
            kept = [ring for ring in rings if len(ring) >= 6]
            notes[NO_AREA] += bool(kept) and len(kept) < len(rings)
            found = Polygons(kept, shape.area, shape.box) if kept else None
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise DataError(f"{shape.name}: {error}") from error
    notes[NO_AREA] += found is None
    return found


def _from_text(segmentation: str) -> Any:
    try:
        return json.loads(segmentation)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"a segmentation that is a text, but no JSON: {error}") from error


def _rings(polygons: object) -> list[Ring]:
    """The polygons of a segmentation, those with too few points too."""
    if polygons is None:
        return []
    if isinstance(polygons, list) and polygons and set(map(type, polygons)) <= _NUMBERS:
        polygons = [polygons]
    if not isinstance(polygons, list):
        raise ValueError("a segmentation that is no list of polygons")
    for ring in polygons:
        if not isinstance(ring, list) or not set(map(type, ring)) <= _NUMBERS or len(ring) % 2:
            raise ValueError("a polygon that is no list of x, y, x, y, ...")
        if not all(map(math.isfinite, ring)):
            raise ValueError("a polygon with a coordinate that is NaN or infinite")
    return polygons


def _runs(
    shapes: Sequence[PartShape],
    outlines: Sequence[Polygons | Runs | None],
    height: int,
    width: int,
    notes: Counter[str],
) -> dict[int, Runs]:
    """Run lengths of the shapes that cover a pixel; all polygons' are uncompressed together, which is quicker."""
    found: dict[int, Runs | bytes] = {}
    for place, outline in enumerate(outlines):
        if isinstance(outline, Polygons):
            require_near(outline, shapes[place].name, height, width)
            found[place] = _drawn(outline, height, width, notes)
        elif outline is not None:
            found[place] = outline
    drawn = iter(uncompress([text for text in found.values() if isinstance(text, bytes)]))
    runs = {place: next(drawn) if isinstance(counts, bytes) else counts for place, counts in found.items()}
    covers = {place: counts for place, counts in runs.items() if counts[1::2].any()}
    notes[NO_AREA] += len(runs) - len(covers)
    return covers


def _drawn(outline: Polygons, height: int, width: int, notes: Counter[str]) -> Runs | bytes:
    """Run lengths, mostly compressed, of the union of polygons, without those that are holes.

    pycocotools defines the format, so it draws; fillPoly would add half a pixel all round.
    """
    from pycocotools import mask as coco

    drawn = coco.frPyObjects(outline.rings, height, width)
    depths = _depths(outline) if len(drawn) > 1 else [0]
    if any(depths) and _says_holes(outline, depths):
        return _with_holes(uncompress([ring["counts"] for ring in drawn]), depths)
    notes[FILLED] += any(depths) and not _says_filled(outline, depths)
    counts: bytes = (drawn[0] if len(drawn) == 1 else coco.merge(drawn))["counts"]
    return counts


def _with_holes(rings: Sequence[Runs], depths: Sequence[int]) -> Runs:
    """What rings cover of which every second one, from outside to inside, is a hole."""
    cover = np.zeros(int(rings[0].sum()), np.bool_)
    for depth, counts in sorted(zip(depths, rings, strict=True), key=lambda item: item[0]):
        cover[np.repeat(np.arange(len(counts)) % 2 == 1, counts)] = depth % 2 == 0
    edges = np.flatnonzero(np.diff(cover)) + 1
    lengths = np.diff(np.concatenate([[0], edges, [cover.size]]))
    return np.concatenate([[0], lengths]) if cover[0] else lengths


def _depths(outline: Polygons) -> list[int]:
    """Of each ring, how many larger ones it lies in."""
    corners = [np.asarray(ring, np.float32).reshape(-1, 1, 2) for ring in outline.rings]
    areas = outline.areas

    def within(inner: int, outer: int) -> bool:
        if areas[inner] >= areas[outer]:
            return False
        low, high = corners[outer].min(0), corners[outer].max(0)
        if (corners[inner].min(0) < low).any() or (corners[inner].max(0) > high).any():
            return False
        points = corners[inner].reshape(-1, 2).tolist()
        return all(cv2.pointPolygonTest(corners[outer], point, False) >= 0 for point in points)

    rings = range(len(corners))
    return [sum(within(inner, outer) for outer in rings) for inner in rings]


def _says_holes(outline: Polygons, depths: Sequence[int]) -> bool:
    """Whether the stated area is that of the shape with holes, clearly rather than without."""
    holed, filled = _distances(outline, depths)
    return 3 * holed < filled


def _says_filled(outline: Polygons, depths: Sequence[int]) -> bool:
    holed, filled = _distances(outline, depths)
    return 3 * filled < holed


def _distances(outline: Polygons, depths: Sequence[int]) -> tuple[float, float]:
    """How far the stated area is from that with holes, and from that of the outer rings (or of all, counted twice)."""
    if not outline.states_area:
        return 1.0, 1.0
    pairs = list(zip(outline.areas, depths, strict=True))
    holed = sum(area if depth % 2 == 0 else -area for area, depth in pairs)
    outer = sum(area for area, depth in pairs if depth == 0)
    return abs(outline.area - holed), min(abs(outline.area - outer), abs(outline.area - sum(outline.areas)))
