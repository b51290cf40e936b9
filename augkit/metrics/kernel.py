"""The kernel distance: the squared maximum mean discrepancy under a polynomial kernel.

With Inception features this is KID (Binkowski et al. 2018, section 4). Unlike a Frechet distance it is unbiased: its
mean over two sets of one distribution is 0 whatever their size, so single values may be negative.
"""

from __future__ import annotations

import numpy as np

from augkit.metrics.feature_rows import Matrix, Rows, both
from augkit.metrics.metric import metric


@metric("kernel", "KD", fewest=2, centred=True)
def unbiased_mmd(a: Rows, b: Rows) -> float:
    """(N, D), (M, D) -> mean k(x, x') + mean k(y, y') - 2 mean k(x, y), over x != x' and y != y' (Gretton et al.
    2012, eq. 3). Raises DataError below 2 rows.
    """
    first, second = both(a, b, fewest=2)
    n, m = len(first), len(second)
    within = _without_itself(first) / (n * (n - 1)) + _without_itself(second) / (m * (m - 1))
    return float(within - 2 * _kernel(first, second).sum(1).sum() / (n * m))


def _without_itself(rows: Matrix) -> float:
    """The sum of k(x, x') over all x != x'."""
    kernel = _kernel(rows, rows)
    return float((kernel.sum(1) - np.diag(kernel)).sum())


def _kernel(a: Matrix, b: Matrix) -> Matrix:
    """k(x, y) = (x.y / D + 1)^3."""
    return np.asarray((a @ b.T / a.shape[1] + 1) ** 3)
