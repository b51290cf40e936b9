"""COCO's run lengths: lengths of runs of pixels, column by column: outside, inside, outside, ..."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Runs = NDArray[np.int64]
"""Lengths that add up to the photo's pixels."""

_LONGEST_COUNT = 11  # characters: 55 bits


def run_lengths(shape: Mapping[str, Any], height: int, width: int) -> Runs:
    """Column by column, background first. Decoded here, where damaged counts are an error and not a crash."""
    if shape.get("size") != [height, width]:
        raise ValueError(f"run lengths for the size {shape.get('size')}; the photo's is {[height, width]}")
    counts = shape.get("counts")
    if counts in ("", []):
        return np.array([height * width], np.int64)
    if isinstance(counts, str | bytes):
        lengths = uncompress([counts if isinstance(counts, bytes) else counts.encode()])[0]
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


def uncompress(texts: Sequence[bytes]) -> list[Runs]:
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
