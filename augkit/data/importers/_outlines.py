"""Polygons and run lengths of a photo's parts, drawn into one mask."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augkit.errors import DataError
from augkit.parts import Mask

Cover = NDArray[np.bool_]


@dataclass(frozen=True)
class Outline:
    """The parts of one photo: ``shapes`` are (part id, name for messages, COCO segmentation). Called, it draws them.

    A segmentation is a list of polygons ``[x, y, x, y, ...]`` in pixels (0 is the photo's left or upper edge), that
    list as a JSON string, or run lengths as a mapping with ``size`` and ``counts``, compressed or not.
    """

    height: int
    width: int
    shapes: tuple[tuple[int, str, Any], ...]

    def __call__(self) -> Mask:
        """(height, width) mask; where parts overlap, the one with the smaller area lies on top.

        Raises DataError, naming the annotation, for a segmentation that describes no area.
        """
        covers = [(id, self._cover(name, shape)) for id, name, shape in self.shapes]
        mask = np.zeros((self.height, self.width), np.uint8)
        for id, cover in sorted(covers, key=lambda item: -int(item[1].sum())):
            mask[cover] = id
        return mask

    def _cover(self, name: str, shape: Any) -> Cover:
        try:
            if isinstance(shape, str):
                shape = json.loads(shape)
            if isinstance(shape, dict):
                return _run_lengths(shape, self.height, self.width)
            return _polygons(shape, self.height, self.width)
        except (ValueError, TypeError, RecursionError) as error:
            raise DataError(f"{name}: {error}") from error


def _polygons(rings: object, height: int, width: int) -> Cover:
    """The union of polygons. pycocotools defines the format, so it draws; fillPoly would add half a pixel all round."""
    from pycocotools import mask as coco

    if isinstance(rings, list) and rings and all(_is_number(value) for value in rings):
        rings = [rings]
    if not isinstance(rings, list) or not rings:
        raise ValueError("the segmentation is empty")
    for ring in rings:
        _check(ring, height, width)
    return _run_lengths(coco.merge(coco.frPyObjects(rings, height, width)), height, width)


def _check(ring: object, height: int, width: int) -> None:
    if not isinstance(ring, list) or not all(_is_number(value) for value in ring) or len(ring) % 2:
        raise ValueError("a polygon that is no list of x, y, x, y, ...")
    if len(ring) < 6:
        raise ValueError(f"a polygon with {len(ring) // 2} point(s); 3 are the least")
    # Beyond that the annotation belongs to another photo, and drawing it would cost memory by the distance.
    far = (not -side <= value <= 2 * side for value, side in zip(ring, [width, height] * (len(ring) // 2), strict=True))
    if any(far):
        raise ValueError("a polygon far outside the photo")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _run_lengths(shape: dict[str, Any], height: int, width: int) -> Cover:
    """Column by column, background first. Decoded here, where damaged counts are an error and not a crash."""
    if shape.get("size") != [height, width]:
        raise ValueError(f"run lengths for the size {shape.get('size')}; the photo's is {[height, width]}")
    counts = shape.get("counts")
    if isinstance(counts, str | bytes):
        counts = _uncompress(counts if isinstance(counts, bytes) else counts.encode())
    if not isinstance(counts, list) or not all(isinstance(n, int) and n >= 0 for n in counts):
        raise ValueError("run lengths that are no list of counts")
    if sum(counts) != height * width:
        raise ValueError(f"run lengths for {sum(counts)} pixels; the photo has {height * width}")
    runs = np.arange(len(counts)) % 2 == 1
    return np.repeat(runs, counts).reshape(width, height).T


def _uncompress(text: bytes) -> Sequence[int]:
    """COCO's compressed counts: 5 bits a character, the sixth says that more follow, from the third on differences."""
    counts: list[int] = []
    value = shift = 0
    for byte in text:
        bits = byte - 48
        if not 0 <= bits < 64 or shift > 50:
            raise ValueError("compressed run lengths that are damaged")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    if shift:
        raise ValueError("compressed run lengths that end early")
    return counts
