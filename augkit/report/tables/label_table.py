"""The tables of ``augkit evaluate utility --labels``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group

from augkit.evaluate.utility.figures import MEANS
from augkit.report.tables.utility_table import figure_cell, figure_table

if TYPE_CHECKING:
    from rich.table import Table

    from augkit.evaluate.utility.label_study import LabelStudy


def label_tables(study: LabelStudy) -> Group:
    """A table for each figure, the verdict at each number of labels, and what augkit's pairs are worth in labels."""
    names = [name for name in MEANS if name in study.points[0].study.arms[0].figures]
    verdicts = [f"{point.labels:.0f} labels. {point.study.verdict.sentence}" for point in study.points]
    return Group(*(_values(study, name) for name in names), *verdicts, *study.sentences)


def _values(study: LabelStudy, name: str) -> Table:
    first = study.points[0].study
    table = figure_table(
        f"IoU in points, {name}, on {first.photos[name]} held-out photos ({first.split}), {first.seeds} seeds; "
        "95 % intervals",
        "arm", tuple(f"{point.labels:.0f} labels" for point in study.points),
    )  # fmt: skip
    for place, result in enumerate(first.arms):
        table.add_row(
            result.arm.name, *(figure_cell(point.study.arms[place].figures.get(name)) for point in study.points)
        )
    return table
