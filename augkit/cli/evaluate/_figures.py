"""How figures and their warnings read in tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from augkit.evaluate.comparison import Figure


def range_of(figure: Figure, digits: int = 1) -> str:
    """The 95 % interval; empty where there were too few pictures for one."""
    if figure.interval is None:
        return ""
    low, high = figure.interval
    return f"{low:.{digits}f} to {high:.{digits}f}"


def warnings_of(figures: Iterable[Figure]) -> list[str]:
    """A line for each different warning, in their order."""
    return [f"[bold yellow]warning[/]: {text}" for text in dict.fromkeys(w for f in figures for w in f.warnings)]
