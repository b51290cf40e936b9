"""Distances of looks (``photo_looks``), in whole numbers: those of the lowest frequencies by matrix products, which
rule out most, and then those of all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from augkit.data.photo_looks import Looks

LOWEST = 14
"""So many frequencies are compared first: the four lowest diagonals of the cosine transform."""

_BLOCK = 1 << 16  # looks compared at a time
_LEAST, _EACH = 1 << 20, 64  # pairs that are held at once: of however few looks, and for each look

Places = NDArray[np.int64]


def factors(looks: Looks) -> NDArray[np.float32]:
    """(N, 16): the product of one with another one that is ``swapped`` is -1/2 of the square that lies between their
    lowest frequencies, without rounding."""
    low = looks[:, :LOWEST].astype(np.float32)
    squares = (low * low).sum(1, keepdims=True)
    return np.concatenate([low, squares / -2, np.ones_like(squares)], 1)


def swapped(ones: NDArray[np.float32]) -> NDArray[np.float32]:
    """The other side of a product of ``factors``."""
    others = ones.copy()
    others[..., -2:] = ones[..., :-3:-1]
    return others


def near(looks: Looks, one: Places, other: Places, limit: int) -> Places:
    """Of places of two looks each those that are near in all frequencies, the distance's square at most ``limit``: as
    later * count + earlier."""
    later, earlier = np.maximum(one, other), np.minimum(one, other)
    parts = [slice(begin, begin + _BLOCK) for begin in range(0, len(later), _BLOCK)]
    kept = [_gap(looks, later[at], earlier[at]) <= limit for at in parts]
    found = np.concatenate([np.zeros(0, np.bool_), *kept])
    return np.asarray(later[found] * len(looks) + earlier[found], np.int64)


def collected(pairs: Iterable[tuple[Places, Places]], looks: Looks, limit: int) -> Places | None:
    """Those of these pairs that are ``near``; None as soon as they are so many that they had better not be held."""
    found, held = [np.zeros(0, np.int64)], 0
    for one, other in pairs:
        found.append(near(looks, one, other, limit))
        held += len(found[-1])
        if held > _LEAST + _EACH * len(looks):
            return None
    return np.concatenate(found)


def _gap(looks: Looks, a: Places, b: Places) -> NDArray[np.int64]:
    apart = looks[a].astype(np.int32) - looks[b]
    return np.asarray((apart * apart).sum(1))
