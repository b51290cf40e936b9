"""The boxes of Stanford Cars: one car a photo, from the data set's ``.mat`` files or from tables made of them."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from augkit.core.errors import DataError
from augkit.core.regular_file import ANNOTATIONS, read_plain
from augkit.data.importers._matlab import field, load_struct, number, text

Box = tuple[float, float, float, float]

_CORNERS = ("x1", "y1", "x2", "y2")
_FILE_COLUMNS = ("fname", "relative_im_path", "image", "filename")
_UNNAMED = ("fname", *_CORNERS, "class")


@dataclass(frozen=True)
class BoxRow:
    """One photo's row: its file's name, ``train``, ``test`` or nothing, and the box, or what is wrong with it.

    ``box`` is (left, top, right, bottom) in pixels, 0 the photo's edge; the files count pixels from 1 and include the
    last one.
    """

    name: str
    subset: str
    box: Box | None = None
    problem: str = ""


def subset_of(name: str) -> str:
    """``train`` or ``test`` where a name has that word, else nothing: ``cars_train`` -> ``train``."""
    found = re.search(r"(?<![a-z])(train|test)(?![a-z])", name.lower())
    return found[1] if found else ""


def read_boxes(file: Path) -> list[BoxRow]:
    """The rows of a ``.mat`` or ``.csv`` file. Raises DataError where it is neither; a faulty row says so itself."""
    rows = _table(file) if file.suffix.lower() == ".csv" else _structs(file)
    return [_row(place, row, subset_of(file.stem)) for place, row in enumerate(rows, 1)]


def _row(place: int, row: Mapping[str, Any], subset: str) -> BoxRow:
    name = next((row[column] for column in _FILE_COLUMNS if row.get(column)), "")
    if row.get("test") is not None:
        subset = "test" if row["test"] else "train"
    values = [row.get(corner) for corner in _CORNERS]
    if not name:
        return BoxRow(f"row {place}", subset, problem="no file name")
    if not all(isinstance(value, float) and math.isfinite(value) for value in values):
        return BoxRow(name, subset, problem=f"row {place}: a box of {values}; four numbers are expected")
    left, top, right, bottom = (float(value) for value in values if value is not None)
    if right < left or bottom < top:
        return BoxRow(name, subset, problem=f"row {place}: a box from {left:g}, {top:g} to {right:g}, {bottom:g}")
    return BoxRow(name, subset, (left - 1, top - 1, right, bottom))


def _structs(file: Path) -> Iterator[Mapping[str, Any]]:
    for place, record in enumerate(load_struct(file, "annotations"), 1):
        fields = record.dtype.names or ()
        row: dict[str, Any] = {}
        for corner in _CORNERS:
            row[corner] = _or_none(number, record, f"bbox_{corner}", place)
        for column in _FILE_COLUMNS:
            row[column] = _or_none(text, record, column, place) if column in fields else None
        row["test"] = _or_none(number, record, "test", place) if "test" in fields else None
        yield row


def _or_none(read: Any, record: np.void, name: str, place: int) -> Any:
    """A field's value; None where it is not what it should be."""
    try:
        return read(field(record, name, f"annotation {place}"), name)
    except DataError:
        return None


def _table(file: Path) -> list[Mapping[str, Any]]:
    """A table with a line of names, or without: then the columns are file, x1, y1, x2, y2, class."""
    try:
        stream = io.StringIO(read_plain(file, ANNOTATIONS), newline="")
        lines = [[cell.strip() for cell in line] for line in csv.reader(stream, strict=True) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file.name}: {error}", "a CSV file", "correct it") from error
    names = list(_UNNAMED)
    if lines and not any(_float(cell) is not None for cell in lines[0]):
        names = [cell.lower().removeprefix("bbox_") for cell in lines.pop(0)]
        if not set(_CORNERS) <= set(names) or not set(_FILE_COLUMNS) & set(names):
            raise DataError(
                f"{file.name}: columns {', '.join(names)}",
                f"{', '.join(_CORNERS)} (with or without bbox_ before them) and one of {', '.join(_FILE_COLUMNS)}",
                "rename them",
            )
    named = (dict(zip(names, line, strict=False)) for line in lines)
    numbers = {*_CORNERS, "test"}
    return [{name: _float(cell) if name in numbers else cell for name, cell in row.items()} for row in named]


def _float(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
