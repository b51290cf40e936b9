"""Polygons and run lengths of a photo's parts, drawn into one mask."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import DataError
from augkit.core.parts import Mask

Runs = NDArray[np.int64]
"""Lengths of runs of pixels, column by column: outside, inside, outside, ... They add up to the photo's pixels."""

_NUMBERS = {int, float}  # no bool
_LONGEST_COUNT = 11  # characters: 55 bits


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
        runs = list(zip((id for id, _, _ in self.shapes), self._runs(), strict=True))
        flat = np.zeros(self.width * self.height, np.uint8)  # column by column, as run lengths are
        for id, counts in sorted(runs, key=lambda item: -int(item[1][1::2].sum())):
            inside = np.arange(len(counts)) % 2 == 1
            start, stop = int(counts[0]), flat.size - (0 if inside[-1] else int(counts[-1]))
            cover = np.repeat(inside[1:], counts[1:])
            np.copyto(flat[start:stop], id, where=cover[: max(0, stop - start)])
        return np.ascontiguousarray(flat.reshape(self.width, self.height).T)

    def _runs(self) -> list[Runs]:
        """The shapes' run lengths; those of all polygons are uncompressed together, which is quicker."""
        found: list[Runs | bytes] = []
        for _, name, shape in self.shapes:
            try:
                parsed = json.loads(shape) if isinstance(shape, str) else shape
                if isinstance(parsed, dict):
                    found.append(_run_lengths(parsed, self.height, self.width))
                else:
                    found.append(_polygons(parsed, self.height, self.width))
            except (ValueError, TypeError, OverflowError, RecursionError) as error:
                raise DataError(f"{name}: {error}") from error
        drawn = iter(_uncompress([text for text in found if isinstance(text, bytes)]))
        return [next(drawn) if isinstance(runs, bytes) else runs for runs in found]


def _polygons(rings: object, height: int, width: int) -> bytes:
    """Compressed run lengths of the union of polygons.

    pycocotools defines the format, so it draws; fillPoly would add half a pixel all round.
    """
    from pycocotools import mask as coco

    if isinstance(rings, list) and rings and set(map(type, rings)) <= _NUMBERS:
        rings = [rings]
    if not isinstance(rings, list) or not rings:
        raise ValueError("the segmentation is empty")
    for ring in rings:
        _check(ring, height, width)
    drawn = coco.frPyObjects(rings, height, width)
    counts: bytes = (drawn[0] if len(drawn) == 1 else coco.merge(drawn))["counts"]
    return counts


def _check(ring: object, height: int, width: int) -> None:
    if not isinstance(ring, list) or not set(map(type, ring)) <= _NUMBERS or len(ring) % 2:
        raise ValueError("a polygon that is no list of x, y, x, y, ...")
    if len(ring) < 6:
        raise ValueError(f"a polygon with {len(ring) // 2} point(s); 3 are the least")
    if not all(map(math.isfinite, ring)):
        raise ValueError("a polygon that is no list of x, y, x, y, ...")
    # Beyond that the annotation belongs to another photo, and drawing it would cost memory by the distance.
    if any(min(ring[axis::2]) < -side or max(ring[axis::2]) > 2 * side for axis, side in enumerate((width, height))):
        raise ValueError("a polygon far outside the photo")


def _run_lengths(shape: dict[str, Any], height: int, width: int) -> Runs:
    """Column by column, background first. Decoded here, where damaged counts are an error and not a crash."""
    if shape.get("size") != [height, width]:
        raise ValueError(f"run lengths for the size {shape.get('size')}; the photo's is {[height, width]}")
    counts = shape.get("counts")
    if isinstance(counts, str | bytes):
        lengths = _uncompress([counts if isinstance(counts, bytes) else counts.encode()])[0]
    elif isinstance(counts, list) and set(map(type, counts)) <= {int}:
        lengths = np.array(counts, np.int64)
    else:
        raise ValueError("run lengths that are no list of counts")
    pixels = height * width
    if (lengths < 0).any():
        raise ValueError("run lengths that are no list of counts")
    if lengths.max(initial=0) > pixels or int(lengths.sum()) != pixels:
        raise ValueError(f"run lengths for {sum(lengths.tolist())} pixels; the photo has {pixels}")
    return lengths


def _uncompress(texts: Sequence[bytes]) -> list[Runs]:
    """COCO's compressed counts: 5 bits a character, the sixth says that more follow, from the third on differences."""
    codes = np.frombuffer(b"".join(texts), np.uint8).astype(np.int64) - 48
    if not codes.size:
        return [codes for _ in texts]
    if codes.min() < 0 or codes.max() >= 64:
        raise ValueError("compressed run lengths that are damaged")
    last = codes < 32
    ends = last.nonzero()[0]
    stops = np.array([len(text) for text in texts]).cumsum()
    if not last[stops[stops > 0] - 1].all():
        raise ValueError("compressed run lengths that end early")
    starts = np.empty_like(ends)
    starts[0], starts[1:] = 0, ends[:-1] + 1
    lengths = ends - starts + 1
    if lengths.max() > _LONGEST_COUNT:
        raise ValueError("compressed run lengths that are damaged")
    shifts = 5 * (np.arange(codes.size) - starts.repeat(lengths))
    counts = np.add.reduceat((codes & 31) << shifts, starts)
    counts -= ((codes[ends] & 16) >> 4) << (5 * lengths)
    runs = np.split(counts, ends.searchsorted(stops)[:-1])
    for own in runs:
        own[1::2] = own[1::2].cumsum()
        own[2::2] = own[2::2].cumsum()
    return runs
