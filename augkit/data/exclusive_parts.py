"""Parts that exclude each other on one car, as a boot lid and a tailgate do: learnt from masks, not from names."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from augkit.core.parts import BACKGROUND

EXPECTED = 16.0
"""Masks that would show both of two parts by chance, below which too little is known. Mirror images count, so half as
many are independent: that none of these shows both has the chance e^-8."""

MET = 1 / 50
"""Share of the expected masks that may show both all the same: labels have errors."""


def exclusive_parts(shows: NDArray[np.bool_], views: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Which part ids each of M masks ``shows`` (M, K), seen from the ``views`` (M,) -> (K, K), symmetric: True where
    two parts exclude each other.

    Parts a and b that have nothing to do with each other meet in the sum over the views of n_a n_b / n masks, if n of
    a view's masks show it and n_a, n_b of these the parts. They exclude each other where that is ``EXPECTED`` at least
    and no more than a share of ``MET`` of it meet. Parts that are never seen from one side are not meant.
    """
    met, expected = np.zeros((2, shows.shape[1], shows.shape[1]))
    for view in np.unique(views):
        own = shows[views == view].astype(np.float64)
        each = own.sum(0)
        met += own.T @ own
        expected += np.outer(each, each) / len(own)
    found = (expected >= EXPECTED) & (met <= MET * expected)
    found[BACKGROUND], found[:, BACKGROUND] = False, False
    return np.asarray(found & ~np.eye(len(found), dtype=np.bool_))
