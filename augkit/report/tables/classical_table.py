"""The table of a data set of classical pairs."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from augkit.balance.classical import ClassicalJob


def classical_table(job: ClassicalJob, made: Mapping[str, int], caption: str) -> Table:
    """A row a class: real pairs, classical ones that are wanted, and those that are there."""
    table = Table("class", "real for training", "classical wanted", "there", title=f"Preset {job.request.recipe.name}")
    for c in job.real:
        counts = (job.training.get(c, 0), job.need.get(c, 0), made.get(c.name, 0))
        table.add_row(c.name, *map(str, counts))
    table.caption = caption
    return table
