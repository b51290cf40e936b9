"""Nearest-neighbour figures on points whose balls can be told by eye."""

from __future__ import annotations

import numpy as np
import pytest

from augkit.core.errors import DataError
from augkit.metrics.neighbours import K, coverage, density, nearest, precision, radii, recall

LINE = np.array([[0.0], [1.0], [2.0], [4.0]])
"""With k = 1 the radii are 1, 1, 1, 2."""


def test_radii_reach_to_the_kth_other_point() -> None:
    assert radii(LINE, 1).tolist() == [1, 1, 1, 2]
    assert radii(LINE, 3).tolist() == [4, 3, 2, 4]


def test_precision_counts_made_points_in_a_real_ball() -> None:
    made = np.array([[0.5], [5.9], [6.1], [-2.0]])
    assert precision(LINE, made, k=1) == 0.5


def test_recall_counts_real_points_in_a_made_ball() -> None:
    made = np.array([[0.0], [1.5]])  # radii 1.5: 0, 1, 2 lie inside, 4 does not
    assert recall(LINE, made, k=1) == 0.75
    assert recall(LINE, made, k=1) == precision(made, LINE, k=1)


def test_density_and_coverage_by_hand() -> None:
    made = np.array([[0.5], [0.6], [9.0]])
    # 0.5 and 0.6 lie in the balls of 0 and of 1 each; 9 in none
    assert density(LINE, made, k=1) == pytest.approx(4 / 3)
    assert coverage(LINE, made, k=1) == 0.5


def test_equal_sets() -> None:
    points = np.random.default_rng(0).normal(size=(50, 6))
    assert precision(points, points) == recall(points, points) == coverage(points, points) == 1


def test_samples_of_one_distribution_reach_the_published_expectations() -> None:
    """Density 1 and coverage 1 - 2^-k (Naeem et al. 2020, section 3.3)."""
    random = np.random.default_rng(1)
    pairs = [(random.normal(size=(200, 8)), random.normal(size=(200, 8))) for _ in range(10)]
    assert np.mean([density(a, b) for a, b in pairs]) == pytest.approx(1, abs=0.05)
    assert np.mean([coverage(a, b) for a, b in pairs]) == pytest.approx(1 - 2**-K, abs=0.02)


def test_sets_far_apart() -> None:
    points = np.random.default_rng(2).normal(size=(20, 3))
    for figure in (precision, recall, density, coverage):
        assert figure(points, points + 100) == 0


def test_the_nearest_and_how_far_it_is() -> None:
    training = np.random.default_rng(3).normal(size=(30, 100)) + 50
    made = np.stack([training[7], training[3] + 0.1])
    distances, which = nearest(made, training)
    assert which.tolist() == [7, 3]
    assert distances[0] == 0  # exactly: a copy is a copy
    assert distances[1] == pytest.approx(1.0)


def test_too_few_points() -> None:
    for figure in (precision, recall, density, coverage):
        with pytest.raises(DataError, match="at least 6"):
            figure(np.zeros((5, 2)), np.zeros((9, 2)))
