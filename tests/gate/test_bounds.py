from __future__ import annotations

import numpy as np
import pytest

from augkit.core.errors import DataError
from augkit.gate.bounds import Bound, ScoreBounds, fit_bounds

NONE = np.zeros(101, np.bool_)


def scores(*names: str) -> list[dict[str, float]]:
    """0, 1, ..., 100 under each name."""
    return [dict.fromkeys(names, float(n)) for n in range(101)]


def test_one_score_takes_the_whole_budget() -> None:
    found = fit_bounds(scores("a"), {"a": (True, False)}, NONE, 0.05, {})
    assert found.bounds["a"] == Bound(5.0, np.inf)
    assert found.rejected_real == 5 / 101 and found.quantile == 0.05


def test_two_sides_share_it() -> None:
    found = fit_bounds(scores("a"), {"a": (True, True)}, NONE, 0.05, {})
    bound = found.bounds["a"]
    assert sum(bound.rejects(n) for n in range(101)) in (4, 5)  # each side at the whole budget would be ten
    assert bound.low == pytest.approx(100 - bound.high)


def test_scores_that_agree_cost_no_more_than_one() -> None:
    found = fit_bounds(scores("a", "b"), {"a": (True, False), "b": (True, False)}, NONE, 0.05, {})
    assert found.quantile == 0.05


def test_what_is_rejected_anyway_counts() -> None:
    rejected = NONE.copy()
    rejected[50:55] = True
    found = fit_bounds(scores("a"), {"a": (True, False)}, rejected, 0.05, {})
    assert found.bounds["a"].low == pytest.approx(0.0, abs=0.03) and found.rejected_real == pytest.approx(5 / 101)


def test_more_rejects_than_the_budget_leave_the_widest_bounds() -> None:
    found = fit_bounds(scores("a"), {"a": (True, False)}, NONE | True, 0.05, {})
    assert found.bounds["a"].low == 0.0 and found.rejected_real == 1.0


def test_all_up_to_the_floor_is_rejected_whatever_real_pairs_show() -> None:
    copies = [{"a": 0.0}] * 11 + scores("a")[1:]  # more copies than the budget allows to reject
    found = fit_bounds(copies, {"a": (True, False)}, np.zeros(111, np.bool_), 0.05, {"a": 0.0})
    assert found.bounds["a"] == Bound(1.0, np.inf)  # the least value above the floor
    assert found.bounds["a"].rejects(0.0) and not found.bounds["a"].rejects(1.0)
    assert found.quantile == 0.0 and found.rejected_real == 11 / 111


def test_the_quantile_is_that_of_the_values_above_the_floor() -> None:
    found = fit_bounds(scores("a"), {"a": (True, False)}, NONE, 0.05, {"a": 1.0})
    # 0 and 1 are rejected anyway, so 3 of the 99 values from 2 to 100 may be: the quantile stays at or below 3 / 98.
    assert found.quantile == pytest.approx(0.0305) and found.rejected_real == 5 / 101
    assert found.bounds["a"].low == pytest.approx(2 + 98 * found.quantile)


def test_nothing_above_the_floor_leaves_the_next_number() -> None:
    found = fit_bounds([{"a": 2.0}] * 4, {"a": (True, False)}, NONE[:4], 0.05, {"a": 2.0})
    assert found.bounds["a"].rejects(2.0) and not found.bounds["a"].rejects(2.0 + 1e-12)
    assert found.rejected_real == 1.0


def test_values_that_are_no_numbers_are_rejected() -> None:
    assert Bound(-np.inf, np.inf).rejects(float("nan"))
    assert ScoreBounds({"a": Bound(0, 1)}, 0, 0).reasons({"a": 2.0, "b": 9.0}) == ["a"]


def test_real_scores_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(DataError, match=r"no numbers \(NaN or infinity\): b"):
        fit_bounds([{"a": 1.0, "b": float("nan")}], {"a": (True, False), "b": (True, False)}, NONE[:1], 0.05, {})
    with pytest.raises(DataError, match="no real pairs"):
        fit_bounds([], {"a": (True, False)}, NONE[:0], 0.05, {})
