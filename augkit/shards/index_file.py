"""The index of a data set as a file: of its rows and columns no more is in memory than is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from augkit.core.storage import Storage
from augkit.shards.index import load_manifest, open_index, reading_index, refuse, with_later
from augkit.shards.index_check import faults_of_ends, faults_of_rows
from augkit.shards.writer import COLUMNS

BATCH = 1 << 16
"""Rows at a time."""


class IndexFile:
    """The index of a finished data set, as it was when this was made: it stays open.

    Raises ShardError where the data set is unfinished, or the index is not the manifest's; what reads it raises one
    for rows that say what no index can.
    """

    def __init__(self, storage: Storage) -> None:
        self.manifest = load_manifest(storage)
        self._file = open_index(storage, self.manifest)
        self.columns: list[str] = with_later(self._file.schema_arrow.empty_table()).column_names

    def __len__(self) -> int:
        return int(self._file.metadata.num_rows)

    def tables(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """All rows in their order, with these columns alone."""
        for batch in self._batches(range(self._file.num_row_groups), columns):
            table = _with_columns(batch, columns)
            self._check(table)
            yield table
            del batch, table
            pa.default_memory_pool().release_unused()  # it would keep as much again for later

    def at(self, places: Sequence[int] | NDArray[np.intp]) -> list[dict[str, Any]]:
        """The rows of these places as Python objects, with all columns; meant for some hundreds."""
        order = np.unique(np.asarray(places, np.int64))
        taken = [self._checked_rows(batch, own) for batch, own in self._holding(order)]
        rows = dict(zip(order.tolist(), pa.concat_tables(taken).to_pylist(), strict=True)) if taken else {}
        return [rows[int(place)] for place in places]

    def _holding(self, order: NDArray[np.int64]) -> Iterator[tuple[pa.RecordBatch, NDArray[np.int64]]]:
        """Batches with some of the rows, and which rows of them these are."""
        begin = 0
        for group in range(self._file.num_row_groups):
            end = begin + self._file.metadata.row_group(group).num_rows
            first, last = np.searchsorted(order, (begin, end))
            if first < last:
                for batch in self._batches([group], self.columns):
                    here = order[(order >= begin) & (order < begin + len(batch))] - begin
                    begin += len(batch)
                    if len(here):
                        yield batch, here
                    if begin > order[last - 1]:
                        break
            begin = end

    def _checked_rows(self, batch: pa.RecordBatch, places: NDArray[np.int64]) -> pa.Table:
        table = _with_columns(batch.take(pa.array(places)), self.columns)
        self._check(table)
        refuse(list(faults_of_ends(table, self.manifest.sizes)))
        return table

    def _batches(self, groups: Sequence[int], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        there = [name for name in columns if name in self._file.schema_arrow.names]
        with reading_index():
            yield from self._file.iter_batches(BATCH, row_groups=list(groups), columns=there, use_threads=False)

    def _check(self, table: pa.Table) -> None:
        refuse(list(faults_of_rows(table)))
        if {"shard", "histogram"} <= set(table.column_names):
            counts, channels = table.filter(table["shard"].is_valid())["histogram"], self.manifest.schema.channels
            if not pc.all(pc.equal(pc.list_value_length(counts), channels), min_count=0).as_py():
                refuse([f"a histogram that does not count {channels} parts"])


def _with_columns(batch: pa.RecordBatch, columns: Sequence[str]) -> pa.Table:
    """These columns; null where an earlier version did not write them."""
    there = batch.schema.names
    return pa.table(
        {name: batch[name] if name in there else pa.nulls(len(batch), COLUMNS.field(name).type) for name in columns}
    )
