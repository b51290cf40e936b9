"""The tables of ``augkit evaluate utility --labels``, and of what it would cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from augkit.evaluate.utility.figures import OVERALL, TAIL_CLASSES, TAIL_PARTS
from augkit.report.tables.utility_table import figure_cell

if TYPE_CHECKING:
    from augkit.evaluate.utility.label_study import LabelStudy


def label_tables(study: LabelStudy) -> Group:
    """A table for each figure, the verdict at each number of labels, and what augkit's pairs are worth in labels."""
    names = [name for name in (OVERALL, TAIL_PARTS, TAIL_CLASSES) if name in study.points[0].study.arms[0].figures]
    verdicts = [f"{point.labels:.0f} labels. {point.study.verdict.sentence}" for point in study.points]
    return Group(*(_values(study, name) for name in names), *verdicts, *study.sentences)


def _values(study: LabelStudy, name: str) -> Table:
    first = study.points[0].study
    table = Table(
        title=f"IoU in points, {name}, on {first.photos[name]} real photos ({first.split}), {first.seeds} seeds; "
        "95 % intervals",
        box=SIMPLE_HEAD, padding=(0, 1, 0, 0),
    )  # fmt: skip
    table.add_column("arm", overflow="fold")
    for point in study.points:
        table.add_column(f"{point.labels:.0f} labels", justify="right", overflow="fold")
    for place, result in enumerate(first.arms):
        table.add_row(
            result.arm.name, *(figure_cell(point.study.arms[place].figures.get(name)) for point in study.points)
        )
    return table
