"""The inception score: how sure a classifier is of each picture, and how much its answers differ between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from augkit.core.errors import DataError
from augkit.core.seeds import derive
from augkit.metrics.feature_rows import Rows, rows


@dataclass(frozen=True)
class InceptionScore:
    """Mean and standard deviation over the splits."""

    value: float
    deviation: float


def inception_score(probabilities: Rows, splits: int = 10, seed: int = 0) -> InceptionScore:
    """(N, C) class probabilities -> exp E KL(p(y|x) || p(y)), the mean over splits (Salimans et al. 2016, section 4).

    From 1 (all pictures look alike to the classifier) to C. The pictures are shuffled first: in the order of their
    classes each split would hold one class. Raises DataError for rows that are no probabilities, and for fewer than
    two pictures a split.
    """
    chances = rows(probabilities)
    if (chances < 0).any() or not np.allclose(chances.sum(1), 1, atol=1e-3):
        raise DataError("rows that are no probabilities", "numbers from 0 to 1 that sum to 1 in each row")
    if splits < 1 or len(chances) < 2 * splits:
        raise DataError(f"{len(chances)} pictures in {splits} splits", "at least two pictures a split")
    order = np.random.default_rng(derive(seed, "inception")).permutation(len(chances))
    scores = []
    for part in np.array_split(chances[order], splits):
        logs = np.log(np.where(part > 0, part, 1.0))  # 0 log 0 = 0
        mean = part.mean(0)
        log_mean = np.log(np.where(mean > 0, mean, 1.0))
        scores.append(np.exp((part * (logs - log_mean)).sum(1).mean()))
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))
