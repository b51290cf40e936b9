"""Tables of the gate: what is left after each check, and what the gate catches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from augkit.evaluate.gate import FaultResult


def funnel_table(result: Mapping[str, Any]) -> Table:
    """Of the result of ``augkit gate``: a row a class, a column a check."""
    table = Table("class", "tried", title="The gate: candidates that are left after each check")
    for found in list(result["classes"].values())[:1]:
        for step in found["steps"]:
            table.add_column(step["check"], justify="right")
    for name, found in result["classes"].items():
        table.add_row(name, str(found["tried"]), *(str(step["left"]) for step in found["steps"]))
    changed = ", ".join(f"{name} {was} -> {now}" for name, (was, now) in result["changed"].items()) or "none"
    table.caption = (
        f"accepted pairs that changed: {changed}\nshards written anew: {len(result['rewritten'])}\n"
        f"rejects {result['rejected_real']:.1%} of the real pairs; written to {result['report']}"
    )
    return table


def fault_table(lines: Sequence[FaultResult]) -> Table:
    """A row a planted fault, the real pairs as they are first."""
    table = Table(title="Share of pairs that the gate rejects")
    table.add_column("fault", no_wrap=True)
    table.add_column("pairs", justify="right")
    table.add_column("rejected", justify="right")
    table.add_column("by", overflow="fold")
    for line in lines:
        table.add_row(line.name, str(line.pairs), f"{line.caught:.0%}", line.reasons)
    table.caption = "Bounds set on one half of the real pairs, measured on the other, both ways"
    return table
