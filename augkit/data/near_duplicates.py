"""Photos that are the same but for their bytes: compressed again, made smaller, brighter, a little blurred, mirrored.

Two measures have to agree. The perceptual hash (the signs of an 8x8 block of the cosine transform of a 32x32 picture
against their median; Zauner 2010, ImageHash's phash) can be searched for among many photos; the correlation of
the two 32x32 pictures tells photos that only resemble each other, such as cars of one model from one side. Both are
taken from the canonical photo, in which studio walls and streets take little room, and neither is changed by
brightness or contrast. A photo is compared as it is and in the mirror. ``tests/benchmarks/duplicates.py`` prints what
the two limits are chosen from.

Without the second measure a few look-alikes would chain a whole data set into one group. A photo with next to no
contrast has no hash: what is in it is noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.data.crop import Photo

MAX_DISTANCE = 6
MIN_CORRELATION = 0.97
_SIDE, _LARGE = 32, 512
_LEAST_CONTRAST = 4.0  # standard deviation in grey levels
_BLOCK = 1 << 22  # hashes compared at a time

Pairs = NDArray[np.int64]


def thumb(photo: Photo) -> NDArray[np.uint8]:
    """(H, W, 3) RGB -> (32, 32) grey, by area means; a large photo is halved first, which is much quicker."""
    while min(photo.shape[:2]) >= _LARGE and not (photo.shape[0] % 2 or photo.shape[1] % 2):
        photo = np.asarray(cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    small = cv2.resize(photo, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def perceptual_hash(photo: Photo) -> str:
    """(H, W, 3) RGB -> 64 bits in hex, and 64 of its mirror image; empty for a photo with next to no contrast."""
    small = thumb(photo)
    if cv2.meanStdDev(small)[1].item() < _LEAST_CONTRAST:
        return ""
    lowest = _COSINES @ small @ _COSINES.T
    return _hash(lowest) + _hash(lowest * _MIRROR)


def _hash(lowest: NDArray[np.float64]) -> str:
    """(8, 8) amplitudes -> 64 bits in hex, row by row from the lowest frequency: those above the median."""
    ordered = np.sort(lowest, axis=None)
    return np.packbits(2 * lowest > ordered[31] + ordered[32]).tobytes().hex()


def _cosines() -> NDArray[np.float64]:
    """(8, 32) the first rows of the cosine transform (DCT-II)."""
    waves, places = np.arange(8)[:, None], np.arange(_SIDE)
    return np.asarray(2 * np.cos(np.pi * waves * (2 * places + 1) / (2 * _SIDE)))


_COSINES, _MIRROR = _cosines(), (-1.0) ** np.arange(8)
"""A mirror image has the same amplitudes, those of every second column with the other sign."""


def hash_bits(text: str) -> tuple[int, int]:
    """The two hashes of ``perceptual_hash``; 0 for what is missing, as in catalogues that know no mirror images."""
    return int(text[:16] or "0", 16), int(text[16:] or "0", 16)


def correlation(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """-1..1: how alike two (32, 32) pictures are, whatever their brightness and contrast."""
    a, b = (picture.astype(np.float64) - picture.mean() for picture in (one, other))
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm else 0.0


def thumb_spectrum(small: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """The cosine transform of a (32, 32) picture less its mean, of length 1: what correlates c has the product c. None
    without any contrast."""
    from scipy.fft import dctn

    level = small.astype(np.float64) - small.mean()
    length = float(np.sqrt((level * level).sum()))
    return np.asarray(dctn(level / length, norm="ortho")) if length else None


def near_pairs(hashes: NDArray[np.uint64], distance: int = MAX_DISTANCE) -> Pairs:
    """(N,) hashes -> (M, 2) places of those that differ in at most ``distance`` bits, first < second.

    Hashes that differ in d bits agree in one of d + 1 slices (multi-index hashing: Norouzi et al. 2012), so only those
    that share a slice are compared: near-linear where hashes are spread, never more memory than a block of comparisons
    and the pairs found. A few thousand are compared each with each, which is one step.
    """
    found = [np.zeros((0, 2), np.int64)]
    if len(hashes) ** 2 <= _BLOCK:
        return np.concatenate([*found, *_compare(hashes, np.arange(len(hashes)), distance)])
    edges = np.linspace(0, 64, distance + 2).astype(int)
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        keys = (hashes >> np.uint64(start)) & np.uint64((1 << (stop - start)) - 1)
        order = np.argsort(keys, kind="stable")
        bounds = np.concatenate([[0], np.flatnonzero(np.diff(keys[order])) + 1, [len(order)]])
        shared = np.flatnonzero(np.diff(bounds) > 1)  # most hashes have a slice for themselves
        for begin, end in zip(bounds[shared].tolist(), bounds[shared + 1].tolist(), strict=True):
            found += _compare(hashes, order[begin:end], distance)
    return np.unique(np.concatenate(found), axis=0)


def _compare(hashes: NDArray[np.uint64], members: Pairs, distance: int) -> Iterator[Pairs]:
    """The near pairs among some hashes, a block of rows of the table of comparisons at a time."""
    rows = max(1, _BLOCK // max(1, len(members)))
    for first in range(0, len(members) - 1, rows):
        some, others = members[first : first + rows], members[first + 1 :]
        near = np.bitwise_count(hashes[some, None] ^ hashes[None, others]) <= distance
        a, b = np.nonzero(np.triu(near))
        if a.size:
            pairs = np.stack([some[a], others[b]], axis=1)
            yield np.sort(pairs, axis=1)


def find_groups(
    sha256: NDArray[np.bytes_],
    phash: NDArray[np.uint64],
    known: NDArray[np.bool_],
    look: Callable[[int], NDArray[np.uint8]],
) -> Pairs:
    """(N,) sha256, (N, 2) hashes of photos and of their mirror images -> (N,) group numbers 0..G-1: equal for rows with
    one sha256, and for near duplicates, mirrored ones too.

    ``known`` says which rows have a perceptual hash. ``look`` gives a row's (32, 32) picture; it is asked only for
    rows with a near hash. Groups are connected: a near duplicate of a near duplicate belongs to it.
    """
    count = len(sha256)
    _, first, same = np.unique(sha256, return_index=True, return_inverse=True)
    edges = [np.stack([np.arange(count), first[same]], axis=1), _near(np.flatnonzero(known), phash, first[same], look)]
    return connected(np.concatenate(edges), count)


def connected(links: Pairs, count: int) -> Pairs:
    """(M, 2) links among so many rows -> (N,) group numbers 0..G-1, equal where a chain of links leads."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(links), np.int8), (links[:, 0], links[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _near(rows: Pairs, phash: NDArray[np.uint64], source: Pairs, look: Callable[[int], NDArray[np.uint8]]) -> Pairs:
    """(M, 2) rows that both measures call near duplicates. Equal hashes are compared with the first that has it only,
    so that a thousand copies cost a thousand looks."""
    hashes, first, inverse = np.unique(phash[rows, 0], return_index=True, return_inverse=True)
    leaders = rows[first]
    copies = np.stack([leaders[inverse], rows], axis=1)
    same_way = _alike(np.concatenate([copies, leaders[near_pairs(hashes)]]), source, look)
    return np.concatenate([same_way, _alike(mirrored_pairs(leaders, phash), source, look, mirrored=True)])


def mirrored_pairs(rows: Pairs, phash: NDArray[np.uint64]) -> Pairs:
    """(M, 2) of the rows, of which the one's hash is near that of the other's mirror image."""
    pairs, count = near_pairs(np.concatenate([phash[rows, 0], phash[rows, 1]])), len(rows)
    across = pairs[(pairs[:, 0] < count) & (pairs[:, 1] >= count)] - np.array([0, count])
    apart = np.sort(across[across[:, 0] != across[:, 1]], axis=1)  # either side may be the one that is near
    return np.asarray(rows[np.unique(apart, axis=0)], np.int64)


def _alike(pairs: Pairs, source: Pairs, look: Callable[[int], NDArray[np.uint8]], mirrored: bool = False) -> Pairs:
    """Those of the (M, 2) rows whose pictures correlate, the second in the mirror if asked for."""
    pairs = pairs[source[pairs[:, 0]] != source[pairs[:, 1]]]  # one photo is one group anyway
    step = -1 if mirrored else 1
    alike = [correlation(look(a), look(b)[:, ::step]) >= MIN_CORRELATION for a, b in pairs.tolist()]
    return np.asarray(pairs[np.array(alike, np.bool_)], np.int64)
