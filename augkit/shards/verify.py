"""Reads every byte of a data set once and says what is not as it was written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from augkit.core.errors import SchemaError, ShardError
from augkit.core.progress import Progress, silent
from augkit.core.storage import Storage
from augkit.shards.index import INDEX_FILE, MANIFEST_FILE, PLAN_FILE, Manifest, ShardEntry, load_manifest, parse_index
from augkit.shards.shard_check import Fault, check_shard, contents
from augkit.shards.writer import COLUMNS

__all__ = ["Fault", "verify"]

THREADS = 8
"""At most so many shards are in memory at a time, and never more than there are cores."""


def verify(storage: Storage, progress: Progress = silent, members: bool = False) -> list[Fault]:
    """Every fault of the data set; none where all is as it was written. The card, ``README.md``, is people's to edit.

    Where index, commit record and tar have the checksums that the manifest knows, nothing inside can have changed:
    members are looked into where one of these differs, to name the pairs, and all of them on demand (``members``),
    which finds what was wrong when it was written, too.

    Holds the index and a shard for each core in memory, and tells ``progress`` of each shard in its turn.
    """
    try:
        manifest, names = load_manifest(storage), storage.names()
    except (ShardError, SchemaError) as error:
        return [Fault("manifest", MANIFEST_FILE, str(error))]
    table, faults = _check_index(storage, manifest)
    expected = {content.file for shard in manifest.shards for content in contents(shard) if content.tar.size}
    stray = [name for name in names if name.endswith(".tar") and name not in expected]
    faults += [Fault("stray", name, "not in the manifest") for name in stray]
    faults += _check_plan(storage, manifest)
    members = members or bool(faults)
    rows = {} if table is None else by_shard(table)
    none = None if table is None else COLUMNS.empty_table()

    def check(shard: ShardEntry) -> list[Fault]:
        return check_shard(storage, shard, rows.get(shard.name, none), manifest.schema, members)

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


def _check_index(storage: Storage, manifest: Manifest) -> tuple[pa.Table | None, list[Fault]]:
    try:
        data = storage.read(INDEX_FILE)
        changed = hashlib.sha256(data).hexdigest() != manifest.index_sha256
        table = parse_index(data)
    except ShardError as error:
        return None, [Fault("index", INDEX_FILE, str(error))]
    faults = [Fault("index", INDEX_FILE, "sha256 differs from the manifest's")] if changed else []
    for accepted, number in ((True, "pairs"), (False, "rejected")):
        rows = table.filter(pc.field("shard").is_valid() & (pc.field("accepted") == accepted))
        groups = rows.group_by("shard").aggregate([([], "count_all")])
        counts = dict(zip(groups["shard"].to_pylist(), groups["count_all"].to_pylist(), strict=True))
        expected = {shard.name: getattr(shard, number) for shard in manifest.shards if getattr(shard, number)}
        for name in sorted({*counts, *expected}):
            if counts.get(name, 0) != expected.get(name, 0):
                found = f"{counts.get(name, 0)} {number} in the rows of {name}"
                faults.append(Fault("index", INDEX_FILE, f"{found}, the manifest says {expected.get(name, 0)}"))
    return table, faults


def _check_plan(storage: Storage, manifest: Manifest) -> list[Fault]:
    """The plan's file is the one that the manifest names; pairs that were painted one by one have none."""
    if not storage.exists(PLAN_FILE):
        return []
    try:
        found = hashlib.sha256(storage.read(PLAN_FILE)).hexdigest()
    except ShardError as error:
        return [Fault("plan", PLAN_FILE, str(error))]
    return [] if found == manifest.plan_digest else [Fault("plan", PLAN_FILE, "sha256 differs from the manifest's")]
