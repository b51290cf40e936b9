"""Bounds on scores, from the scores of real pairs: one quantile for all checks together.

Several checks that each reject 5 % of the real pairs reject far more together. So the quantile that all bounds share
is the largest, up to the budget itself, at which at most ``budget`` of the real pairs are rejected by any of them.

Some scores have a floor: up to it lie true copies of training pairs (``FittedState.floors``). Real data holds copies as
well, the same car twice under another photo, so a quantile alone may come down to 0 and let every copy through. Hence a
low bound is the quantile of the values above the floor alone: every value up to the floor lies below the bound, and at
the quantile 0 none above it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import DataError
from augkit.gate.candidate import Sides

STEPS = 200
"""Quantiles tried between 0 and the budget."""

Scores = Mapping[str, float]
Table = NDArray[np.float64]


@dataclass(frozen=True)
class Bound:
    """A score below ``low`` or above ``high`` rejects; infinite where a side is open."""

    low: float
    high: float

    def rejects(self, value: float) -> bool:
        """Whether the value lies outside; what is no number does."""
        return not self.low <= value <= self.high


@dataclass(frozen=True)
class ScoreBounds:
    """Bounds by score, the common ``quantile`` they lie at, and the share of the real pairs that anything rejects."""

    bounds: dict[str, Bound]
    quantile: float
    rejected_real: float

    def reasons(self, scores: Scores) -> list[str]:
        """Names of the scores that lie outside their bounds."""
        return [name for name, bound in self.bounds.items() if name in scores and bound.rejects(scores[name])]


def fit_bounds(
    real: Sequence[Scores], sides: Sides, rejected: NDArray[np.bool_], budget: float, floors: Scores
) -> ScoreBounds:
    """Bounds from the scores of real pairs, ``rejected`` (N,) of which other rules reject anyway.

    ``floors``: by score, the value up to which everything is rejected, real pairs too: these count in the budget.

    Raises DataError for no pairs and for scores that are no numbers.
    """
    if not real:
        raise DataError("no real pairs to take bounds from", "at least one", "import more photos")
    table = np.array([[scores[name] for name in sides] for scores in real], np.float64).reshape(len(real), len(sides))
    if not np.isfinite(table).all():
        broken = [name for name, column in zip(sides, table.T, strict=True) if not np.isfinite(column).all()]
        raise DataError(
            f"scores of real pairs that are no numbers (NaN or infinity): {', '.join(broken)}",
            "finite scores", "look at the real pairs with `augkit audit`, then fit the gate again: augkit gate --refit",
        )  # fmt: skip
    low, high = (np.array([side[place] for side in sides.values()], np.bool_) for place in (0, 1))
    floor = np.array([floors.get(name, -np.inf) for name in sides])
    for quantile in np.linspace(budget, 0, STEPS + 1):
        lows = np.where(low, _lows(table, floor, quantile), -np.inf)
        highs = np.where(high, np.quantile(table, 1 - quantile, axis=0), np.inf)
        share = float((rejected | ((table < lows) | (table > highs)).any(1)).mean())
        if share <= budget:
            break
    bounds = {name: Bound(float(a), float(b)) for name, a, b in zip(sides, lows, highs, strict=True)}
    return ScoreBounds(bounds, float(quantile), share)


def _lows(table: Table, floor: NDArray[np.float64], quantile: float) -> NDArray[np.float64]:
    """(N, S), (S,) -> (S,) quantiles of the values above the floors, and at least the next number above these."""
    least = np.nextafter(floor, np.inf)
    return np.array(
        [np.quantile(v[v > f], quantile) if (v > f).any() else x for v, f, x in zip(table.T, floor, least, strict=True)]
    )
