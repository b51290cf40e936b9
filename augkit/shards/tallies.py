"""How often values occur in rows of the index, counted without a Python object a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Tally = Counter[tuple[Any, ...]]

Counts = dict[str, dict[str, dict[str, int]]]
"""Rows by class, source and ``accepted``/``rejected``."""

FATES = ("class", "source", "accepted")
_BETWEEN = "\n"


def tally(table: pa.Table, *columns: str) -> Tally:
    """Rows by the values of these columns, in the order in which they first occur; reasons as tuples."""
    values = {name: table[name] for name in columns}
    if "reasons" in values:
        values["reasons"] = pc.binary_join(values["reasons"], _BETWEEN)
    groups = pa.table(values).group_by(list(columns), use_threads=False).aggregate([([], "count_all")])
    found = (groups[name].to_pylist() for name in columns)
    keys = zip(*(map(_parted, c) if n == "reasons" else c for n, c in zip(columns, found, strict=True)), strict=True)
    return Counter(dict(zip(keys, groups["count_all"].to_pylist(), strict=True)))


def _parted(reasons: str) -> tuple[str, ...]:
    return tuple(reasons.split(_BETWEEN)) if reasons else ()


def count_rows(tables: Iterable[pa.Table]) -> Counts:
    """Rows of the tables; only what there is, in alphabetical order."""
    fates: Tally = Counter()
    for table in tables:
        fates.update(tally(table, *FATES))
    return counts_of(fates)


def counts_of(fates: Mapping[tuple[Any, ...], int]) -> Counts:
    """The same from a tally by ``FATES``."""
    counts: Counts = {}
    for class_name, source, accepted in sorted(fates):
        own = counts.setdefault(class_name, {}).setdefault(source, {"accepted": 0, "rejected": 0})
        own["accepted" if accepted else "rejected"] = fates[class_name, source, accepted]
    return counts
