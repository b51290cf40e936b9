"""Where candidates are lost: how many were tried, and how many are left after each check, by class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from augkit.gate.duplicates import REASON
from augkit.gate.judge import RULE, Gate

FUNNEL_COLUMNS = ["key", "source", "class", "shard", "reasons"]
"""Of the index, what a funnel is made from."""

EXAMPLES = 12
"""Keys of painted pairs that are named for each reason."""


def funnel(rows: Iterable[Mapping[str, Any]], gate: Gate) -> dict[str, Any]:
    """Rows of the index -> plain data for the report: a funnel by class and over ``all``, reasons, examples, bounds.

    A candidate falls out at the first check that rejects it; ``reasons`` counts all that are given.
    """
    order = [RULE, *gate.checks, REASON]
    falls: dict[str, Counter[str]] = {}
    reasons: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    for row in rows:
        if row["source"] != "generated":
            continue
        given = [(REASON if reason == REASON else gate.check_of(reason)) for reason in row["reasons"]]
        first = min(given, key=order.index, default="")
        for name in (row["class"], "all"):
            falls.setdefault(name, Counter())[first] += 1
        reasons.update(row["reasons"])
        for reason in row["reasons"] if row["shard"] is not None else ():
            known = examples.setdefault(reason, [])
            known += [row["key"]] if len(known) < EXAMPLES else []
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


def _steps(falls: Counter[str], order: Sequence[str]) -> dict[str, Any]:
    left = tried = sum(falls.values())
    steps = []
    for name in order:
        left -= falls[name]
        steps.append({"check": name, "rejected": falls[name], "left": left})
    return {"tried": tried, "accepted": left, "steps": steps}
