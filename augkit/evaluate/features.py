"""A set of pictures as the figures know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import ConfigError, DataError
from augkit.metrics.metric import Metric, Reads

Kind = Literal["photos", "masks"]


@dataclass(frozen=True)
class PictureFeatures:
    """N pictures: a table of N rows for each thing that figures read.

    ``features`` come from the extractor of that name; masks have ``shares``, ``adjacency`` and ``components`` as well.
    ``size`` is the pictures' (height, width) before any resizing; ``blank`` (N,) marks those of a single colour.
    Raises DataError where tables differ in length or hold NaN or infinity.
    """

    extractor: str
    kind: Kind
    size: tuple[int, int]
    tables: Mapping[Reads, NDArray[Any]]
    blank: NDArray[np.bool_]

    def __post_init__(self) -> None:
        lengths = {name: len(table) for name, table in self.tables.items()}
        if set(lengths.values()) != {len(self.blank)}:
            raise DataError(f"tables of {lengths} rows for {len(self.blank)} pictures", "one row a picture in each")
        for name, table in self.tables.items():
            spoilt = int((~np.isfinite(table.reshape(len(table), -1))).any(1).sum())
            if spoilt:
                raise DataError(
                    f"{name} of {spoilt} of {len(table)} pictures are not finite (NaN or infinity)",
                    "finite numbers",
                    "look at these pictures and at the weights that made them",
                )

    def __len__(self) -> int:
        return len(self.blank)

    def table(self, metric: Metric) -> NDArray[Any]:
        """What the metric reads. Raises ConfigError where these pictures do not have it."""
        if metric.reads not in self.tables:
            raise ConfigError(
                f"{metric.label} reads {metric.reads}, which {self.kind} do not have",
                "one that reads " + " or ".join(self.tables),
            )
        return self.tables[metric.reads]

    def pick(self, index: NDArray[Any]) -> PictureFeatures:
        """The pictures at these places (numbers or truth values), e.g. those of one class."""
        tables = {name: table[index] for name, table in self.tables.items()}
        return replace(self, tables=tables, blank=self.blank[index])

    def join(self, other: PictureFeatures) -> PictureFeatures:
        """Both sets as one. Raises DataError where they must not be compared."""
        self.check_comparable(other)
        tables = {name: np.concatenate([table, other.tables[name]]) for name, table in self.tables.items()}
        return replace(self, tables=tables, blank=np.concatenate([self.blank, other.blank]))

    def check_comparable(self, other: PictureFeatures) -> None:
        """Raises DataError where the two sets must not be compared."""
        if (self.extractor, self.kind) != (other.extractor, other.kind):
            raise DataError(
                f"{self.kind} through {self.extractor} against {other.kind} through {other.extractor}",
                "one extractor and one kind of pictures",
                "extract both sets with the same extractor",
            )
        if self.size != other.size:
            raise DataError(
                f"pictures of {_px(self.size)} against pictures of {_px(other.size)}",
                "pictures of one size: sharpness alone would tell them apart",
                "resize the real ones to the size of the made ones",
            )


def _px(size: tuple[int, int]) -> str:
    return f"{size[1]} x {size[0]} px"
