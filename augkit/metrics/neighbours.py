"""Figures of nearest neighbours: are made pictures like real ones, and are all kinds of real ones made?

A ball lies around each picture of a set and reaches to its ``K``-th nearest neighbour in that set.

- precision: share of made pictures in a real picture's ball; recall: share of real ones in a made picture's ball
  (Kynkaanniemi et al. 2019, eqs. 1 and 2).
- density: how many real balls hold a made picture, over k; coverage: share of real balls that hold a made picture
  (Naeem et al. 2020, eqs. 3 and 4). An outlier among the real pictures, with its large ball, harms them less.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import DataError
from augkit.metrics.feature_rows import Matrix, Rows, both, rows, squared_distances
from augkit.metrics.metric import metric

K = 5
"""Neighbours that a ball reaches to, as Naeem et al. recommend."""


@metric("precision", "precision", lower_is_better=False, fewest=K + 1)
def precision(real: Rows, made: Rows, k: int = K) -> float:
    """(N, D), (M, D) -> share of made pictures in at least one real ball. Raises DataError below k + 1 rows."""
    first, second = both(real, made, fewest=k + 1)
    inside = squared_distances(first, second) <= _radii(first, k)[:, None]
    return float(inside.any(0).mean())


@metric("recall", "recall", lower_is_better=False, fewest=K + 1)
def recall(real: Rows, made: Rows, k: int = K) -> float:
    """(N, D), (M, D) -> share of real pictures in at least one made ball. Raises DataError below k + 1 rows."""
    return precision(made, real, k)


@metric("density", "density", lower_is_better=False, fewest=K + 1)
def density(real: Rows, made: Rows, k: int = K) -> float:
    """(N, D), (M, D) -> mean number of real balls around a made picture over k; about 1 for equal distributions, and
    above 1 where made pictures crowd where real ones are dense. Raises DataError below k + 1 rows.
    """
    first, second = both(real, made, fewest=k + 1)
    inside = squared_distances(first, second) < _radii(first, k)[:, None]
    return float(inside.sum(0).mean() / k)


@metric("coverage", "coverage", lower_is_better=False, fewest=K + 1)
def coverage(real: Rows, made: Rows, k: int = K) -> float:
    """(N, D), (M, D) -> share of real balls with a made picture in them. For equal distributions of equal size its
    expectation is about 1 - 2^-k (Naeem et al. 2020, eq. 9). Raises DataError below k + 1 rows.
    """
    first, second = both(real, made, fewest=k + 1)
    inside = squared_distances(first, second) < _radii(first, k)[:, None]
    return float(inside.any(1).mean())


def nearest(a: Rows, b: Rows) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """(N, D), (M, D) -> for each row of ``a`` the Euclidean distance to its nearest row of ``b``, and which that is.

    Ask it of made and of training pictures to see copies.
    """
    first, second = both(a, b)
    squares = squared_distances(first, second)
    chosen = squares.argmin(1)
    exact = np.linalg.norm(first - second[chosen], axis=1)  # the expanded square of a copy is not quite 0
    return exact, chosen


def radii(values: Rows, k: int = K) -> NDArray[np.float64]:
    """(N, D) -> (N,) Euclidean distance of each row to its k-th nearest other row. Raises DataError below k + 1."""
    return np.asarray(np.sqrt(_radii(rows(values, k + 1), k)))


def _radii(values: Matrix, k: int) -> NDArray[np.float64]:
    """Squared radii. Each row is its own nearest, so the k-th other one is at place k."""
    if k < 1:
        raise DataError(f"k = {k}", "at least 1 neighbour")
    squares = squared_distances(values, values)
    np.fill_diagonal(squares, 0.0)
    return np.asarray(np.partition(squares, k, axis=1)[:, k])
