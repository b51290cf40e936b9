"""The columns of the index that reading pairs takes, and how worker processes share them."""

from __future__ import annotations

import os
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from augkit.core.storage import Storage
from augkit.shards.index import Manifest, Where, expression_of, open_index, reading_index, refuse
from augkit.shards.index_check import faults_of_pairs
from augkit.shards.writer import COLUMNS

PLACES = ("photo_offset", "photo_length", "photo_crc32", "mask_offset", "mask_length", "mask_crc32")
_WORDS = ("shard", "class", "split")
_NARROW = {f"{k}_{n}": t for k in ("photo", "mask") for n, t in (("length", pa.int32()), ("crc32", pa.uint32()))}
NAMES = ("key", *_WORDS, *PLACES)


def load_pairs(storage: Storage, manifest: Manifest, where: Where | None) -> pa.Table:
    """The accepted pairs that ``where`` keeps, in the order of the index: ``NAMES`` alone, words as numbers.

    Raises ShardError where the index is not the manifest's or says what no index can, and for a column that it lacks.
    """
    with reading_index(), open_index(storage, manifest) as opened:
        empty = opened.schema_arrow.empty_table()
        table = _read(opened, None if where is None else expression_of(empty, where))
    refuse(list(faults_of_pairs(table, manifest.sizes)))
    return table


def _read(opened: pq.ParquetFile, rows: pc.Expression | None) -> pa.Table:
    """A batch after the other, and joined a column after the other: little more memory than the result takes."""
    asked = [name for name in opened.schema_arrow.names if name in (*NAMES, "accepted") or name in str(rows)]
    batches = [_with_numbers(COLUMNS.empty_table())]
    for batch in opened.iter_batches(1 << 16, columns=asked, use_threads=False):
        keep = pc.and_(batch["accepted"], batch["shard"].is_valid())
        own = pa.Table.from_batches([batch if pc.all(keep, min_count=0).as_py() else batch.filter(keep)])
        batches.append(_with_numbers(own if rows is None else own.filter(rows)))
        pa.default_memory_pool().release_unused()  # it would keep as much again for later
    table = pa.concat_tables(batches).unify_dictionaries()
    columns = {name: table[name] for name in NAMES}
    del batches, table
    for name in NAMES:
        columns[name] = columns[name].combine_chunks()
        pa.default_memory_pool().release_unused()
    return pa.table(columns)


def _with_numbers(rows: pa.Table) -> pa.Table:
    words = {name: pc.dictionary_encode(rows[name]) for name in _WORDS}
    narrow = {name: rows[name].cast(kind) for name, kind in _NARROW.items()}
    whole = {name: rows[name] for name in NAMES}
    return pa.table(whole | words | narrow)


class Texts:
    """Texts of a column, one at a time: pyarrow takes some microseconds to make a ``str``, this a fraction of one."""

    def __init__(self, column: pa.StringArray) -> None:
        _, ends, data = column.buffers()
        self._ends = np.frombuffer(ends or bytes(4), np.int32)[column.offset :][: len(column) + 1]
        self._data = memoryview(data or b"")

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
