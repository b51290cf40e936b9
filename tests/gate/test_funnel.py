from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa

from augkit.gate.bounds import ScoreBounds
from augkit.gate.duplicates import REASON
from augkit.gate.funnel import EXAMPLES, FUNNEL_COLUMNS, funnel
from augkit.gate.judge import RULE, Gate
from augkit.shards.writer import COLUMNS

FRONT, BACK = "front-left-5", "back-right-3"
SCHEMA = pa.schema([COLUMNS.field(name) for name in FUNNEL_COLUMNS])


def gate() -> Gate:
    """Of one check besides the rule."""
    bounds = ScoreBounds({}, 0.05, 0.0)
    return cast(
        Gate,
        SimpleNamespace(
            checks={"view": None}, bounds=bounds, check_of=lambda said: "view" if said.startswith("view") else RULE
        ),
    )


def row(key: str, car: str, *reasons: str, shard: str | None = "shard-000000", source: str = "generated") -> Any:
    return {"key": key, "source": source, "class": car, "shard": shard, "reasons": list(reasons)}


def tables(rows: list[Any], size: int) -> Iterator[pa.Table]:
    for begin in range(0, len(rows), size):
        yield pa.Table.from_pylist(rows[begin : begin + size], SCHEMA)


def test_it_counts_the_same_in_tables_of_any_size() -> None:
    rows = [
        row("a", FRONT), row("r", FRONT, source="real"), row("b", BACK, "view:x", "missing:hood", shard=None),
        row("c", BACK, "view:x", REASON), row("d", FRONT, REASON), row("e", BACK, "missing:hood"), row("f", BACK),
    ]  # fmt: skip
    found = funnel(tables(rows, len(rows)), gate())
    assert found["classes"]["all"] == {
        "tried": 6, "accepted": 2, "steps": [
            {"check": RULE, "rejected": 2, "left": 4}, {"check": "view", "rejected": 1, "left": 3},
            {"check": REASON, "rejected": 1, "left": 2},
        ],
    }  # fmt: skip
    assert {name: steps["tried"] for name, steps in found["classes"].items()} == {"all": 6, BACK: 4, FRONT: 2}
    assert list(found["reasons"].items()) == [("view:x", 2), ("missing:hood", 2), (REASON, 2)]
    assert found["examples"] == {"view:x": ["c"], REASON: ["c", "d"], "missing:hood": ["e"]}
    assert all(funnel(tables(rows, size), gate()) == found for size in (1, 2, 3))


def test_the_first_painted_ones_are_the_examples() -> None:
    rows = [row(f"k{n}", FRONT, "view:x", shard=None if n % 2 else "shard-000000") for n in range(4 * EXAMPLES)]
    found = funnel(tables(rows, 5), gate())
    assert found["examples"] == {"view:x": [f"k{2 * n}" for n in range(EXAMPLES)]}


def test_nothing_tried_yet() -> None:
    assert funnel([SCHEMA.empty_table()], gate())["classes"] == {}
