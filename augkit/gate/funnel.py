"""Where candidates are lost: how many were tried, and how many are left after each check, by class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from augkit.gate.duplicates import REASON
from augkit.gate.judge import RULE, Gate
from augkit.shards.tallies import tally

FUNNEL_COLUMNS = ["key", "source", "class", "shard", "reasons"]
"""Of the index, what a funnel is made from."""

EXAMPLES = 12
"""Keys of painted pairs that are named for each reason."""


def funnel(tables: Iterable[pa.Table], gate: Gate) -> dict[str, Any]:
    """Rows of the index -> plain data for the report: a funnel by class and over ``all``, reasons, examples, bounds.

    A candidate falls out at the first check that rejects it; ``reasons`` counts all that are given.
    """
    order = [RULE, *gate.checks, REASON]
    falls: dict[str, Counter[str]] = {}
    reasons: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    for table in tables:
        made = table.filter(pc.field("source") == "generated")
        for (class_name, listed), count in tally(made, "class", "reasons").items():
            given = [(REASON if reason == REASON else gate.check_of(reason)) for reason in listed]
            for name in (class_name, "all"):
                falls.setdefault(name, Counter())[min(given, key=order.index, default="")] += count
            for reason in listed:
                reasons[reason] += count
        _add_examples(examples, made)
    bounds = {name: [bound.low, bound.high] for name, bound in gate.bounds.bounds.items()}
    limits = {name: [x if abs(x) < float("inf") else None for x in both] for name, both in bounds.items()}
    return {
        "classes": {name: _steps(found, order) for name, found in sorted(falls.items())},
        "reasons": dict(reasons.most_common()),
        "examples": examples,
        "bounds": limits,
        "quantile": gate.bounds.quantile,
        "rejected_real": gate.bounds.rejected_real,
    }


def _add_examples(examples: dict[str, list[str]], rows: pa.Table) -> None:
    """Keys of the first painted rows with each reason."""
    listed = rows["reasons"].combine_chunks()
    painted = rows["shard"].is_valid().combine_chunks()
    said, of = listed.flatten(), pc.list_parent_indices(listed)
    wanted: set[int] = set()
    for reason in pc.unique(said).to_pylist():
        lacking = EXAMPLES - len(examples.get(reason, ()))
        if lacking > 0:
            having = pc.unique(of.filter(pc.and_(pc.equal(said, reason), painted.take(of))))
            wanted.update(having[:lacking].to_pylist())
    for row in rows.select(["key", "reasons"]).take(pa.array(sorted(wanted), pa.int64())).to_pylist():
        for reason in row["reasons"]:
            known = examples.setdefault(reason, [])
            known += [row["key"]] if len(known) < EXAMPLES else []


def _steps(falls: Counter[str], order: Sequence[str]) -> dict[str, Any]:
    left = tried = sum(falls.values())
    steps = []
    for name in order:
        left -= falls[name]
        steps.append({"check": name, "rejected": falls[name], "left": left})
    return {"tried": tried, "accepted": left, "steps": steps}
