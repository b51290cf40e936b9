"""How different the pictures of a set are from each other."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist

from augkit.metrics.feature_rows import Rows, rows


def spread(values: Rows) -> float:
    """Mean Euclidean distance between two different rows of (N, D). Raises DataError below 2 rows."""
    return float(np.mean(pdist(rows(values, fewest=2))))
