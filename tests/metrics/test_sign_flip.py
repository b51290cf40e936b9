"""The sign-flip test, counted by hand."""

from __future__ import annotations

from math import isnan

import pytest

from augkit.metrics import sign_flip as module
from augkit.metrics.sign_flip import sign_flip


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([2.0], 1.0),  # +2 and -2 are equally far from 0
        ([1.0, 2.0, 3.0], 2 / 8),  # only all signs alike reach 6
        ([-1.0, 2.0, 3.0], 4 / 8),  # 4 is reached by +-(1, 2, 3) and +-(-1, 2, 3)
        ([1.0] * 8, 2 / 256),
        ([0.0, 0.0], 1.0),
        ([0.1, 0.2, -0.3], 1.0),  # their sum is not quite 0
    ],
)
def test_all_signs_are_counted(differences: list[float], p: float) -> None:
    assert sign_flip(differences) == pytest.approx(p)


def test_many_differences_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [0.3, -0.1, 0.2, 0.4, 0.1, -0.2, 0.3, 0.2]
    exact = sign_flip(values)
    monkeypatch.setattr(module, "EXACT", 4)
    assert sign_flip(values) == pytest.approx(exact, abs=0.01)
    assert 0 < sign_flip([1.0] * 40) < 1e-4


def test_what_is_not_defined() -> None:
    assert isnan(sign_flip([])) and isnan(sign_flip([1.0, float("nan")]))
