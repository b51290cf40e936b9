"""Which row each place of a run shows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augkit.train.sampling import Blend, Epochs, Then, class_weights, evenly


def blend(first: int, second: int, share: float) -> Blend:
    """Rows below ``first`` are of the first side."""
    return Blend(evenly(first), Epochs(tuple(range(first, first + second))), share)


@given(
    sides=st.tuples(st.integers(1, 30), st.integers(1, 30)), share=st.floats(0.05, 0.95), seed=st.integers(0, 2**62),
    start=st.integers(0, 500), length=st.integers(1, 100),
)  # fmt: skip
def test_any_run_of_places_holds_the_share(
    sides: tuple[int, int], share: float, seed: int, start: int, length: int
) -> None:
    rows = [blend(*sides, share).row(seed, place) for place in range(start, start + length)]
    assert abs(sum(row >= sides[0] for row in rows) - share * length) <= 1 + 1e-6


def test_the_share_is_exact_in_the_mean_over_seeds() -> None:
    at_5 = [blend(3, 3, 0.3).row(seed, 5) >= 3 for seed in range(2000)]
    assert np.mean(at_5) == pytest.approx(0.3, abs=4 * (0.21 / 2000) ** 0.5)


@pytest.mark.parametrize(("first", "second", "share"), [(7, 3, 0.5), (2, 9, 0.25)])
def test_both_sides_run_through_their_epochs(first: int, second: int, share: float) -> None:
    rows = [blend(first, second, share).row(4, place) for place in range(200)]
    for own in ([row for row in rows if row < first], [row for row in rows if row >= first]):
        size = len(set(own))
        assert size == (first if own[0] < first else second)
        for begin in range(0, len(own) - size + 1, size):
            assert len(set(own[begin : begin + size])) == size


@given(
    weights=st.lists(st.floats(0.01, 10), min_size=1, max_size=30), seed=st.integers(0, 2**62), epoch=st.integers(0, 9)
)
def test_weights_are_kept_to_within_one_in_every_epoch(weights: list[float], seed: int, epoch: int) -> None:
    size = len(weights)
    epochs = Epochs(tuple(range(size)), tuple(weights))
    seen = Counter(epochs.row(seed, epoch * size + place) for place in range(size))
    for row, weight in enumerate(weights):
        assert abs(seen[row] - size * weight / sum(weights)) < 1 + 1e-6


def test_weights_hold_in_the_mean() -> None:
    epochs = Epochs((10, 11, 12), (1.0, 1.0, 4.0))
    seen = Counter(epochs.row(0, place) for place in range(3000))
    assert {row: seen[row] / 3000 for row in (10, 11, 12)} == pytest.approx({10: 1 / 6, 11: 1 / 6, 12: 2 / 3}, abs=0.02)


def test_one_sequence_after_the_other() -> None:
    first, last = evenly(4), Epochs((10, 11, 12))
    rows = [Then(first, last, 6).row(3, place) for place in range(12)]
    assert rows[:6] == [first.row(3, place) for place in range(6)]
    assert sorted(rows[6:9]) == sorted(rows[9:]) == [10, 11, 12]


def test_class_weights() -> None:
    assert class_weights(["a", "a", "b"], 0) == ()
    assert class_weights(["a", "a", "b", "a", "a"], 0.5) == pytest.approx((0.5, 0.5, 1, 0.5, 0.5))
    assert class_weights(["a", "a", "b"], 1) == pytest.approx((0.5, 0.5, 1))
