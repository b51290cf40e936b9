"""The kernel distance: the squared maximum mean discrepancy under a polynomial kernel.

With Inception features this is KID (Binkowski et al. 2018, section 4). Unlike a Frechet distance it is unbiased: its
mean over two sets of one distribution is 0 whatever their size, so single values may be negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from augkit.core.errors import ConfigError
from augkit.core.seeds import derive
from augkit.metrics.feature_rows import Matrix, Rows, both
from augkit.metrics.metric import metric


@dataclass(frozen=True)
class KernelDistance:
    """``value``, and ``error``: its standard error over other pictures from the same sources."""

    value: float
    error: float


@metric("kernel", "KD", fewest=2, centred=True)
def unbiased_mmd(a: Rows, b: Rows) -> float:
    """(N, D), (M, D) -> mean k(x, x') + mean k(y, y') - 2 mean k(x, y), over x != x' and y != y' (Gretton et al.
    2012, eq. 3). Raises DataError below 2 rows.
    """
    first, second = both(a, b, fewest=2)
    return _Sums(first, second).value()


def kernel_distance(a: Rows, b: Rows, subsets: int = 100, subset_size: int = 1000, seed: int = 0) -> KernelDistance:
    """The distance with its error.

    Sets of up to ``subset_size`` rows: over all of them, with the error of the two-sample jackknife (leave one row
    out). Else: the mean over random subsets of that size, or of half a set where that is smaller, drawn without
    replacement; since subsets of m out of n rows overlap, their standard deviation is scaled by sqrt(m / (n - m)),
    the larger of the two sets', to that of all n rows.

    Raises DataError below 3 rows, ConfigError for less than 2 subsets or subsets of less than 3 rows.
    """
    if subsets < 2 or subset_size < 3:
        raise ConfigError(f"{subsets} subsets of {subset_size} rows", "at least 2 subsets of at least 3 rows")
    first, second = both(a, b, fewest=3)
    if max(len(first), len(second)) <= subset_size:
        sums = _Sums(first, second)
        return KernelDistance(sums.value(), sums.error())
    sizes = [min(subset_size, max(2, len(s) // 2)) for s in (first, second)]
    values = []
    for number in range(subsets):
        random = np.random.default_rng(derive(seed, "kernel", number))
        pick_a, pick_b = (random.choice(len(s), m, replace=False) for s, m in zip((first, second), sizes, strict=True))
        values.append(_Sums(first[pick_a], second[pick_b]).value())
    overlap = np.sqrt(max(m / (len(s) - m) for s, m in zip((first, second), sizes, strict=True)))
    return KernelDistance(float(np.mean(values)), float(np.std(values, ddof=1) * overlap))


def _kernel(a: Matrix, b: Matrix) -> Matrix:
    """k(x, y) = (x.y / D + 1)^3."""
    return np.asarray((a @ b.T / a.shape[1] + 1) ** 3)


class _Sums:
    """Row sums of the three kernel matrices: all that the distance and its jackknife need."""

    def __init__(self, a: Matrix, b: Matrix) -> None:
        self.n, self.m = len(a), len(b)
        aa, bb, ab = _kernel(a, a), _kernel(b, b), _kernel(a, b)
        self.within_a = aa.sum(1) - np.diag(aa)
        self.within_b = bb.sum(1) - np.diag(bb)
        self.across_a, self.across_b = ab.sum(1), ab.sum(0)

    def value(self) -> float:
        """The distance over all rows."""
        n, m = self.n, self.m
        same = self.within_a.sum() / (n * (n - 1)) + self.within_b.sum() / (m * (m - 1))
        return float(same - 2 * self.across_a.sum() / (n * m))

    def error(self) -> float:
        """The two-sample jackknife: each row of either set left out once (Arvesen 1969)."""
        n, m = self.n, self.m
        across = self.across_a.sum()
        rest_a = (self.within_a.sum() - 2 * self.within_a) / ((n - 1) * (n - 2))
        rest_a = rest_a - 2 * (across - self.across_a) / ((n - 1) * m)
        rest_b = (self.within_b.sum() - 2 * self.within_b) / ((m - 1) * (m - 2))
        rest_b = rest_b - 2 * (across - self.across_b) / (n * (m - 1))
        return float(np.sqrt(rest_a.var() * (n - 1) + rest_b.var() * (m - 1)))
