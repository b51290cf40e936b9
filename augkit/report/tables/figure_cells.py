"""How figures and their warnings read in tables."""

from __future__ import annotations

from collections.abc import Iterable

from augkit.evaluate.comparison import Figure


def range_of(figure: Figure, digits: int = 1) -> str:
    """The 95 % interval; empty where there were too few pictures for one."""
    if figure.interval is None:
        return ""
    low, high = figure.interval
    return f"{low:.{digits}f} to {high:.{digits}f}"


def cell_of(figure: Figure) -> str:
    """The value with its 95 % interval."""
    interval = range_of(figure, 2)
    return f"{figure.value:.2f}" + (f" ({interval})" if interval else "")


def ratio_of(figure: Figure, digits: int = 2) -> str:
    """Value over floor; empty where that means nothing."""
    return "" if figure.ratio is None else f"{figure.ratio:.{digits}f}"


def warning_lines(warnings: Iterable[str]) -> list[str]:
    """A line for each different warning, in their order."""
    return [f"[bold yellow]warning[/]: {text}" for text in dict.fromkeys(warnings)]


def warnings_of(figures: Iterable[Figure]) -> list[str]:
    """Those of the figures."""
    return warning_lines(text for figure in figures for text in figure.warnings)
