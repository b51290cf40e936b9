"""The kernel distance and its error."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchmetrics.image.kid import poly_mmd

from augkit.core.errors import ConfigError, DataError
from augkit.metrics.kernel import kernel_distance, unbiased_mmd


def test_closed_form_of_two_and_two() -> None:
    """k(x, y) = (x y + 1)^3 for single numbers: within a 1, within b 3^3, across 1, 2^3 mixed."""
    a, b = np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])
    within_a, within_b = (0 * 1 + 1) ** 3, (1 * 2 + 1) ** 3
    across = ((0 * 1 + 1) ** 3 + (0 * 2 + 1) ** 3 + (1 * 1 + 1) ** 3 + (1 * 2 + 1) ** 3) / 4
    assert unbiased_mmd(a, b) == pytest.approx(within_a + within_b - 2 * across)


def test_the_product_is_divided_by_the_width() -> None:
    a, b = np.array([[0.0, 0.0], [2.0, 0.0]]), np.array([[1.0, 1.0], [1.0, -1.0]])
    # within a: (0/2 + 1)^3; within b: (0/2 + 1)^3; across: 1, 1, 8, 8
    assert unbiased_mmd(a, b) == pytest.approx(1 + 1 - 2 * (1 + 1 + 8 + 8) / 4)


def test_equal_to_torchmetrics() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(40, 16)), random.normal(0.3, 1.2, size=(40, 16))
    assert unbiased_mmd(a, b) == pytest.approx(float(poly_mmd(torch.tensor(a), torch.tensor(b))), abs=1e-9)


def test_unbiased_and_its_error_is_honest() -> None:
    """Over many pairs of sets of one distribution: the mean is 0, and the errors are the values' spread."""
    random = np.random.default_rng(1)
    found = [kernel_distance(random.normal(size=(25, 8)), random.normal(size=(30, 8))) for _ in range(300)]
    values, errors = np.array([f.value for f in found]), np.array([f.error for f in found])
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(len(values))
    assert (values < 0).any()
    # The distance is degenerate here (its first-order part is 0), where the jackknife errs on the safe side.
    assert values.std() < np.sqrt((errors**2).mean()) < 3 * values.std()


def test_the_error_between_different_distributions() -> None:
    random = np.random.default_rng(2)
    found = [kernel_distance(random.normal(size=(60, 4)), random.normal(1, 1, size=(80, 4))) for _ in range(200)]
    values, errors = np.array([f.value for f in found]), np.array([f.error for f in found])
    assert np.sqrt((errors**2).mean()) == pytest.approx(values.std(), rel=0.25)


def test_subsets_agree_with_the_whole() -> None:
    random = np.random.default_rng(3)
    a, b = random.normal(size=(200, 4)), random.normal(0.7, 1, size=(160, 4))
    whole, parts = kernel_distance(a, b), kernel_distance(a, b, subsets=100, subset_size=50)
    assert parts.value == pytest.approx(whole.value, abs=3 * whole.error / np.sqrt(10))
    assert parts.error == pytest.approx(whole.error, rel=0.4)
    assert whole.value == pytest.approx(unbiased_mmd(a, b))
    assert parts == kernel_distance(a, b, subsets=100, subset_size=50)
    assert parts != kernel_distance(a, b, subsets=100, subset_size=50, seed=1)


def test_bad_input() -> None:
    with pytest.raises(DataError, match="at least 3"):
        kernel_distance(np.zeros((2, 3)), np.ones((5, 3)))
    with pytest.raises(ConfigError, match="1 subsets"):
        kernel_distance(np.zeros((5, 3)), np.ones((5, 3)), subsets=1)
