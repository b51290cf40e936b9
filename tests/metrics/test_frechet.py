"""The Frechet distance against closed forms, SciPy's matrix root and pytorch-fid."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.linalg import sqrtm

from augkit.core.errors import DataError
from augkit.metrics.frechet import frechet_distance


def sample(rows: int, width: int, seed: int, scale: float = 1.0) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    return random.normal(size=(rows, width)) @ random.normal(size=(width, width)) * scale + random.normal(size=width)


def moments(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return rows.mean(0), np.cov(rows, rowvar=False)


def crosses(mean: list[float], spread: list[float]) -> NDArray[np.float64]:
    """Two rows along each axis, with exactly this mean and these variances (N - 1) and no covariance."""
    arms = np.diag(np.sqrt(np.array(spread) * (2 * len(mean) - 1) / 2))
    return np.concatenate([arms, -arms]) + mean


def test_one_dimension_has_the_closed_form() -> None:
    """(m1 - m2)^2 + (s1 - s2)^2."""
    a, b = np.array([[0.0], [2.0]]), np.array([[10.0], [16.0]])
    assert frechet_distance(a, b) == pytest.approx((13 - 1) ** 2 + (np.sqrt(18) - np.sqrt(2)) ** 2)


def test_diagonal_covariances_have_the_closed_form() -> None:
    a, b = crosses([1.0, 2.0, 3.0], [1.0, 4.0, 9.0]), crosses([1.0, 0.0, 3.0], [4.0, 4.0, 0.0])
    expected = 4 + (1 - 2) ** 2 + 0 + 3**2
    assert frechet_distance(a, b) == pytest.approx(expected)


@pytest.mark.parametrize(("rows", "others"), [(200, 150), (30, 20), (12, 12), (13, 12), (8, 300)])
def test_equal_to_the_matrix_root(rows: int, others: int) -> None:
    """More rows than columns, fewer, and mixed."""
    a, b = sample(rows, 12, 0), sample(others, 12, 1)
    (mean_a, cov_a), (mean_b, cov_b) = moments(a), moments(b)
    root = sqrtm(cov_a @ cov_b)
    expected = ((mean_a - mean_b) ** 2).sum() + np.trace(cov_a + cov_b) - 2 * np.trace(root).real
    assert frechet_distance(a, b) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("rows", "width"), [(500, 64), (100, 64), (40, 64)])
def test_equal_to_pytorch_fid(rows: int, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytorch_fid import fid_score

    # It asks for the root with ``disp``, which SciPy takes no more since 1.18.
    monkeypatch.setattr(fid_score.linalg, "sqrtm", lambda matrix, disp: (sqrtm(matrix), 0.0))
    a, b = sample(rows, width, 2, 0.1), sample(rows, width, 3, 0.1)
    expected = fid_score.calculate_frechet_distance(*moments(a), *moments(b))
    assert frechet_distance(a, b) == pytest.approx(expected, abs=1e-3)


@settings(max_examples=30)
@given(st.integers(2, 40), st.integers(2, 40), st.integers(1, 20), st.integers(0, 10**6))
def test_symmetric_never_negative_and_zero_for_equal_sets(n: int, m: int, width: int, seed: int) -> None:
    a, b = sample(n, width, seed), sample(m, width, seed + 1)
    there, back = frechet_distance(a, b), frechet_distance(b, a)
    assert there == pytest.approx(back, rel=1e-7, abs=1e-7)
    assert there >= 0
    assert frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-6)


def test_moving_a_set_adds_the_squared_way() -> None:
    a = sample(20, 30, 4)
    assert frechet_distance(a, a + 2.0) == pytest.approx(4 * 30, rel=1e-6)


def test_tensors_of_any_kind() -> None:
    a, b = sample(20, 5, 5), sample(20, 5, 6)
    tensor = torch.tensor(a, dtype=torch.float32, requires_grad=True)
    found = frechet_distance(tensor, torch.tensor(b))
    assert isinstance(found, float)
    assert found == pytest.approx(frechet_distance(a, b), rel=1e-4)


def test_bad_input() -> None:
    good = sample(5, 3, 7)
    with pytest.raises(DataError, match=r"features of 1 of 5 .* not finite"):
        frechet_distance(good, np.where(np.arange(5)[:, None] == 2, np.nan, good))
    with pytest.raises(DataError, match=r"1 pictures(.|\n)*at least 2"):
        frechet_distance(good, good[:1])
    with pytest.raises(DataError, match="features of 3 and of 2 numbers"):
        frechet_distance(good, good[:, :2])
    with pytest.raises(DataError, match="shape"):
        frechet_distance(good[0], good)
