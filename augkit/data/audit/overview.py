"""The data as a balance sees it: how many pairs of each class, how many pixels of each part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from augkit.core.parts import PartSchema
from augkit.data.catalogue import CatalogueRow, Split, count_splits, usable


@dataclass(frozen=True)
class PartShare:
    """A part's pixels, their share of all pixels of cars, and the number of pairs that show the part."""

    name: str
    pixels: int
    share: float
    pairs: int


@dataclass(frozen=True)
class Overview:
    """Usable pairs by class name and split, and the parts in the order of their ids."""

    classes: dict[str, dict[Split, int]]
    parts: tuple[PartShare, ...]
    pairs: int

    @classmethod
    def of(cls, rows: Sequence[CatalogueRow], schema: PartSchema) -> Overview:
        """Counts the usable rows; pixels are those of the canonical masks."""
        kept = usable(rows)
        pixels, shown = np.zeros(schema.channels, np.int64), np.zeros(schema.channels, np.int64)
        for row in kept:
            counts = np.array(row.histogram, np.int64)
            pixels += counts
            shown += counts > 0
        total = max(1, int(pixels[1:].sum()))
        parts = tuple(
            PartShare(part.name, int(area), int(area) / total, int(pairs))
            for part, area, pairs in zip(schema.parts, pixels[1:], shown[1:], strict=True)
        )
        classes = {car_class.name: splits for car_class, splits in count_splits(kept).items()}
        return cls(classes, parts, len(kept))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)
