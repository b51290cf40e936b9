"""The inception score's closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from augkit.core.errors import DataError
from augkit.metrics.inception import inception_score


def test_sure_and_even_answers_score_the_number_of_classes() -> None:
    assert inception_score(np.eye(4), splits=1).value == pytest.approx(4)


def test_equal_answers_score_one() -> None:
    found = inception_score(np.full((40, 5), 0.2))
    assert (found.value, found.deviation) == (pytest.approx(1), pytest.approx(0))


def test_two_pictures_by_hand() -> None:
    p, q = np.array([0.9, 0.1]), np.array([0.5, 0.5])
    mean = (p + q) / 2
    divergence = ((p * np.log(p / mean)).sum() + (q * np.log(q / mean)).sum()) / 2
    assert inception_score(np.stack([p, q]), splits=1).value == pytest.approx(np.exp(divergence))


def test_pictures_sorted_by_class_are_shuffled_first() -> None:
    """In their order each of the 5 splits would hold one class and score 1."""
    found = inception_score(np.repeat(np.eye(5), 40, axis=0), splits=5)
    assert found.value > 4.5


@pytest.mark.parametrize("rows", [np.full((20, 3), 0.5), np.tile([1.5, -0.5], (20, 1)), np.full((20, 2), np.nan)])
def test_rows_that_are_no_probabilities(rows: np.ndarray) -> None:  # type: ignore[type-arg]
    with pytest.raises(DataError, match=r"probabilities|finite"):
        inception_score(rows)


def test_too_few_pictures_for_the_splits() -> None:
    with pytest.raises(DataError, match="19 pictures in 10 splits"):
        inception_score(np.full((19, 2), 0.5))
