"""What other verbs measured and wrote to ``reports/``, as far as a report shows it. Every document is optional."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Table:
    """Rows of texts under a head; the first column names the row."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Arm:
    """What a segmenter was trained on, and its mean IoU in per cent with the ends of its interval."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Utility:
    """``augkit evaluate utility``: the verdict in a sentence, an arm a training set, and IoU by part and class."""

    verdict: str
    arms: Sequence[Arm]
    tables: Mapping[str, Table]


@dataclass(frozen=True)
class Measures:
    """Utility, and the table of ``augkit compare``."""

    utility: Utility | None
    contest: Table | None


def read_measures(documents: Mapping[str, Any]) -> Measures:
    """From the JSON documents by name; one that does not have the expected form counts as absent."""
    return Measures(None, _contest(documents.get("compare")))


def _contest(results: Any) -> Table | None:
    head = ("generator", "steps", "distance", "floor", "ratio")
    names = ("name", "steps", "distance", "distance_floor", "ratio")
    try:
        rows = [[_text(result[name]) for name in names] for result in results]
    except (KeyError, TypeError):
        return None
    return Table(head, rows) if rows else None


def _text(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
