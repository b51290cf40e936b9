from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augkit.balance.rates import PRIOR, WEIGHT, Rate, Rates, Tally, candidates


def test_before_the_first_candidate_one_in_four_is_expected() -> None:
    rates = Rates({})
    assert rates.pooled.mean == pytest.approx(0.25) and rates.of("any").mean == pytest.approx(0.25)


def test_the_estimate_of_a_class_in_closed_form() -> None:
    """(a + w m) / (n + w) with the mean m = (A + 1) / (N + 4) of all candidates."""
    rates = Rates({"good": Tally(30, 40), "bad": Tally(2, 56)})
    mean = (32 + PRIOR[0]) / (96 + sum(PRIOR))
    assert rates.pooled.mean == pytest.approx(mean)
    assert rates.of("good").mean == pytest.approx((30 + WEIGHT * mean) / (40 + WEIGHT))
    assert rates.of("bad").mean == pytest.approx((2 + WEIGHT * mean) / (56 + WEIGHT))
    assert rates.of("new").mean == pytest.approx(mean)
    assert rates.of("new").alpha + rates.of("new").beta == pytest.approx(WEIGHT)


def test_the_chance_of_a_rate_in_closed_form() -> None:
    """Beta(1, b) lies above x with the probability (1 - x)^b, Beta(a, 1) with 1 - x^a."""
    assert Rate(1, 7).chance_above(0.3) == pytest.approx(0.7**7)
    assert Rate(5, 1).chance_above(0.6) == pytest.approx(1 - 0.6**5)


def test_candidates_in_closed_form() -> None:
    assert candidates(0, 0.3) == 0
    assert candidates(7, 1.0) == 7
    assert candidates(9, 0.25, 0.0) == 36
    assert candidates(12, 0.25) == math.ceil((12 + 2 * 3) / 0.25)
    assert candidates(12, 0.25, 3.0) == (12 + 3 * 3) * 4


@pytest.mark.parametrize(("want", "rate"), [(1, 0.5), (1, 0.08), (16, 0.25), (64, 0.9)])
def test_so_many_candidates_nearly_always_suffice(want: int, rate: float) -> None:
    accepted = np.random.default_rng(0).binomial(candidates(want, rate), rate, 20_000)
    assert 0.93 < (accepted >= want).mean() < 1.0


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_a_class_lies_between_its_own_rate_and_that_of_all(accepted: int, rejected: int, others: int) -> None:
    rates = Rates({"own": Tally(accepted, accepted + rejected), "others": Tally(others, 500)})
    own = accepted / max(1, accepted + rejected)
    low, high = sorted((own, rates.pooled.mean)) if accepted + rejected else (rates.pooled.mean,) * 2
    assert low - 1e-9 <= rates.of("own").mean <= high + 1e-9
