"""Gains in labels, by curves drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest

from augkit.evaluate.utility.label_worth import FEWER, MORE, LabelWorth, label_worth, labels_for

LABELS = (16.0, 64.0, 256.0)


@pytest.mark.parametrize(
    ("value", "curve", "labels"),
    [
        (0.4, (0.2, 0.4, 0.6), 64),
        (0.3, (0.2, 0.4, 0.6), 32),  # half of the way from 16 to 64 in their logarithms
        (0.55, (0.2, 0.4, 0.6), 64 * 4**0.75),
        (0.2, (0.2, 0.4, 0.6), 16),
        (0.1, (0.2, 0.4, 0.6), FEWER),
        (0.7, (0.2, 0.4, 0.6), MORE),
        (0.45, (0.4, 0.3, 0.5), 64 * 4**0.5),  # the dip counts as .4
        (0.4, (0.4, 0.3, 0.5), 16),
    ],
)
def test_where_a_curve_reaches_a_value(value: float, curve: tuple[float, ...], labels: float) -> None:
    assert labels_for(value, LABELS, np.array(curve)) == pytest.approx(labels)


def test_without_chance_the_interval_is_a_point() -> None:
    opponent = [np.full((50, 3), value) for value in (0.2, 0.4, 0.6)]
    found = label_worth(0, LABELS, np.full((50, 3), 0.3), opponent)
    assert (found.labels, found.worth, found.low, found.high) == pytest.approx((16, 32, 32, 32))
    assert found.to_dict() == {name: pytest.approx(value) for name, value in vars(found).items()}


def test_seeds_that_differ_widen_it_and_a_seeds_runs_stay_together() -> None:
    opponent = [np.tile([value, value + 0.1], (200, 1)) for value in (0.2, 0.4, 0.6)]
    apart = label_worth(1, LABELS, np.tile([0.3, 0.6], (200, 1)), opponent)
    assert apart.low == pytest.approx(32) and apart.high == pytest.approx(128) and 32 < apart.worth < 128
    together = label_worth(1, LABELS, np.tile([0.5, 0.6], (200, 1)), opponent)
    assert together.low == pytest.approx(together.high) == pytest.approx(128)


def test_photos_that_differ_widen_it_and_draws_without_a_value_are_left_out() -> None:
    ours = np.array([0.3, *[0.25, 0.35] * 50, np.nan])[:, None]
    found = label_worth(0, LABELS, ours, [np.full((102, 1), value) for value in (0.2, 0.4, 0.6)])
    assert found.low == pytest.approx(16 * 4**0.25) and found.high == pytest.approx(16 * 4**0.75)


def test_beyond_the_curve_it_says_so() -> None:
    assert LabelWorth(64, MORE, 70, MORE).to_dict() == {"labels": 64, "worth": "more", "low": 70, "high": "more"}
    assert LabelWorth(64, FEWER, FEWER, 70).to_dict()["low"] == "fewer"
