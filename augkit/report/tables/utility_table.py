"""The tables of ``augkit evaluate utility``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from augkit.evaluate.utility.figures import MEANS

if TYPE_CHECKING:
    from augkit.evaluate.utility.study import Study
    from augkit.metrics.intervals import Estimate


def utility_tables(study: Study) -> Group:
    """Figures of the arms, their differences, what lies behind them by part and class, and the verdict."""
    return Group(_values(study), _deltas(study), _detail(study), study.verdict.sentence)


def _values(study: Study) -> Table:
    table = figure_table(
        f"Mean IoU in points on {study.photos['overall']} held-out photos ({study.split}), {study.seeds} seeds, "
        f"{study.steps} steps each; 95 % intervals",
        "arm", ("real", "made", *MEANS),
    )  # fmt: skip
    for result in study.arms:
        cells = [figure_cell(result.figures.get(name)) for name in MEANS]
        table.add_row(result.arm.name, str(result.real), str(result.made), *cells)
    table.caption = "\n".join([
        f"tail parts: {', '.join(study.tail_parts) or 'none'}",
        f"tail classes: {', '.join(study.tail_classes) or 'none'}",
        *(f"{name}, tuned on val: {choice}" for name, choice in study.tuned.items()),
    ])  # fmt: skip
    return table


def _deltas(study: Study) -> Table:
    table = figure_table("Differences in points, paired by seed and photo; 95 % intervals", "arm", ("against", *MEANS))
    for compared in study.comparisons:
        cells = [figure_cell(compared.deltas.get(name), "+") for name in MEANS]
        table.add_row(compared.arm.name, compared.against.name, *cells)
    return table


def _detail(study: Study) -> Table:
    """A row a part and a class, a column an arm."""
    names = [name for name in study.photos if name not in MEANS]
    tail = {f"part {name}" for name in study.tail_parts} | {f"class {name}" for name in study.tail_classes}
    table = figure_table("IoU in points by part and class (* tail)", "", ("photos", *(r.arm.name for r in study.arms)))
    for name in names:
        cells = [f"{100 * result.figures[name].value:.1f}" for result in study.arms]
        table.add_row(name + (" *" if name in tail else ""), str(study.photos[name]), *cells)
    return table


def figure_table(title: str, first: str, columns: tuple[str, ...]) -> Table:
    """A table without rows: names on the left, figures on the right."""
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold")
    for column in columns:
        table.add_column(column, justify="right", overflow="fold")
    return table


def figure_cell(figure: Estimate | None, sign: str = "") -> str:
    """A figure in points with its interval; empty where there is none."""
    if figure is None:
        return ""
    low, high = figure.interval()
    return f"{100 * figure.value:{sign}.1f} ({100 * low:{sign}.1f} to {100 * high:{sign}.1f})"
