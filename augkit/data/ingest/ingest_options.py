"""What an import is told, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from augkit.data.reading_way import ReadingWay


@dataclass(frozen=True)
class IngestOptions:
    """``size`` and ``margin`` of the pairs, the shares of the splits, which the seed deals out, and the ``way`` that
    samples are read."""

    size: int = 256
    margin: float = 0.06
    val_share: float = 0.2
    test_share: float = 0.0
    seed: int = 0
    way: ReadingWay = field(default_factory=ReadingWay)
