"""The kernel distance against closed forms and torchmetrics."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchmetrics.image.kid import poly_mmd

from augkit.core.errors import DataError
from augkit.metrics.kernel import unbiased_mmd


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


def test_unbiased() -> None:
    """Over many pairs of sets of one distribution the mean is 0."""
    random = np.random.default_rng(1)
    values = np.array([unbiased_mmd(random.normal(size=(25, 8)), random.normal(size=(30, 8))) for _ in range(300)])
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(len(values))
    assert (values < 0).any()


def test_bad_input() -> None:
    with pytest.raises(DataError, match="at least 2"):
        unbiased_mmd(np.zeros((1, 3)), np.ones((5, 3)))
