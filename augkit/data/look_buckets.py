"""Looks that are near one another among very many: compared are those that share a bucket of one of some tables.

A bucket is named by the sides of random planes that a look lies on (Charikar 2002). Two photos at the very limit part
at a plane in 9 of 100 cases; there are as many tables as it takes that they share no bucket with a chance below one in
a million.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from augkit.data.look_distances import LOWEST, Places, collected, factors, swapped
from augkit.data.photo_looks import COEFFICIENTS, STEPS, Looks

_TOGETHER, _MISSED = 0.91, 1e-6  # chances: to lie on one side of a plane at the limit; to share no bucket then
_WINDOW = 64  # looks that are compared by one product, and those of a bucket if all had as many
_AT_ONCE = 32  # products; what they give stays in a core's cache
_FAR = 1e9  # what fills the last window is as far from all
_PLACE = 32  # bits of a look's place in a sorted number; those of its key are above


def by_buckets(looks: Looks, first: int, limit: int) -> Places | None:
    """Pairs of near looks of which the later one is at the place ``first`` or after: later * count + earlier, sorted;
    None where buckets hold so much that comparing each with each is less, and where pairs are ``collected`` no more."""
    count, found, work = len(looks), np.zeros(0, np.int64), 0
    bits, tables = _tables(count)
    planes, whole, ones = _planes(bits * tables), _on_a_sphere(looks), factors(looks)
    ones = np.concatenate([ones, [[*[0] * LOWEST, -_FAR, 1]]], dtype=np.float32)
    for table in range(tables):
        keys = _keys(whole @ planes[:, table * bits : (table + 1) * bits])
        ordered = np.sort(keys << _PLACE | np.arange(count))  # several times as fast as the order of the keys
        compared = list(_windows(ordered >> _PLACE))
        work += _WINDOW**2 * sum(map(len, compared))
        if work > count * count // 2:
            return None
        order = np.append(ordered & ((1 << _PLACE) - 1), [count] * (-count % _WINDOW))
        together = collected(_in_windows(compared, order, ones, first, limit), looks, limit)
        if together is None:
            return None
        found = _once(np.concatenate([found, together]))
    return found


def _tables(count: int) -> tuple[int, int]:
    """How many planes name a bucket among so many looks, and how many tables there are."""
    bits = max(1, round(math.log2(count / _WINDOW)) + 4)  # most buckets have fewer than the mean
    return bits, math.ceil(math.log(_MISSED) / math.log1p(-(_TOGETHER**bits)))


def _windows(keys: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """Of sorted keys cut into windows: those to compare with themselves, with the next, the next but one, ... as long
    as a bucket reaches so far."""
    begins, ends = keys[::_WINDOW], keys[np.minimum(np.arange(_WINDOW, len(keys) + _WINDOW, _WINDOW), len(keys)) - 1]
    at = np.arange(len(begins))
    for apart in itertools.count(1):
        yield at
        at = at[at + apart < len(begins)]
        at = at[ends[at] == begins[at + apart]]
        if not len(at):
            return


def _in_windows(
    compared: Sequence[NDArray[np.intp]], order: Places, ones: NDArray[np.float32], first: int, limit: int
) -> Iterator[tuple[Places, Places]]:
    """Places of those whose lowest frequencies are near."""
    order = order.reshape(-1, _WINDOW)
    ones = ones[order]
    others = swapped(ones)
    for apart, windows in enumerate(compared):
        for begin in range(0, len(windows), _AT_ONCE):
            at = windows[begin : begin + _AT_ONCE]
            close = np.flatnonzero(ones[at] @ others[at + apart].swapaxes(1, 2) >= -limit / 2)
            window, place = np.divmod(close, _WINDOW**2)
            one, other = order[at[window], place // _WINDOW], order[at[window] + apart, place % _WINDOW]
            asked = (one != other) & (np.maximum(one, other) >= first)
            yield one[asked], other[asked]


def _once(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sorted, each once; several times as fast as ``np.unique``, which hashes."""
    ordered = np.sort(numbers)
    return ordered[np.diff(ordered, prepend=-1) > 0]


def _on_a_sphere(looks: Looks) -> NDArray[np.float32]:
    """(N, 65): with what the other frequencies hold as one more number, all are equally long, and none further apart
    than the pictures are."""
    whole = looks.astype(np.float32)
    rest = np.sqrt(np.maximum(0, STEPS**2 - (whole * whole).sum(1, keepdims=True)))
    return np.concatenate([whole, np.rint(rest)], axis=1)


@cache
def _planes(count: int) -> NDArray[np.float32]:
    """(65, P) normals in whole numbers, so that sums are exact and no machine puts a look on another side."""
    normals = np.random.default_rng(0).normal(size=(COEFFICIENTS + 1, count))
    return np.asarray(np.rint(normals * 16), np.float32)


def _sides(products: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.packbits(products > 0, axis=1)


def _keys(products: NDArray[np.float32]) -> NDArray[np.int64]:
    sides = np.zeros((len(products), 8), np.uint8)
    packed = _sides(products)
    sides[:, : packed.shape[1]] = packed
    return sides.view(np.int64).reshape(-1)
