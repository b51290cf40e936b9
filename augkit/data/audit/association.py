"""How strongly two labels of the same rows go together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc  # the tail of chi-square; scipy.stats would take a second to import

FEWEST_OF_A_LEVEL = 5
FEWEST_ROWS = 30


@dataclass(frozen=True)
class Association:
    """Counts (rows, columns) of two labels by their levels, Cramer's V (0..1), and the chance of as much by luck."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: NDArray[np.int64]
    v: float
    p: float

    @property
    def residuals(self) -> NDArray[np.float64]:
        """(rows, columns): how many more there are than if the labels had nothing to do with each other, in roots of
        the expected count (Pearson's residuals)."""
        expected = _expected(self.counts)
        return (self.counts - expected) / np.sqrt(expected)


def associate(one: Sequence[str], other: Sequence[str]) -> Association | None:
    """Two labels a row -> their association; None where there is too little to tell.

    V is corrected for its bias in small tables (Bergsma 2013, A bias-correction for Cramer's V and Tschuprow's T,
    eq. 4-6). Levels with fewer than ``FEWEST_OF_A_LEVEL`` rows and rows with an empty label are left out; at least
    two levels of each and ``FEWEST_ROWS`` rows have to remain.
    """
    kept = [(a, b) for a, b in zip(one, other, strict=True) if a and b]
    rows, columns = (_levels([pair[side] for pair in kept]) for side in (0, 1))
    kept = [(a, b) for a, b in kept if a in rows and b in columns]
    if len(rows) < 2 or len(columns) < 2 or len(kept) < FEWEST_ROWS:
        return None
    counts = np.zeros((len(rows), len(columns)), np.int64)
    for a, b in kept:
        counts[rows.index(a), columns.index(b)] += 1
    if not counts.sum(0).all() or not counts.sum(1).all():
        return None
    statistic = float(((counts - _expected(counts)) ** 2 / _expected(counts)).sum())
    freedom = (len(rows) - 1) * (len(columns) - 1)
    return Association(rows, columns, counts, _corrected_v(statistic, counts), float(chdtrc(freedom, statistic)))


def _levels(labels: Sequence[str]) -> tuple[str, ...]:
    names, counts = np.unique(np.array(labels, str), return_counts=True)
    return tuple(str(name) for name, count in zip(names, counts, strict=True) if count >= FEWEST_OF_A_LEVEL)


def _expected(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.outer(counts.sum(1), counts.sum(0)) / counts.sum())


def _corrected_v(statistic: float, counts: NDArray[np.int64]) -> float:
    total = int(counts.sum())
    r, k = counts.shape
    phi2 = max(0.0, statistic / total - (r - 1) * (k - 1) / (total - 1))
    r_less, k_less = r - (r - 1) ** 2 / (total - 1), k - (k - 1) ** 2 / (total - 1)
    return min(1.0, float(np.sqrt(phi2 / min(r_less - 1, k_less - 1))))
