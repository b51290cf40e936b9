"""What is kept of a photo to find those that resemble it without reading it again: 64 bytes.

The correlation of two 32x32 pictures u and v (``near_duplicates.correlation``) is that of unit vectors, so at least c
means |u - v| <= sqrt(2 - 2 c). The cosine transform keeps lengths: no part of it differs by more. A look is the 64
lowest frequencies of u in steps of 1/127, and ``earlier_alike`` finds the pairs of looks within that distance, rounding
included; whoever asks compares the pictures of these.

Among many looks it compares those alone that fall into one bucket in one of ``TABLES`` tables. A bucket is named by the
sides of random planes that a look lies on (Charikar 2002). Two photos at the very limit part at a plane in 9 of 100
cases; that they share no bucket of any table has a chance below one in a million.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from augkit.data.near_duplicates import MIN_CORRELATION, thumb_spectrum

COEFFICIENTS = 64
NO_LOOK = b"\0"
"""Of a photo without contrast, which resembles none."""

TABLES, BITS = 128, 24
FEW = 1 << 14
"""Up to so many looks are compared each with each, which takes less."""
SKETCH, SKETCH_APART = 256, (52, 84)
"""Of so many more planes, and of twice as many, those at which two looks may part that are compared at all; two photos
at the limit part at 24 and 47 on average, with deviations of 5 and 7."""

_STEPS = 127
_BLOCK = 1 << 22  # comparisons at a time
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
    """Each with each, by products of blocks: whole numbers, so the same everywhere."""
    whole = looks.astype(np.float32)
    squares = (whole * whole).sum(1)
    rows = max(1, _BLOCK // max(1, len(looks)))
    for begin in range(first, len(looks), rows):
        some = slice(begin, min(begin + rows, len(looks)))
        gaps = squares[some, None] + squares[None, : some.stop] - 2 * (whole[some] @ whole[: some.stop].T)
        for place, row in enumerate(gaps <= limit, some.start):
            if (earlier := np.flatnonzero(row[:place])).size:
                yield place, earlier


def _by_buckets(looks: Looks, first: int, limit: int) -> Iterator[tuple[int, NDArray[np.intp]]] | None:
    """The same by buckets; None where these hold so much that each with each is less."""
    count, found, work = len(looks), [np.zeros(0, np.int64)], 0
    planes, whole = _planes(), _on_a_sphere(looks)
    sketch = np.ascontiguousarray(_sides(whole @ planes[:, -2 * SKETCH :]).view(np.uint64).T)
    for table in range(TABLES):
        keys = _keys(whole @ planes[:, table * BITS : (table + 1) * BITS])
        ordered = np.sort(keys << _PLACE | np.arange(count))  # several times as fast as the order of the keys
        keys, order = ordered >> _PLACE, ordered & ((1 << _PLACE) - 1)
        sizes = np.diff(np.flatnonzero(np.diff(keys, prepend=-1, append=-2)))
        work += int((sizes.astype(np.int64) ** 2).sum()) // 2
        if work > count * count // 4:
            return None
        found.append(_in_buckets(keys, order, sketch, first))
    pairs = _once(np.concatenate(found))
    later, earlier = pairs // count, pairs % count
    near = [_gap(looks, later[at], earlier[at]) <= limit for at in _slices(len(pairs))]
    kept = np.concatenate(near) if near else np.zeros(0, np.bool_)
    return _grouped(later[kept], earlier[kept])


def _in_buckets(
    keys: NDArray[np.int64], order: NDArray[np.int64], sketch: NDArray[np.uint64], first: int
) -> NDArray[np.int64]:
    """Pairs of one bucket whose sketches are near, as later * count + earlier: neighbours in the order of keys, those
    two apart, three apart, ... as long as any two that far apart share a bucket."""
    count, found, apart = len(keys), [np.zeros(0, np.int64)], 1
    at, half = np.flatnonzero(keys[1:] == keys[:-1]), len(sketch) // 2
    ordered = sketch[:half, order]  # so that those of a bucket lie side by side
    while len(at):
        parted = _parted(ordered, at, at + apart)
        near = np.flatnonzero(parted <= SKETCH_APART[0])
        a, b, parted = order[at[near]], order[at[near] + apart], parted[near]
        near = np.flatnonzero(parted + _parted(sketch[half:], a, b) <= SKETCH_APART[1])
        later, earlier = np.maximum(a[near], b[near]), np.minimum(a[near], b[near])
        found.append((later * count + earlier)[later >= first])
        apart += 1
        at = at[at + apart < count]
        at = at[keys[at] == keys[at + apart]]
    return np.concatenate(found)


def _parted(sketch: NDArray[np.uint64], a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.uint16]:
    """At how many planes of (words, N) sketches the looks a part from the looks b."""
    apart = np.zeros(len(a), np.uint16)
    for word in sketch:  # word by word: sums over an axis of four take several times as long
        apart += np.bitwise_count(word[a] ^ word[b])
    return apart


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
def _planes() -> NDArray[np.float32]:
    """(65, P) normals in whole numbers, so that sums are exact and no machine puts a look on another side."""
    normals = np.random.default_rng(0).normal(size=(COEFFICIENTS + 1, TABLES * BITS + SKETCH))
    more = np.random.default_rng(1).normal(size=(COEFFICIENTS + 1, SKETCH))
    return np.asarray(np.rint(np.concatenate([normals, more], axis=1) * 16), np.float32)


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
    return [slice(begin, begin + _BLOCK // COEFFICIENTS) for begin in range(0, count, _BLOCK // COEFFICIENTS)]


def _grouped(later: NDArray[np.int64], earlier: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    places, begins = np.unique(later, return_index=True)
    for place, begin, end in zip(places.tolist(), begins, np.append(begins, len(later))[1:], strict=True):
        yield place, earlier[begin:end]
