"""The columns of the index that reading pairs takes, and how worker processes share them."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from augkit.core.errors import ShardError
from augkit.core.storage import Storage
from augkit.shards.index import Manifest, open_index, reading_index, refuse
from augkit.shards.index_check import Where, expression_of, faults_of_pairs

PLACES = ("photo_offset", "photo_length", "photo_crc32", "mask_offset", "mask_length", "mask_crc32")
_WORDS = ("shard", "class", "split")
_NARROW = {f"{k}_{n}": t for k in ("photo", "mask") for n, t in (("length", pa.int32()), ("crc32", pa.uint32()))}
_MOST = 2**31 - 1  # bytes of a column of texts
NAMES = ("key", *_WORDS, *PLACES)


def load_pairs(storage: Storage, manifest: Manifest, where: Where | None) -> pa.Table:
    """The accepted pairs that ``where`` keeps, in the order of the index: ``NAMES`` alone, words as numbers.

    Raises ShardError where the index is not the manifest's or says what no index can, and for a column that it lacks.
    """
    words = _WORDS if where is None else ()  # not every filter takes a dictionary
    with reading_index(), open_index(storage, manifest, words) as opened:
        empty = opened.schema_arrow.empty_table()
        expression = None if where is None else expression_of(empty, where)
        columns, sizes = _Columns(opened.metadata.num_rows), manifest.sizes
        for rows in _accepted(opened, expression):
            refuse(list(faults_of_pairs(rows, sizes)))
            columns.add(rows)
    pa.default_memory_pool().release_unused()
    return columns.table()


def _accepted(opened: pq.ParquetFile, rows: pc.Expression | None) -> Iterator[pa.Table]:
    asked = [name for name in opened.schema_arrow.names if name in (*NAMES, "accepted") or name in str(rows)]
    for batch in opened.iter_batches(1 << 16, columns=asked, use_threads=False):
        keep = pc.and_(batch["accepted"], batch["shard"].is_valid())
        own = pa.Table.from_batches([batch if pc.all(keep, min_count=0).as_py() else batch.filter(keep)])
        yield _with_numbers(own if rows is None else own.filter(rows))


def _with_numbers(rows: pa.Table) -> pa.Table:
    words = {name: _dictionary(rows[name]) for name in _WORDS}
    narrow = {name: rows[name].cast(kind) for name, kind in _NARROW.items()}
    whole = {name: rows[name] for name in NAMES}
    return pa.table(whole | words | narrow)


def _dictionary(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)


class _Columns:
    """Columns laid out once, for at most so many rows without nulls: what is not filled takes no memory."""

    def __init__(self, most: int) -> None:
        self._count, self._keys = 0, bytearray()
        self._ends = np.zeros(most + 1, np.int32)
        self._numbers = {n: np.empty(most, _NARROW.get(n, pa.int64()).to_pandas_dtype()) for n in PLACES}
        self._words = {name: np.empty(most, np.int32) for name in _WORDS}
        self._known: dict[str, dict[str, int]] = {name: {} for name in _WORDS}
        self._last: dict[str, tuple[pa.StringArray, NDArray[np.int32]]] = {}

    def add(self, rows: pa.Table) -> None:
        """Behind those that are there."""
        for batch in rows.to_batches():
            at = slice(self._count, self._count + len(batch))
            ends, data = _texts(batch["key"])
            self._ends[at.start + 1 : at.stop + 1] = ends[1:] - ends[0] + np.int64(len(self._keys))
            self._keys += data[ends[0] : ends[-1]]
            if len(self._keys) > _MOST:
                raise ShardError(f"keys of over {_MOST} bytes", "some forty million pairs", "open parts of it by where")
            for name, column in self._numbers.items():
                column[at] = batch[name].to_numpy()
            for name, column in self._words.items():
                column[at] = self._numbers_of(name, batch[name].dictionary)[batch[name].indices.to_numpy()]
            self._count = at.stop

    def _numbers_of(self, name: str, words: pa.StringArray) -> NDArray[np.int32]:
        if name not in self._last or not self._last[name][0].equals(words):  # all batches of a row group have the same
            known = self._known[name]
            numbers = [known.setdefault(word, len(known)) for word in words.to_pylist()]
            self._last[name] = words, np.array(numbers, np.int32)
        return self._last[name][1]

    def table(self) -> pa.Table:
        """All of them; nothing is copied."""
        ends, data = (pa.py_buffer(part) for part in (self._ends[: self._count + 1], self._keys))
        columns = {"key": pa.StringArray.from_buffers(self._count, ends, data)}
        for name, numbers in self._words.items():
            words = pa.array(self._known[name], pa.string())
            columns[name] = pa.DictionaryArray.from_arrays(pa.array(numbers[: self._count]), words)
        return pa.table(columns | {name: pa.array(column[: self._count]) for name, column in self._numbers.items()})


def _texts(column: pa.StringArray) -> tuple[NDArray[np.int32], memoryview]:
    """Where each begins, and the last one ends, and all their bytes."""
    _, ends, data = column.buffers()
    begins = np.frombuffer(ends or bytes(4), np.int32)[column.offset :][: len(column) + 1]
    return begins, memoryview(data or b"")


class Texts:
    """Texts of a column, one at a time: pyarrow takes some microseconds to make a ``str``, this a fraction of one."""

    def __init__(self, column: pa.StringArray) -> None:
        self._ends, self._data = _texts(column)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, row: int) -> str:
        """That of a row, counted from the first."""
        return str(self._data[self._ends.item(row) : self._ends.item(row + 1)], "utf-8")


SMALL = 1 << 19
"""Bytes of a table that travels as it is."""


@dataclass(frozen=True)
class TableHandle:
    """What another process gets at a table by: a file that both map, or the small table itself, or nothing."""

    path: str | None = None
    small: bytes | None = None

    def table(self) -> pa.Table | None:
        """None where there is none, or the file has gone with the process that wrote it."""
        if self.small is not None:
            return pa.ipc.open_file(pa.BufferReader(self.small)).read_all()
        try:
            return None if self.path is None else pa.ipc.open_file(pa.memory_map(self.path)).read_all()
        except (OSError, pa.ArrowException):
            return None


class SharedTable:
    """A table that worker processes of this machine share: they map a file that is written when they are started.

    The file lives as long as this object in the process that wrote it.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self._handle: TableHandle | None = None

    def handle(self) -> TableHandle:
        """Without a table where there is no room for the file: whoever needs it opens the index again."""
        if self._handle is None:
            self._handle = TableHandle(small=self._bytes()) if self.table.nbytes < SMALL else self._file()
        return self._handle

    def _bytes(self) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, self.table.schema) as writer:
            writer.write_table(self.table)
        return bytes(sink.getvalue())

    def _file(self) -> TableHandle:
        try:
            number, path = tempfile.mkstemp(prefix="augkit-pairs-", suffix=".arrow")
            weakref.finalize(self, _remove, path, os.getpid())
            with os.fdopen(number, "wb") as file, pa.ipc.new_file(file, self.table.schema) as writer:
                writer.write_table(self.table)
        except OSError:
            return TableHandle()
        return TableHandle(path)


def _remove(path: str, owner: int) -> None:
    if os.getpid() == owner:  # a forked process collects objects that are not its own
        Path(path).unlink(missing_ok=True)
