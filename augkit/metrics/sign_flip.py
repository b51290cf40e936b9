"""The paired sign-flip test: are the differences of pairs of runs centred on nothing?

If it made no difference which arm a run belongs to, each difference could as well have had the other sign (Fisher
1935). The p value is the share of all 2^n signs under which the mean is at least as far from 0 as it was found; so with
n runs it is never below 2^(1 - n).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from augkit.core.seeds import derive

EXACT = 16
"""Differences up to which all signs are tried; beyond, so many random ones stand for them:"""
DRAWS = 100_000
_SLACK = 1e-12  # sums of the same numbers in another order


def sign_flip(differences: Sequence[float]) -> float:
    """The two-sided p value. NaN for no differences, or for one that is NaN."""
    values = np.array(differences, dtype=float)
    if not len(values) or np.isnan(values).any():
        return float("nan")
    found = abs(values.sum()) * (1 - _SLACK)
    if len(values) <= EXACT:
        signs = np.array(list(product((-1.0, 1.0), repeat=len(values))))
        return float((abs(signs @ values) >= found).mean())
    random = np.random.default_rng(derive(0, "signs"))
    hits = int((abs(random.choice((-1.0, 1.0), (DRAWS, len(values))) @ values) >= found).sum())
    return (hits + 1) / (DRAWS + 1)  # what was found is one of the signs
