"""Rows of numbers as the figures take them: float64, two-dimensional, finite."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from augkit.core.errors import DataError

Rows = NDArray[Any] | Tensor
"""(N, D): a row a picture. A torch tensor may be on any device and of any floating type."""

Matrix = NDArray[np.float64]


def rows(values: Rows, fewest: int = 1) -> Matrix:
    """(N, D) as float64. Raises DataError for another shape, fewer than ``fewest`` rows, or numbers not finite."""
    if isinstance(values, Tensor):
        values = values.detach().cpu().double().numpy()
    matrix = np.asarray(values, np.float64)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise DataError(f"features of shape {matrix.shape}", "(N, D): a row a picture")
    if len(matrix) < fewest:
        raise DataError(f"{len(matrix)} pictures", f"at least {fewest} in each set", "add pictures")
    spoilt = int((~np.isfinite(matrix)).any(1).sum())
    if spoilt:
        raise DataError(
            f"features of {spoilt} of {len(matrix)} pictures are not finite (NaN or infinity)",
            "finite numbers",
            "look at these pictures and at the network's weights",
        )
    return matrix


def both(a: Rows, b: Rows, fewest: int = 1) -> tuple[Matrix, Matrix]:
    """Two sets of the same width. Raises DataError."""
    first, second = rows(a, fewest), rows(b, fewest)
    if first.shape[1] != second.shape[1]:
        raise DataError(
            f"features of {first.shape[1]} and of {second.shape[1]} numbers", "features of one extractor in both sets"
        )
    return first, second


def squared_distances(a: Matrix, b: Matrix) -> Matrix:
    """(N, D), (M, D) -> (N, M) squared Euclidean distances, never below 0; N M numbers are held at once.

    Both sets are centred on one mean first: |x|^2 + |y|^2 - 2 x.y loses the fewest digits there.
    """
    centre = (a.sum(0) + b.sum(0)) / (len(a) + len(b))
    a, b = a - centre, b - centre
    squares = (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * (a @ b.T)
    return np.asarray(np.maximum(squares, 0.0))
