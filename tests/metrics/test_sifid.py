"""SIFID: places of a picture in place of pictures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from augkit.core.errors import DataError
from augkit.metrics.frechet import frechet_distance
from augkit.metrics.sifid import combined_distance, single_image_distance


def test_places_are_the_rows() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(3, 4, 5)), random.normal(size=(3, 6, 2))
    rows_a = np.array([a[:, y, x] for y in range(4) for x in range(5)])
    rows_b = np.array([b[:, y, x] for y in range(6) for x in range(2)])
    assert single_image_distance(a, b) == pytest.approx(frechet_distance(rows_a, rows_b))
    assert single_image_distance(torch.tensor(a), torch.tensor(b)) == pytest.approx(single_image_distance(a, b))


def test_a_picture_is_at_no_distance_from_itself() -> None:
    a = np.random.default_rng(2).normal(size=(3, 6, 6))
    assert single_image_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_where_things_are_does_not_matter() -> None:
    a = np.random.default_rng(1).normal(size=(3, 6, 6))
    assert single_image_distance(a, a[:, ::-1]) == pytest.approx(0, abs=1e-9)
    assert single_image_distance(a, a + 1) == pytest.approx(3)


def test_the_combined_distance_is_twice_the_larger() -> None:
    assert combined_distance(1.0, 4.0) == combined_distance(4.0, 1.0) == 8.0


def test_bad_maps() -> None:
    with pytest.raises(DataError, match=r"\(C, H, W\)"):
        single_image_distance(np.zeros((1, 3, 4, 4)), np.zeros((3, 4, 4)))
    with pytest.raises(DataError, match="at least 2"):
        single_image_distance(np.zeros((3, 1, 1)), np.zeros((3, 4, 4)))
