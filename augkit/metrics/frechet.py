"""The Frechet distance between two sets of features, each taken for a normal distribution.

    d = |m1 - m2|^2 + Tr(S1 + S2 - 2 (S1 S2)^(1/2))          (Dowson and Landau 1982; Heusel et al. 2017, eq. 6)

With S1 = A^T A and S2 = B^T B, the eigenvalues of S1 S2 are the squared singular values of A B^T, so the trace of the
root is their sum. For N pictures A is the centred features over sqrt(N - 1): an N x M matrix takes the place of the
D x D root where N < D, without any loss. Where N >= D, A is the symmetric root of the covariance, and the same holds.

The distance is biased upwards for few pictures, and below D + 1 pictures the covariances have no full rank. Compare
sets of one size only, and with the distance between two real sets of that size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from augkit.metrics.feature_rows import Matrix, Rows, both
from augkit.metrics.metric import metric


@metric("frechet", "FD", fewest=2)
def frechet_distance(a: Rows, b: Rows) -> float:
    """(N, D) and (M, D) features -> their Frechet distance, covariances over N - 1. Raises DataError below 2 rows."""
    first, second = both(a, b, fewest=2)
    mean_a, mean_b = first.mean(0), second.mean(0)
    factor_a, factor_b = _factor(first - mean_a), _factor(second - mean_b)
    return _assemble(mean_a - mean_b, factor_a, factor_b)


def _assemble(shift: NDArray[np.float64], factor_a: Matrix, factor_b: Matrix) -> float:
    root_trace = np.linalg.svd(factor_a @ factor_b.T, compute_uv=False).sum()
    squares = (factor_a * factor_a).sum() + (factor_b * factor_b).sum()
    return float(max(0.0, shift @ shift + squares - 2 * root_trace))  # rounding can leave -1e-12


def _factor(centred: Matrix) -> Matrix:
    """(N, D) centred features -> A (min(N, D), D) with A^T A their covariance."""
    count, width = centred.shape
    if count <= width:
        return np.asarray(centred / np.sqrt(count - 1))
    return _root(centred.T @ centred / (count - 1))


def _root(covariance: Matrix) -> Matrix:
    """The symmetric root of a covariance; eigenvalues that rounding made negative count as 0."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)
