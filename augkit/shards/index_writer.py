"""An index written from commit records, some thousands of rows at a time, and what is counted of them on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from augkit.core.errors import ShardError
from augkit.shards.commit import Commit
from augkit.shards.tallies import FATES, Tally, tally
from augkit.shards.writer import COLUMNS, SCORE

GROUP = 1 << 17
"""Rows of a row group, and of what is in memory at a time."""


def index_bytes(commits: Iterable[Commit], scores: Iterable[str]) -> bytes:
    """The Parquet file of all rows; the same rows give the same bytes. ``scores`` are the columns of all of them."""
    schema = pa.schema([*COLUMNS, *((name, pa.float64()) for name in sorted(scores))])
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for tables in _groups(commits):
            whole = pa.concat_tables([schema.empty_table(), *tables], promote_options="default")
            writer.write_table(whole.select(schema.names).combine_chunks())
    return bytes(sink.getvalue())


def _groups(commits: Iterable[Commit]) -> Iterator[list[pa.Table]]:
    """At least one, so that an index without rows is one, too."""
    some: list[pa.Table] = []
    for commit in commits:
        some.append(commit.table.replace_schema_metadata(None))
        if sum(map(len, some)) >= GROUP:
            yield some
            some = []
    yield some


def score_columns(names: Iterable[str]) -> set[str]:
    """The columns of scores among these."""
    return {name for name in names if name.startswith(SCORE)}


class CommitTallies:
    """What is counted of commit records that pass by: their rows by ``FATES``, and which keys there are, as
    hashes of eight bytes."""

    def __init__(self) -> None:
        self.fates: Tally = Counter()
        self._hashes: dict[str, NDArray[np.int64]] = {}

    def passing(self, commits: Iterable[Commit]) -> Iterator[Commit]:
        """The records, each counted."""
        for commit in commits:
            self.fates.update(tally(commit.table, *FATES))
            self._hashes[commit.name] = _hashes_of(commit.table)
            yield commit

    def shards_to_compare(self) -> dict[str, set[int]]:
        """Shards with keys that may be in more than one row, and the hashes of these."""
        if not self._hashes:
            return {}
        found, counts = np.unique(np.concatenate(list(self._hashes.values())), return_counts=True)
        twice = found[counts > 1]
        shared = {name: set(own[np.isin(own, twice)].tolist()) for name, own in self._hashes.items()}
        return {name: own for name, own in shared.items() if own}


def check_keys(commits: Iterable[Commit], hashes: dict[str, set[int]]) -> None:
    """Raises ShardError where two rows of these records have one key."""
    counts: Counter[str] = Counter()
    for commit in commits:
        counts.update(key for key in commit.table["key"].to_pylist() if hash(key) in hashes[commit.name])
    twice = sorted(key for key, count in counts.items() if count > 1)
    if twice:
        shown = ", ".join(twice[:5]) + (", ..." if len(twice) > 5 else "")
        raise ShardError(f"{len(twice)} keys in more than one row: {shown}", "one row a key", "make these shards again")


def _hashes_of(table: pa.Table) -> NDArray[np.int64]:
    return np.fromiter(map(hash, table["key"].to_pylist()), np.int64, len(table))
