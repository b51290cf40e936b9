"""The catalogue: one row a real photo, labelled or not, as Parquet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal, get_args, overload

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import Field

from augkit.core.atomic_file import replacing
from augkit.core.classes import CarClass, Doors, Orientation
from augkit.core.disk_faults import refusal_or
from augkit.core.errors import DataError
from augkit.core.inside import Id
from augkit.core.parquet import open_parquet
from augkit.core.section import Share
from augkit.core.typed import NotNegative, from_plain

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
        ("labelled", pa.bool_()),
        ("whole_phash", pa.string()),
    ]
)
_LATER = ("labelled", "whole_phash")
"""Columns that catalogues of earlier versions lack: all their photos are labelled."""


@dataclass(frozen=True)
class CatalogueRow:
    """One photo as imported: with its mask, or without one.

    ``width``/``height`` are the source photo's in pixels, ``crop_*`` the square cut from it, ``size`` the side of the
    canonical pair. ``histogram`` counts the canonical mask's pixels by part id, background first (ignore left out).
    ``subset`` is the part of the data set the source names, ``phash`` the perceptual hashes of the photo and of its
    mirror image (64 bits each, in hex),
    ``group`` what photos share that must not be on two sides of a split: those from one source photo and its near
    duplicates. ``off_palette`` is the share of the source mask's pixels that had no exact colour of the palette.
    ``problem`` is empty for a usable row; a row with a problem has no files in ``pairs/``.

    A photo that is not ``labelled`` has neither histogram nor class, and never a problem. It lies in ``unlabelled/``:
    the square around its car, or the whole photo where ``crop_side`` is 0, since nobody said where the car is.
    ``whole_phash`` is as ``phash``, of the whole photo.
    """

    id: Id
    importer: str
    source_file: str
    subset: str = ""
    sha256: str = ""
    phash: Annotated[str, Field(pattern="^[0-9a-f]{0,32}$")] = ""
    group: str = ""
    width: NotNegative = 0
    height: NotNegative = 0
    crop_x: int = 0
    crop_y: int = 0
    crop_side: NotNegative = 0
    size: NotNegative = 0
    histogram: list[NotNegative] = field(default_factory=list)
    off_palette: Share = 0.0
    orientation: Orientation = "A"
    confidence: Share = 0.0
    doors: Doors = "unknown"
    split: Split = "train"
    problem: str = ""
    labelled: bool = True
    whole_phash: Annotated[str, Field(pattern="^[0-9a-f]{0,32}$")] = ""

    @property
    def car_class(self) -> CarClass:
        """The class that the row counts for."""
        return CarClass(self.orientation, self.doors)


ROWS_AT_ONCE = 1024
"""Rows of one row group: what is in memory at once while a catalogue is written or gone through."""


class Catalogue(Sequence[CatalogueRow]):
    """The labelled rows of a catalogue file, those with a problem too, read when they are asked for.

    Going through it holds a row group at a time, so its length does not matter. The file must stay as it is. Photos
    without masks are seen by those alone who ask for ``unlabelled`` ones.
    """

    def __init__(self, path: Path) -> None:
        """Raises DataError where the file is no catalogue."""
        self.path = path
        with self._opened() as file:
            self._length: int = file.metadata.num_rows - _count_unlabelled(file)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[CatalogueRow]:
        return (row for row in self._rows() if row.labelled)

    def unlabelled(self) -> Iterator[CatalogueRow]:
        """The photos without masks."""
        return (row for row in self._rows() if not row.labelled)

    def _rows(self) -> Iterator[CatalogueRow]:
        parts = -1
        with self._opened() as file:
            batches = file.iter_batches(ROWS_AT_ONCE)
            while (rows := self._next(batches)) is not None:
                for row in rows:
                    if row.labelled and not row.problem:
                        parts = len(row.histogram) if parts < 0 else parts
                        self._check(row, parts)
                    yield row

    @overload
    def __getitem__(self, place: int) -> CatalogueRow: ...

    @overload
    def __getitem__(self, place: slice) -> list[CatalogueRow]: ...

    def __getitem__(self, place: int | slice) -> CatalogueRow | list[CatalogueRow]:
        if isinstance(place, slice):
            return list(self)[place]
        wanted = range(self._length)[place]
        return next(islice(self, wanted, None))

    def _opened(self) -> pq.ParquetFile:
        return open_parquet(self.path, SCHEMA, "import the data again with this version", later=_LATER)

    def _next(self, batches: Iterator[pa.RecordBatch]) -> list[CatalogueRow] | None:
        """The rows of the next batch; None at the end."""
        try:
            batch = next(batches, None)
            return None if batch is None else from_plain(list[CatalogueRow], batch.to_pylist())
        except (OSError, ValueError, pa.ArrowException) as error:
            told = refusal_or(error, "a catalogue", "import the data again")
            raise DataError(f"{self.path}: {error}", *told) from error

    def _check(self, row: CatalogueRow, parts: int) -> None:
        if len(row.histogram) != parts or not (row.size and row.crop_side and row.width and row.height):
            raise DataError(
                f"{self.path}: {row.id}: {row.width}x{row.height} px, cut to {row.crop_side} px, stored at {row.size} "
                f"px, {len(row.histogram)} parts counted", f"sizes that are not 0, and {parts} parts as in other rows",
                "import the data again",
            )  # fmt: skip


def write_catalogue(path: Path, rows: Iterable[CatalogueRow]) -> None:
    """Writes all rows; a few thousand are in memory at a time."""
    source = iter(rows)
    with replacing(path) as temporary, pq.ParquetWriter(temporary, SCHEMA) as writer:
        while some := list(islice(source, ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist([vars(row) for row in some], schema=SCHEMA))


def read_catalogue(path: Path) -> list[CatalogueRow]:
    """All labelled rows, those with a problem too. Raises DataError where the file is no catalogue."""
    return list(Catalogue(path))


def _count_unlabelled(file: pq.ParquetFile) -> int:
    if "labelled" not in file.schema_arrow.names:
        return 0
    column = file.read(columns=["labelled"])["labelled"]
    return int(pc.sum(pc.invert(column)).as_py() or 0)


def usable(rows: Iterable[CatalogueRow]) -> list[CatalogueRow]:
    """Rows without a problem."""
    return [row for row in rows if not row.problem]


def validation_rows(rows: Iterable[CatalogueRow]) -> list[CatalogueRow]:
    """Rows that figures are told by while things are decided: usable, and of the split val.

    Those of the split test are for the final evaluation (``augkit evaluate utility``) alone.
    """
    return [row for row in usable(rows) if row.split == "val"]


@dataclass(frozen=True)
class TrainingRows:
    """Rows that a generator may see: usable, and of the training split. The only door to generator training."""

    rows: tuple[CatalogueRow, ...]

    @classmethod
    def of(cls, rows: Iterable[CatalogueRow]) -> TrainingRows:
        """Keeps the training split of the usable rows."""
        return cls(tuple(row for row in usable(rows) if row.split == "train"))

    def __len__(self) -> int:
        return len(self.rows)


def count_classes(rows: Iterable[CatalogueRow]) -> dict[CarClass, int]:
    """Usable rows a class; only classes that are present, in order."""
    return dict(sorted(Counter(row.car_class for row in rows if not row.problem).items()))


def count_splits(rows: Iterable[CatalogueRow]) -> dict[CarClass, dict[Split, int]]:
    """Usable rows a class and split; classes as in ``count_classes``, every split."""
    counts = Counter((row.car_class, row.split) for row in rows if not row.problem)
    return {car_class: {split: counts[car_class, split] for split in SPLITS} for car_class in _classes(counts)}


def mean_confidence(rows: Iterable[CatalogueRow]) -> dict[CarClass, float]:
    """Mean confidence of the orientation a class, over the usable rows."""
    sums: dict[CarClass, tuple[float, int]] = {}
    for row in rows:
        if not row.problem:
            total, count = sums.get(row.car_class, (0.0, 0))
            sums[row.car_class] = total + row.confidence, count + 1
    return {car_class: sums[car_class][0] / sums[car_class][1] for car_class in sorted(sums)}


def part_pixels(rows: Iterable[CatalogueRow]) -> list[int]:
    """Pixels by part id over all usable rows, background first."""
    total: list[int] = []
    for row in rows:
        if not row.problem:
            total = [a + b for a, b in zip(total, row.histogram, strict=True)] if total else list(row.histogram)
    return total


def _classes(counts: Iterable[tuple[CarClass, Split]]) -> list[CarClass]:
    return sorted({car_class for car_class, _ in counts})
