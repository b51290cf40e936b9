"""Intervals over seeds and photos."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from augkit.metrics.intervals import estimate, photo_draws


def test_seeds_alone_give_students_interval() -> None:
    """Photos that are all alike add nothing."""
    seeds = np.array([0.4, 0.5, 0.45])
    found = estimate(seeds, np.tile(seeds, (50, 1)), photos=20)
    expected = stats.t.interval(0.95, 2, loc=0.45, scale=seeds.std(ddof=1) / 3**0.5)
    assert found.value == pytest.approx(0.45) and found.seeds == tuple(seeds)
    assert found.interval() == pytest.approx(expected)


def test_photos_alone_give_the_error_of_a_mean() -> None:
    """The figure is a mean over photos and every seed is the same: s / sqrt(n)."""
    photos = np.random.default_rng(1).normal(size=30)
    drawn = (photo_draws(30, 20_000) @ photos / 30)[:, None].repeat(3, axis=1)
    found = estimate(np.full(3, photos.mean()), drawn, 30)
    assert found.error == pytest.approx(photos.std(ddof=1) / 30**0.5, rel=0.02)
    assert found.freedom == pytest.approx(29)


def test_both_add_up_with_satterthwaites_freedom() -> None:
    photos, seeds = np.random.default_rng(2).normal(size=40), np.array([-0.3, 0.1, 0.2])
    drawn = (photo_draws(40, 20_000) @ photos / 40)[:, None] + seeds
    found = estimate(photos.mean() + seeds, drawn, 40)
    between, within = seeds.var(ddof=1) / 3, photos.var(ddof=1) / 40
    assert found.error**2 == pytest.approx(between + within, rel=0.02)
    assert found.freedom == pytest.approx((between + within) ** 2 / (between**2 / 2 + within**2 / 39), rel=0.05)


def test_a_higher_level_is_wider() -> None:
    found = estimate(np.array([0.1, 0.3]), np.array([[0.1, 0.3], [0.2, 0.3]]), 5)
    (low, high), (lower, higher) = found.interval(0.9), found.interval(0.99)
    assert lower < low < found.value < high < higher


def test_one_seed_has_the_interval_of_its_photos() -> None:
    drawn = np.array([[0.1], [0.3], [np.nan]])
    found = estimate(np.array([0.2]), drawn, 11)
    assert found.error == pytest.approx(0.1 * 1.1**0.5) and found.freedom == pytest.approx(10)


def test_a_single_photo_has_no_interval() -> None:
    found = estimate(np.array([0.2, 0.4]), np.array([[0.2, 0.4]]), 1)
    assert np.isnan(found.interval()).all()
    assert found.to_dict() == {
        "value": pytest.approx(0.3),
        "interval": [None, None],
        "error": None,
        "seeds": [0.2, 0.4],
    }


def test_no_deviation_at_all_is_no_width() -> None:
    assert estimate(np.array([0.5, 0.5]), np.full((3, 2), 0.5), 9).interval() == (0.5, 0.5)


def test_the_interval_covers_what_it_should() -> None:
    """Over many studies of 3 seeds and 25 photos, about 95 % cover the truth; both kinds of chance are there."""
    random, inside = np.random.default_rng(3), 0
    draws = photo_draws(25, 200)
    for _ in range(300):
        figures = random.normal(scale=0.05, size=3)[:, None] + random.normal(scale=0.3, size=25)
        low, high = estimate(figures.mean(1), draws @ figures.T / 25, 25).interval()
        inside += low <= 0 <= high
    assert 0.91 <= inside / 300 <= 0.995


def test_draws_hold_as_many_photos_as_there_are() -> None:
    draws = photo_draws(7, 100)
    assert draws.shape == (100, 7) and (draws.sum(1) == 7).all() and len({tuple(row) for row in draws}) > 50
    assert np.array_equal(draws, photo_draws(7, 100))
