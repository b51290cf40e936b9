"""What the gate did: candidates, what they were rejected for, and the order of those that passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from augkit.shards.tallies import Tally, tally
from augkit.shards.writer import SCORE

Row = Mapping[str, Any]
"""A row of the index."""

LOWER_IS_BETTER = frozenset(
    {
        "adjacency_strange",
        "area_excess",
        "ignored_share",
        "palette_excess",
        "parts_exclusive",
        "parts_missing",
        "parts_unexpected",
        "specks",
        "specks_removed",
    }
)
HIGHER_IS_BETTER = frozenset({"agreement", "doors_chance", "mask_certainty", "view_chance", "view_confidence"})
"""Distances to training pairs are in neither: far from all real pairs is no better than near to one."""
RANKED = LOWER_IS_BETTER | HIGHER_IS_BETTER

LOOKED_AT = 240
"""Rejected rows of a reason among which examples are chosen."""


@dataclass(frozen=True)
class Reason:
    """A family of reject reasons (``missing`` of ``missing:hood``): rows that have it, and those that have only it.

    ``details`` counts the full reasons, the most frequent first; ``examples`` are places of rows, at most ``LOOKED_AT``
    of them, those with only it first.
    """

    name: str
    count: int
    alone: int
    details: Sequence[tuple[str, int]]
    examples: Sequence[int]


@dataclass(frozen=True)
class Rejections:
    """Candidates tried and accepted, in all and by class name, and the reasons of the others, most frequent first."""

    tried: int
    accepted: int
    classes: Sequence[tuple[str, int, int]]
    reasons: Sequence[Reason]


class RejectionCounts:
    """Counts generated rows, table after table. A row with several reasons counts once for each family."""

    def __init__(self) -> None:
        self._fates: Tally = Counter()
        self._examples: dict[str, list[tuple[int, bool, str, int]]] = {}

    def add(self, table: pa.Table, first: int) -> None:
        """The rows of a table whose first one is at that place."""
        made = table.append_column("place", pa.array(np.arange(first, first + len(table))))
        made = made.filter(pc.field("source") == "generated")
        self._fates.update(tally(made, "class", "accepted", "reasons"))
        rejected = made.filter(pc.invert(made["accepted"])).select(["key", "shard", "reasons", "place"])
        self._add_examples(rejected)

    def result(self) -> Rejections:
        """Of all that was counted."""
        tried, accepted = Counter[str](), Counter[str]()
        for (class_name, fate, _), count in self._fates.items():
            tried[class_name] += count
            accepted[class_name] += count * fate
        rejected = Counter[tuple[str, ...]]()
        for (_, fate, listed), count in self._fates.items():
            rejected[listed] += 0 if fate else count
        families = Counter[str]()
        for listed, count in rejected.items():
            families.update(dict.fromkeys(_families(listed), count))
        names = sorted((name for name in families if families[name]), key=lambda name: (-families[name], name))
        reasons = [self._reason(name, families[name], rejected) for name in names]
        classes = [(name, tried[name], accepted[name]) for name in sorted(tried)]
        return Rejections(tried.total(), accepted.total(), classes, reasons)

    def _reason(self, name: str, count: int, rejected: Counter[tuple[str, ...]]) -> Reason:
        details, alone = Counter[str](), 0
        for listed, rows in rejected.items():
            alone += rows if _families(listed) == {name} else 0
            for reason in listed:
                if rows and reason.partition(":")[0] == name:
                    details[reason] += rows
        places = [place for *_, place in self._examples.get(name, ())]
        return Reason(name, count, alone, details.most_common(), places)

    def _add_examples(self, rejected: pa.Table) -> None:
        """Of each family the first rows by the number of their families, whether they are painted, and their keys."""
        listed = pc.dictionary_encode(pc.binary_join(rejected["reasons"], "\n").combine_chunks())
        families = [_families(text.split("\n")) if text else set[str]() for text in listed.dictionary.to_pylist()]
        of = listed.indices.to_numpy()
        many = np.array([len(own) for own in families], np.int64)[of] if len(of) else np.zeros(0, np.int64)
        ranked = pa.table({"many": many, "unpainted": rejected["shard"].is_null(), "key": rejected["key"]})
        order = pc.sort_indices(ranked, [(name, "ascending") for name in ranked.column_names]).to_numpy()
        for family in set[str]().union(*families):
            having = np.array([family in own for own in families])[of[order]]
            first = pa.array(order[having][:LOOKED_AT])
            found = (ranked[name].take(first).to_pylist() for name in ranked.column_names)
            rows = zip(*found, rejected["place"].take(first).to_pylist(), strict=True)
            self._examples[family] = sorted([*self._examples.get(family, ()), *rows])[:LOOKED_AT]


def _families(reasons: Sequence[str]) -> set[str]:
    return {reason.partition(":")[0] for reason in reasons}


def scores_of(row: Row) -> dict[str, float]:
    """The scores of a row by name, those that it has."""
    return {
        name.removeprefix(SCORE): float(value)
        for name, value in row.items()
        if name.startswith(SCORE) and value is not None and np.isfinite(value)
    }


def score_values(table: pa.Table, name: str) -> NDArray[np.float64]:
    """(N,) a score of rows, NaN for those that do not have it."""
    return np.asarray(table[SCORE + name].to_numpy(), np.float64)


def mean_rank(scores: Mapping[str, NDArray[np.float64]], count: int) -> NDArray[np.float64]:
    """(N,) where each of ``count`` rows is among the others, 0 (worst) to 1 (best): its mean rank over the scores that
    have a good and a bad end and that all rows have. All are at 0.5 where no score tells them apart.
    """
    ranks = []
    for name in sorted(RANKED & scores.keys()):
        values = scores[name] * (-1 if name in LOWER_IS_BETTER else 1)
        if count and np.isfinite(values).all() and np.ptp(values) > 0:
            ranks.append(_shares_below(values))
    return np.mean(ranks, axis=0) if ranks else np.full(count, 0.5)


def _shares_below(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) share of the values that are smaller, equal ones counting half."""
    ordered = np.sort(values)
    below, upto = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return np.asarray((below + upto) / 2 / len(values))
