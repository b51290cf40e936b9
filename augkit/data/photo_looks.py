"""What is kept of a photo to find those that resemble it without reading it again: 64 bytes.

The correlation of two 32x32 pictures u and v (``near_duplicates.correlation``) is that of unit vectors, so at least c
means |u - v| <= sqrt(2 - 2 c). The cosine transform keeps lengths: no part of it differs by more. A look is the 64
lowest frequencies of u in steps of 1/127, and ``earlier_alike`` finds the pairs of looks within that distance, rounding
included; whoever asks compares the pictures of these.

The lowest 24 of these frequencies are compared first, by matrix products, and in whole numbers what they leave. Up to
``FEW`` looks are compared each with each; of more, those alone that share a bucket of one of some tables. A bucket is
named by the sides of random planes that a look lies on (Charikar 2002). Two photos at the very limit part at a plane in
9 of 100 cases; there are as many tables as it takes that they share no bucket with a chance below one in a million.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from augkit.data.near_duplicates import MIN_CORRELATION, thumb_spectrum

COEFFICIENTS = 64
NO_LOOK = b"\0"
"""Of a photo without contrast, which resembles none."""

FEW = 1 << 15
"""Up to so many looks are compared each with each, which takes less."""
LOWEST = 24
"""So many frequencies are compared first."""

_TOGETHER, _MISSED = 0.91, 1e-6  # chances: to lie on one side of a plane at the limit; to share no bucket then
_WINDOW = 64  # looks that are compared by one product, and those of a bucket if all had as many
_AT_ONCE = 32  # products; what they give stays in a core's cache
_STEPS = 127
_BLOCK = 1 << 16  # looks compared at a time
_FAR = 1e9  # what fills the last window is as far from all
_PLACE = 32  # bits of a look's place in a sorted number; those of its key are above
Looks = NDArray[np.int8]


def look_of(small: NDArray[np.uint8]) -> bytes:
    """(32, 32) grey -> its look."""
    spectrum = thumb_spectrum(small)
    if spectrum is None:
        return NO_LOOK
    return np.rint(spectrum[_lowest()] * _STEPS).astype(np.int8).tobytes()


@cache
def _lowest() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the lowest frequencies, without the mean."""
    rows, columns = np.mgrid[:32, :32]
    order = np.argsort((rows + columns).reshape(-1), kind="stable")[1 : COEFFICIENTS + 1]
    return rows.reshape(-1)[order], columns.reshape(-1)[order]


def looks_of(looks: Sequence[bytes]) -> tuple[Looks, NDArray[np.intp]]:
    """(N, 64) looks, and which of those given they are: without those of photos that resemble none."""
    places = [place for place, look in enumerate(looks) if len(look) == COEFFICIENTS]
    data = b"".join(looks[place] for place in places)
    return np.frombuffer(data, np.int8).reshape(-1, COEFFICIENTS), np.array(places, np.intp)


def earlier_alike(
    looks: Looks, first: int = 0, correlation: float = MIN_CORRELATION
) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """For each look from the place ``first`` on that may have such a correlation with earlier ones: its place, and
    theirs. In order; those without are left out."""
    radius = _STEPS * np.sqrt(2 - 2 * correlation) + np.sqrt(COEFFICIENTS)  # rounding moves each by half of that
    limit = int(radius * radius)
    found = None if len(looks) <= FEW or correlation < MIN_CORRELATION else _by_buckets(looks, first, limit)
    yield from _by_blocks(looks, first, limit) if found is None else found


def _by_blocks(looks: Looks, first: int, limit: int) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Each with each: a product of 128 rows and 2048 columns stays in a core's cache."""
    ones = _factors(looks)
    others = np.ascontiguousarray(_swapped(ones).T)
    for row in range(first, len(looks), 128):
        found = [np.zeros(0, np.int64)]
        for column in range(0, min(row + 128, len(looks)), 2048):
            closeness = ones[row : row + 128] @ others[:, column : min(column + 2048, row + 128)]
            later, earlier = np.divmod(np.flatnonzero(closeness >= -limit / 2), closeness.shape[1])
            later, earlier = later + row, earlier + column
            found.append(_near(looks, later[later > earlier], earlier[later > earlier], limit))
        yield from _grouped(np.sort(np.concatenate(found)), len(looks))


def _by_buckets(looks: Looks, first: int, limit: int) -> Iterator[tuple[int, NDArray[np.intp]]] | None:
    """The same by buckets; None where these hold so much that each with each is less."""
    count, found, work = len(looks), [np.zeros(0, np.int64)], 0
    bits, tables = _tables(count)
    planes, whole, factors = _planes(bits * tables), _on_a_sphere(looks), _factors(looks)
    factors = np.concatenate([factors, [[*[0] * LOWEST, -_FAR, 1]]], dtype=np.float32)
    for table in range(tables):
        keys = _keys(whole @ planes[:, table * bits : (table + 1) * bits])
        ordered = np.sort(keys << _PLACE | np.arange(count))  # several times as fast as the order of the keys
        compared = list(_windows(ordered >> _PLACE))
        work += _WINDOW**2 * sum(map(len, compared))
        if work > count * count // 2:
            return None
        order = np.append(ordered & ((1 << _PLACE) - 1), [count] * (-count % _WINDOW))
        for one, other in _in_windows(compared, order, factors, limit):
            later, earlier = np.maximum(one, other), np.minimum(one, other)
            asked = (later > earlier) & (later >= first)
            found.append(_near(looks, later[asked], earlier[asked], limit))
    return _grouped(_once(np.concatenate(found)), count)


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
    compared: Sequence[NDArray[np.intp]], order: NDArray[np.int64], factors: NDArray[np.float32], limit: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Places of those whose lowest frequencies are near."""
    order = order.reshape(-1, _WINDOW)
    ones = factors[order]
    others = _swapped(ones)
    for apart, windows in enumerate(compared):
        for begin in range(0, len(windows), _AT_ONCE):
            at = windows[begin : begin + _AT_ONCE]
            near = np.flatnonzero(ones[at] @ others[at + apart].swapaxes(1, 2) >= -limit / 2)
            window, place = np.divmod(near, _WINDOW**2)
            yield order[at[window], place // _WINDOW], order[at[window] + apart, place % _WINDOW]


def _factors(looks: Looks) -> NDArray[np.float32]:
    """(N, 26): the product of one with another one whose last two are swapped is -1/2 of the square that lies between
    their lowest frequencies, without rounding."""
    low = looks[:, :LOWEST].astype(np.float32)
    squares = (low * low).sum(1, keepdims=True)
    return np.concatenate([low, squares / -2, np.ones_like(squares)], 1)


def _swapped(factors: NDArray[np.float32]) -> NDArray[np.float32]:
    swapped = factors.copy()
    swapped[..., -2:] = factors[..., :-3:-1]
    return swapped


def _near(looks: Looks, later: NDArray[np.int64], earlier: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Those that are near in all frequencies, as later * count + earlier."""
    near = [_gap(looks, later[at], earlier[at]) <= limit for at in _slices(len(later))]
    kept = np.concatenate([np.zeros(0, np.bool_), *near])
    return np.asarray(later[kept] * len(looks) + earlier[kept], np.int64)


def _once(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sorted, each once; several times as fast as ``np.unique``, which hashes."""
    ordered = np.sort(numbers)
    return ordered[np.diff(ordered, prepend=-1) > 0]


def _on_a_sphere(looks: Looks) -> NDArray[np.float32]:
    """(N, 65): with what the other frequencies hold as one more number, all are equally long, and none further apart
    than the pictures are."""
    whole = looks.astype(np.float32)
    rest = np.sqrt(np.maximum(0, _STEPS**2 - (whole * whole).sum(1, keepdims=True)))
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


def _gap(looks: Looks, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    apart = looks[a].astype(np.int32) - looks[b]
    return np.asarray((apart * apart).sum(1))


def _slices(count: int) -> list[slice]:
    return [slice(begin, begin + _BLOCK) for begin in range(0, count, _BLOCK)]


def _grouped(pairs: NDArray[np.int64], count: int) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Of sorted later * count + earlier: each later one with its earlier ones."""
    later, earlier = np.divmod(pairs, count)
    places, begins = np.unique(later, return_index=True)
    for place, begin, end in zip(places.tolist(), begins, np.append(begins, len(later))[1:], strict=True):
        yield place, earlier[begin:end]
