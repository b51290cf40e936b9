"""Reads every byte of a data set once and says what is not as it was written."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from augkit.core.errors import SchemaError, ShardError
from augkit.core.parquet import open_parquet
from augkit.core.progress import Progress, silent
from augkit.core.storage import Storage
from augkit.shards.commit import aside_file, tar_file
from augkit.shards.index import (
    AGAIN,
    INDEX_FILE,
    MANIFEST_FILE,
    PLAN_FILE,
    Manifest,
    ShardEntry,
    file_of_index,
    load_manifest,
    parse_index,
    reading_index,
    refuse,
    with_later,
)  # fmt: skip
from augkit.shards.index_check import faults_of_rows
from augkit.shards.shard_check import Fault, RowsOfShard, check_shard, contents
from augkit.shards.writer import COLUMNS, LATER, SCORE

__all__ = ["Fault", "verify"]

THREADS = 8
"""At most so many shards are in memory at a time, and never more than there are cores."""

_ROWS = 1 << 16  # of the index at a time


def verify(storage: Storage, progress: Progress = silent, members: bool = False) -> list[Fault]:
    """Every fault of the data set; none where all is as it was written. The card, ``README.md``, is people's to edit.

    Where index, commit record and tar have the checksums that the manifest knows, nothing inside can have changed:
    members are looked into where one of these differs, to name the pairs, and all of them on demand (``members``),
    which finds what was wrong when it was written, too.

    Holds a shard for each core in memory, and the index where members are looked into; tells ``progress`` of each
    shard in its turn.
    """
    try:
        manifest, names = load_manifest(storage), storage.names()
    except (ShardError, SchemaError) as error:
        return [Fault("manifest", MANIFEST_FILE, str(error))]
    index, faults = _check_index(storage, manifest)
    expected = {content.file for shard in manifest.shards for content in contents(shard) if content.tar.size}
    stray = [name for name in names if name.endswith(".tar") and name not in expected]
    faults += [Fault("stray", name, "not in the manifest") for name in stray]
    faults += _check_plan(storage, manifest)
    members = members or bool(faults)

    def check(shard: ShardEntry) -> list[Fault]:
        rows = None if index is None else index.rows(shard.name)
        return check_shard(storage, shard, rows, manifest.schema, members)

    # Checksums and decoding leave the interpreter to other threads.
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        for done, found in enumerate(pool.map(check, manifest.shards), 1):
            faults += found
            progress("shards", done, len(manifest.shards))
    return faults


def by_shard(table: pa.Table) -> Mapping[str, pa.Table]:
    """The rows with bytes of each shard, in one pass; those of a shard lie side by side in an index as it is written,
    and are put side by side where they do not."""
    rows = table.filter(table["shard"].is_valid()).combine_chunks()
    shards = pc.dictionary_encode(rows["shard"].combine_chunks())
    numbers, names = shards.indices.to_numpy(), shards.dictionary.to_pylist()
    if (np.diff(numbers) < 0).any():
        order = np.argsort(numbers, kind="stable")
        rows, numbers = rows.take(pa.array(order)), numbers[order]
    edges = np.searchsorted(numbers, np.arange(len(names) + 1)).tolist()
    return {name: rows.slice(edges[n], edges[n + 1] - edges[n]) for n, name in enumerate(names)}


class _Index:
    """How many rows of an index have bytes in each tar; and they themselves, read when they are first asked for."""

    def __init__(self, storage: Storage) -> None:
        self._storage, self._lock = storage, Lock()
        self._whole: Mapping[str, pa.Table] | None = None
        self.counts: dict[str, Counter[str]] = {number: Counter() for number in ("pairs", "rejected", "full")}

    def read(self, file: IO[bytes]) -> None:
        """Counts the rows of the file, batch by batch. Raises ShardError."""
        with open_parquet(file, COLUMNS, AGAIN, SCORE, LATER) as opened:
            for batch in opened.iter_batches(_ROWS, use_threads=False):
                table = with_later(pa.Table.from_batches([batch]))
                refuse(list(faults_of_rows(table)))
                self._count(table)

    def hold(self, table: pa.Table) -> None:
        """Counts the rows, and keeps them."""
        self._count(table)
        self._whole = by_shard(table)

    def _count(self, table: pa.Table) -> None:
        stored, kept = pc.field("shard").is_valid(), pc.field("accepted")
        chosen = {"pairs": stored & kept, "rejected": stored & ~kept, "full": pc.field("full_offset").is_valid()}
        for number, rows in chosen.items():
            for found in pc.value_counts(table.filter(rows)["shard"]).to_pylist():
                self.counts[number][found["values"]] += found["counts"]

    def rows(self, shard: str) -> RowsOfShard:
        """Those with bytes in a shard."""
        pairs, rejected, full = (counts[shard] for counts in self.counts.values())
        return RowsOfShard({tar_file(shard): pairs, aside_file(shard): rejected + full}, lambda: self._table(shard))

    def _table(self, shard: str) -> pa.Table:
        with self._lock:
            if self._whole is None:
                self._whole = by_shard(parse_index(self._storage.read(INDEX_FILE)))
        return self._whole.get(shard, COLUMNS.empty_table())


def _check_index(storage: Storage, manifest: Manifest) -> tuple[_Index | None, list[Fault]]:
    """In one pass, with some thousands of rows in memory at a time where the index is as it was written."""
    index = _Index(storage)
    try:
        with reading_index(), file_of_index(storage) as file:
            changed = hashlib.file_digest(file, "sha256").hexdigest() != manifest.index_sha256
            file.seek(0)
            if changed:  # its columns need not be of one length: batches may hide that
                index.hold(parse_index(file.read()))
            else:
                index.read(file)
    except ShardError as error:
        return None, [Fault("index", INDEX_FILE, str(error))]
    faults = [Fault("index", INDEX_FILE, "sha256 differs from the manifest's")] if changed else []
    for number in ("pairs", "rejected"):
        counts = index.counts[number]
        expected = {shard.name: getattr(shard, number) for shard in manifest.shards if getattr(shard, number)}
        for name in sorted({*counts, *expected}):
            if counts[name] != expected.get(name, 0):
                found = f"{counts[name]} {number} in the rows of {name}"
                faults.append(Fault("index", INDEX_FILE, f"{found}, the manifest says {expected.get(name, 0)}"))
    return index, faults


def _check_plan(storage: Storage, manifest: Manifest) -> list[Fault]:
    """The plan's file is the one that the manifest names; pairs that were painted one by one have none."""
    if not storage.exists(PLAN_FILE):
        return []
    try:
        found = hashlib.sha256(storage.read(PLAN_FILE)).hexdigest()
    except ShardError as error:
        return [Fault("plan", PLAN_FILE, str(error))]
    return [] if found == manifest.plan_digest else [Fault("plan", PLAN_FILE, "sha256 differs from the manifest's")]
