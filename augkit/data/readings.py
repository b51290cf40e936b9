"""What a teacher read of photos without masks: one row a photo, as Parquet, beside the cut photos and their masks.

WORKSPACE/readings/
  {id}.jpg, {id}.mask.png    the square around the car, and its mask: 255 where the teacher is not sure
  readings.parquet           a row for each photo that was read; written last
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from augkit.core.atomic_file import replacing
from augkit.core.classes import CarClass, Doors, Orientation
from augkit.core.inside import Id, inside
from augkit.core.parquet import open_parquet, read_rows
from augkit.core.section import Share
from augkit.core.typed import NotNegative

READINGS_FILE = "readings.parquet"
COLUMNS = pa.schema(
    [
        ("id", pa.string()),
        ("group", pa.string()),
        ("crop_x", pa.int32()),
        ("crop_y", pa.int32()),
        ("crop_side", pa.int32()),
        ("size", pa.int32()),
        ("histogram", pa.list_(pa.int64())),
        ("orientation", pa.string()),
        ("doors", pa.string()),
        ("view_confidence", pa.float64()),
        ("confidence", pa.float64()),
        ("kept", pa.float64()),
        ("other_cars", pa.int32()),
        ("refused", pa.string()),
    ]
)
_AGAIN = "read the photos again: augkit train teacher"


@dataclass(frozen=True)
class PhotoReading:
    """One photo as the teacher read it.

    ``crop_*`` is the square around the car, ``size`` its side as stored. ``confidence`` is the mean chance of what was
    read on the car, ``kept`` the share of the car's pixels that are sure enough to train on, ``view_confidence`` that
    of the orientation. ``other_cars`` are beside the largest. ``refused`` says why no pair is made of it, else empty.
    """

    id: Id
    group: str
    crop_x: int = 0
    crop_y: int = 0
    crop_side: NotNegative = 0
    size: NotNegative = 0
    histogram: list[NotNegative] = field(default_factory=list)
    orientation: Orientation = "A"
    doors: Doors = "unknown"
    view_confidence: Share = 0.0
    confidence: Annotated[float, Field(ge=0.0, le=1.0 + 1e-6)] = 0.0
    kept: Share = 0.0
    other_cars: NotNegative = 0
    refused: str = ""

    @property
    def car_class(self) -> CarClass:
        """The class that it shows."""
        return CarClass(self.orientation, self.doors)


@dataclass(frozen=True)
class ReadingFolder:
    """A folder of readings. ``key`` names the teacher and the photos that they come from."""

    root: Path

    def photo(self, id: str) -> Path:
        """The square around the car of a photo."""
        return inside(self.root, f"{id}.jpg")

    def mask(self, id: str) -> Path:
        """What was read of it."""
        return inside(self.root, f"{id}.mask.png")

    @property
    def table(self) -> Path:
        """A row a photo."""
        return self.root / READINGS_FILE

    def write(self, rows: Iterable[PhotoReading], key: str) -> None:
        """Writes the table, which makes the folder whole."""
        table = pa.Table.from_pylist([vars(row) for row in rows], schema=COLUMNS)
        with replacing(self.table) as temporary:
            pq.write_table(table.replace_schema_metadata({"key": key}), temporary)

    def key(self) -> str:
        """What the table was written for; empty where there is none."""
        if not self.table.is_file():
            return ""
        with open_parquet(self.table, COLUMNS, _AGAIN) as file:
            return bytes((file.schema_arrow.metadata or {}).get(b"key", b"")).decode()

    def rows(self) -> list[PhotoReading]:
        """All rows; none where nothing was read yet. Raises DataError where the file is no such table."""
        return read_rows(list[PhotoReading], self.table, COLUMNS, "a table of readings", _AGAIN)

    def pairs(self) -> list[PhotoReading]:
        """Rows that make a pair."""
        return [row for row in self.rows() if not row.refused]
