"""Parquet files from outside: opened only where their columns are what they should be, and few enough for memory."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from augkit.core.disk_faults import refusal_or
from augkit.core.errors import DataError
from augkit.core.regular_file import WEIGHTS, size_of_regular
from augkit.core.typed import from_plain

_Rows = TypeVar("_Rows")

_ROWS_A_BYTE, _VALUES_A_ROW = 8, 300
"""No table of ours comes near it: each row has a name of its own, and lists are as long as there are parts. A file of a
few kilobytes may claim billions of rows."""


def open_parquet(
    source: Path | bytes | pa.NativeFile,
    columns: pa.Schema,
    again: str,
    more: str | None = None,
    later: Collection[str] = (),
    *,
    words: Collection[str] = (),
) -> pq.ParquetFile:
    """The file, of which nothing but the footer was read, for use in a ``with`` statement.

    Raises DataError where it is no Parquet file, lacks one of the ``columns``, has one of another type, or has others
    than those and than the float columns that begin with ``more``. ``again`` is the remedy. The ``later`` ones of the
    columns may be missing. Those of ``words`` are read as dictionaries, several times as fast where values repeat.
    """
    name = str(source) if isinstance(source, Path) else "the table"
    # Native files alone: Arrow's threads let go of a Python file's bytes when they like, and abort a process that ends.
    opened = pa.BufferReader(source) if isinstance(source, bytes) else source
    try:
        size = size_of_regular(opened, WEIGHTS) if isinstance(opened, Path) else opened.size()
        file = pq.ParquetFile(opened, read_dictionary=list(words))
    except (OSError, ValueError, pa.ArrowException) as error:  # ValueError: a name that is no UTF-8
        raise DataError(f"{name}: {error}", *refusal_or(error, "a Parquet file", again)) from error
    try:
        fault = _fault(file, columns, more, later, size=size, words=words)
    except (OSError, ValueError, pa.ArrowException) as error:
        fault = str(error)
    if fault:
        file.close()
        raise DataError(f"{name}: {fault}", f"the columns {', '.join(columns.names)}", again)
    return file


def read_rows(kind: type[_Rows], path: Path, columns: pa.Schema, what: str, again: str) -> _Rows:
    """All rows of a small table, as ``kind`` (a list of some dataclass); none where there is no file.

    Raises DataError as ``open_parquet`` does, and where a row does not fit.
    """
    if not path.is_file():
        return kind()
    with open_parquet(path, columns, again) as file:
        try:
            return from_plain(kind, file.read().to_pylist())
        except (OSError, ValueError, pa.ArrowException) as error:
            raise DataError(f"{path}: {error}", what, again) from error


def _fault(
    file: pq.ParquetFile,
    columns: pa.Schema,
    more: str | None,
    later: Collection[str],
    *,
    size: int,
    words: Collection[str],
) -> str:
    found, meta = file.schema_arrow, file.metadata
    names = [name for name in found.names if more is None or not name.startswith(more)]
    if [*names, *(name for name in columns.names if name in later and name not in names)] != columns.names:
        return f"columns {', '.join(found.names)}"
    for field in found:
        kind = columns.field(field.name).type if field.name in columns.names else pa.float64()
        own = field.type.value_type if field.name in words and pa.types.is_dictionary(field.type) else field.type
        if own != kind:
            return f"the column {field.name} of type {own}; {kind} is expected"
    groups = [meta.row_group(number) for number in range(meta.num_row_groups)]
    # Of lists alone: others have a value a row, and what the footer says of a column ends the process where it is
    # damaged and asked for (apache/arrow#45283), while a read tells.
    lists = [n for n in range(len(file.schema)) if file.schema.column(n).max_repetition_level]
    most = max((group.column(n).num_values for group in groups for n in lists), default=0)
    if meta.num_rows > _ROWS_A_BYTE * size or most > _VALUES_A_ROW * max(1, meta.num_rows):
        return f"{meta.num_rows} rows and {most} values of a column in {size} bytes"
    return ""
