"""What the gate did: candidates, what they were rejected for, and the order of those that passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augkit.report.report_data import Row
from augkit.shards.writer import SCORE

LOWER_IS_BETTER = frozenset(
    {
        "adjacency_strange",
        "area_excess",
        "ignored_share",
        "palette_excess",
        "parts_missing",
        "parts_unexpected",
        "specks",
        "specks_removed",
    }
)
HIGHER_IS_BETTER = frozenset({"agreement", "doors_chance", "mask_certainty", "view_chance", "view_confidence"})
"""Distances to training pairs are in neither: far from all real pairs is no better than near to one."""


@dataclass(frozen=True)
class Reason:
    """A family of reject reasons (``missing`` of ``missing:hood``): rows that have it, and those that have only it.

    ``details`` counts the full reasons, the most frequent first; ``examples`` are rows, those with only it first.
    """

    name: str
    count: int
    alone: int
    details: Sequence[tuple[str, int]]
    examples: Sequence[Row]


@dataclass(frozen=True)
class Rejections:
    """Candidates tried and accepted, in all and by class name, and the reasons of the others, most frequent first."""

    tried: int
    accepted: int
    classes: Sequence[tuple[str, int, int]]
    reasons: Sequence[Reason]


def funnel_of(rows: Sequence[Row]) -> Rejections:
    """Counts generated rows. A row with several reasons counts once for each family."""
    tried = Counter(row["class"] for row in rows)
    accepted = Counter(row["class"] for row in rows if row["accepted"])
    rejected = [row for row in rows if not row["accepted"]]
    families = Counter(family for row in rejected for family in _families(row))
    reasons = [_reason(name, rejected) for name, _ in sorted(families.items(), key=lambda item: (-item[1], item[0]))]
    classes = [(name, tried[name], accepted[name]) for name in sorted(tried)]
    return Rejections(len(rows), sum(accepted.values()), classes, reasons)


def _reason(name: str, rejected: Sequence[Row]) -> Reason:
    having = [row for row in rejected if name in _families(row)]
    details = Counter(reason for row in having for reason in row["reasons"] if reason.partition(":")[0] == name)
    ordered = sorted(having, key=lambda row: (len(_families(row)), row["shard"] is None, row["key"]))
    alone = sum(_families(row) == {name} for row in having)
    return Reason(name, len(having), alone, details.most_common(), ordered)


def _families(row: Row) -> set[str]:
    return {reason.partition(":")[0] for reason in row["reasons"]}


def scores_of(row: Row) -> dict[str, float]:
    """The scores of a row by name, those that it has."""
    return {
        name.removeprefix(SCORE): float(value)
        for name, value in row.items()
        if name.startswith(SCORE) and value is not None and np.isfinite(value)
    }


def mean_rank(rows: Sequence[Row]) -> NDArray[np.float64]:
    """(N,) where each row is among the others, 0 (worst) to 1 (best): its mean rank over the scores that have a
    good and a bad end and that all rows have. All are at 0.5 where no score tells them apart.
    """
    scores = [scores_of(row) for row in rows]
    common = set.intersection(*map(set, scores)) if scores else set()
    ranks = []
    for name in sorted(common & (LOWER_IS_BETTER | HIGHER_IS_BETTER)):
        values = np.array([score[name] for score in scores]) * (-1 if name in LOWER_IS_BETTER else 1)
        if np.ptp(values) > 0:
            ranks.append(_shares_below(values))
    return np.mean(ranks, axis=0) if ranks else np.full(len(rows), 0.5)


def _shares_below(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) share of the values that are smaller, equal ones counting half."""
    ordered = np.sort(values)
    below, upto = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return np.asarray((below + upto) / 2 / len(values))
