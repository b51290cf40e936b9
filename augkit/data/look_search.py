"""Looks (``photo_looks``) that are near one another.

Few looks are compared each with each; up to ``MANY`` those that ``look_strips`` leaves, which misses none; of more,
those that share a bucket (``look_buckets``).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from augkit.data.look_buckets import by_buckets
from augkit.data.look_distances import factors, near, swapped
from augkit.data.look_strips import by_strips
from augkit.data.near_duplicates import MIN_CORRELATION
from augkit.data.photo_looks import COEFFICIENTS, STEPS, Looks

FEW, MANY = 1 << 11, 1 << 17
"""Up to so many looks each search takes the least."""


def earlier_alike(
    looks: Looks, first: int = 0, correlation: float = MIN_CORRELATION
) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """For each look from the place ``first`` on that may have such a correlation with earlier ones: its place, and
    theirs. In order; those without are left out."""
    radius = STEPS * np.sqrt(2 - 2 * correlation) + np.sqrt(COEFFICIENTS)  # rounding moves each by half of that
    limit = int(radius * radius)
    many = len(looks) > MANY and correlation >= MIN_CORRELATION  # buckets are made for no other
    found = by_buckets(looks, first, limit) if many else None
    if found is None and len(looks) > FEW:
        found = by_strips(looks, first, limit)
    yield from _by_blocks(looks, first, limit) if found is None else _grouped(found, len(looks))


def _by_blocks(looks: Looks, first: int, limit: int) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Each with each: a product of 128 rows and 2048 columns stays in a core's cache."""
    ones = factors(looks)
    others = np.ascontiguousarray(swapped(ones).T)
    for row in range(first, len(looks), 128):
        found = [np.zeros(0, np.int64)]
        for column in range(0, min(row + 128, len(looks)), 2048):
            closeness = ones[row : row + 128] @ others[:, column : min(column + 2048, row + 128)]
            later, earlier = np.divmod(np.flatnonzero(closeness >= -limit / 2), closeness.shape[1])
            later, earlier = later + row, earlier + column
            found.append(near(looks, later[later > earlier], earlier[later > earlier], limit))
        yield from _grouped(np.sort(np.concatenate(found)), len(looks))


def _grouped(pairs: NDArray[np.int64], count: int) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Of sorted later * count + earlier: each later one with its earlier ones."""
    later, earlier = np.divmod(pairs, count)
    places, begins = np.unique(later, return_index=True)
    for place, begin, end in zip(places.tolist(), begins, np.append(begins, len(later))[1:], strict=True):
        yield place, earlier[begin:end]
