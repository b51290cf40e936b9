"""The catalogue: one row a real pair, as Parquet."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from augkit.classes import CarClass, Doors, Orientation
from augkit.errors import DataError

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("importer", pa.string()),
        ("source_file", pa.string()),
        ("subset", pa.string()),
        ("sha256", pa.string()),
        ("phash", pa.string()),
        ("group", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("crop_x", pa.int32()),
        ("crop_y", pa.int32()),
        ("crop_side", pa.int32()),
        ("size", pa.int32()),
        ("histogram", pa.list_(pa.int64())),
        ("off_palette", pa.float64()),
        ("orientation", pa.string()),
        ("confidence", pa.float64()),
        ("doors", pa.string()),
        ("split", pa.string()),
        ("problem", pa.string()),
    ]
)


@dataclass(frozen=True)
class CatalogueRow:
    """One photo with its mask, as imported.

    ``width``/``height`` are the source photo's in pixels, ``crop_*`` the square cut from it, ``size`` the side of the
    canonical pair. ``histogram`` counts the canonical mask's pixels by part id, background first (ignore left out).
    ``subset`` is the part of the data set the source names, ``phash`` the photo's perceptual hash (64 bits in hex),
    ``group`` what photos share that must not be on two sides of a split: those from one source photo and its near
    duplicates. ``off_palette`` is the share of the source mask's pixels that had no exact colour of the palette.
    ``problem`` is empty for a usable row; a row with a problem has no files in ``pairs/``.
    """

    id: str
    importer: str
    source_file: str
    subset: str = ""
    sha256: str = ""
    phash: str = ""
    group: str = ""
    width: int = 0
    height: int = 0
    crop_x: int = 0
    crop_y: int = 0
    crop_side: int = 0
    size: int = 0
    histogram: list[int] = field(default_factory=list)
    off_palette: float = 0.0
    orientation: Orientation = "A"
    confidence: float = 0.0
    doors: Doors = "unknown"
    split: Split = "train"
    problem: str = ""

    @property
    def car_class(self) -> CarClass:
        """The class that the row counts for."""
        return CarClass(self.orientation, self.doors)


def write_catalogue(path: Path, rows: Sequence[CatalogueRow]) -> None:
    """Writes all rows, whole or not at all."""
    table = pa.Table.from_pylist([asdict(row) for row in rows], schema=SCHEMA)
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as stream:
        pq.write_table(table, stream)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def read_catalogue(path: Path) -> list[CatalogueRow]:
    """All rows, those with a problem too. Raises DataError where the file is no catalogue."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: {error}", "a catalogue", "import the data again") from error
    if table.schema.names != SCHEMA.names:
        raise DataError(
            f"{path}: columns {table.schema.names}",
            f"columns {SCHEMA.names}",
            "import the data again with this version",
        )
    return [CatalogueRow(**row) for row in table.to_pylist()]


def usable(rows: Sequence[CatalogueRow]) -> list[CatalogueRow]:
    """Rows without a problem."""
    return [row for row in rows if not row.problem]


@dataclass(frozen=True)
class TrainingRows:
    """Rows that a generator may see: usable, and of the training split. The only door to generator training."""

    rows: tuple[CatalogueRow, ...]

    @classmethod
    def of(cls, rows: Sequence[CatalogueRow]) -> TrainingRows:
        """Keeps the training split of the usable rows."""
        return cls(tuple(row for row in usable(rows) if row.split == "train"))

    def __len__(self) -> int:
        return len(self.rows)


def count_classes(rows: Sequence[CatalogueRow]) -> dict[CarClass, int]:
    """Usable rows a class; only classes that are present, in order."""
    counts: dict[CarClass, int] = {}
    for row in usable(rows):
        counts[row.car_class] = counts.get(row.car_class, 0) + 1
    return dict(sorted(counts.items()))


def count_splits(rows: Sequence[CatalogueRow]) -> dict[CarClass, dict[Split, int]]:
    """Usable rows a class and split; classes as in ``count_classes``, every split."""
    counts = {car_class: dict.fromkeys(SPLITS, 0) for car_class in count_classes(rows)}
    for row in usable(rows):
        counts[row.car_class][row.split] += 1
    return counts


def mean_confidence(rows: Sequence[CatalogueRow]) -> dict[CarClass, float]:
    """Mean confidence of the orientation a class, over the usable rows."""
    counts = count_classes(rows)
    return {c: sum(row.confidence for row in usable(rows) if row.car_class == c) / n for c, n in counts.items()}


def part_pixels(rows: Sequence[CatalogueRow]) -> list[int]:
    """Pixels by part id over all usable rows, background first."""
    kept: list[list[Any]] = [row.histogram for row in usable(rows)]
    return [sum(column) for column in zip(*kept, strict=True)] if kept else []
