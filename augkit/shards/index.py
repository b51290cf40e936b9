"""The data set that committed shards make: an index of all their rows, and the manifest that says it is complete."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from typing_extensions import TypedDict

from augkit.core.errors import DataError, ShardError
from augkit.core.parquet import open_parquet
from augkit.core.parts import PartSchema
from augkit.core.storage import Storage
from augkit.core.typed import NotNegative, from_json
from augkit.shards.card import write_card
from augkit.shards.commit import Commit, TarFile, commit_file, read_commit, to_parquet
from augkit.shards.index_check import faults_of_ends, faults_of_rows
from augkit.shards.seal import BLANK, is_sealed, is_whole, sealed
from augkit.shards.writer import COLUMNS, LATER, SCORE

INDEX_FILE = "index.parquet"
MANIFEST_FILE = "manifest.json"
WITHDRAWN = "staged/manifest.json"
"""A copy of the manifest while there is none, for who goes on after a kill."""
PLAN_FILE = "plan.json"
FORMAT_VERSION = 3
UNSEALED = 2
"""The format before, without checksums of manifest and commit records; it is still read."""

Where: TypeAlias = pc.Expression | list[tuple[str, str, Any]] | list[list[tuple[str, str, Any]]]
"""A filter of rows: an expression, or pyarrow's list of ``(column, operator, value)``; a list of lists is a choice."""

Counts = dict[str, dict[str, dict[str, int]]]

AGAIN = "run `augkit balance` again: it makes only what is missing"


@dataclass(frozen=True)
class ShardEntry:
    """One shard of a manifest: its tar, of so many accepted ``pairs``, the one aside, of so many ``rejected``, and the
    sha256 of its commit record (empty where an earlier version wrote it)."""

    name: str
    pairs: NotNegative
    tar: TarFile
    rejected: NotNegative
    aside: TarFile
    commit: str = ""

    @classmethod
    def of(cls, commit: Commit) -> ShardEntry:
        """What a commit record says."""
        accepted, stored = commit.table["accepted"], commit.table["shard"].is_valid()
        pairs, bytes_of = (pc.sum(rows, min_count=0).as_py() for rows in (accepted, stored))
        return cls(commit.name, pairs, commit.tar, bytes_of - pairs, commit.aside, commit.sha256)


class _WrittenManifest(TypedDict):
    schema: dict[str, Any]
    shards: list[ShardEntry]
    counts: dict[str, dict[str, dict[str, NotNegative]]]
    index_sha256: str
    plan_digest: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Manifest:
    """What a data set is made of. ``counts`` maps class, source and ``accepted``/``rejected`` to rows."""

    schema: PartSchema
    shards: tuple[ShardEntry, ...]
    counts: Counts
    index_sha256: str
    plan_digest: str
    versions: dict[str, str]

    @property
    def pairs(self) -> int:
        """Accepted pairs in all shards."""
        return sum(shard.pairs for shard in self.shards)

    @property
    def sizes(self) -> dict[tuple[str, bool], int]:
        """Bytes of each tar, by the shard's name and whether it is that of the accepted pairs."""
        of = {True: "tar", False: "aside"}
        return {(shard.name, own): getattr(shard, kind).size for shard in self.shards for own, kind in of.items()}

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "format": FORMAT_VERSION,
            "schema": self.schema.to_dict(),
            "counts": self.counts,
            "shards": [asdict(shard) for shard in self.shards],
            "index_sha256": self.index_sha256,
            "plan_digest": self.plan_digest,
            "versions": dict(sorted(self.versions.items())),
            "checksum": BLANK,
        }

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """Inverse of ``to_dict`` and JSON. Raises ValueError or SchemaError for anything else."""
        data = from_json(_WrittenManifest, text)
        schema, shards = PartSchema.from_dict(data["schema"]), tuple(data["shards"])
        return cls(schema, shards, data["counts"], data["index_sha256"], data["plan_digest"], data["versions"])


def finish(
    storage: Storage, shards: Sequence[str], schema: PartSchema, plan_digest: str, versions: dict[str, str]
) -> Manifest:
    """Makes a data set of committed shards, in this order: writes the index, the card and, last, the manifest.

    Other shards in the storage stay where they are, outside the data set. While this runs there is no manifest, so
    nobody reads an index that does not fit. Raises ShardError for a shard without a commit record and for a key that
    two rows have.
    """
    commits = [_require_commit(storage, name) for name in shards]
    table = _merged(commits)
    _check_keys(table)
    data = to_parquet(table)
    manifest = Manifest(
        schema,
        tuple(ShardEntry.of(commit) for commit in commits),
        count_rows(table),
        hashlib.sha256(data).hexdigest(),
        plan_digest,
        versions,
    )
    withdraw(storage)
    storage.put(INDEX_FILE, data)
    write_card(storage, manifest, table)
    storage.put(MANIFEST_FILE, sealed(json.dumps(manifest.to_dict(), indent=1).encode() + b"\n"))
    storage.remove(WITHDRAWN)
    return manifest


def withdraw(storage: Storage) -> None:
    """Takes the manifest away, so that nobody reads what changes; keeps a copy of it until ``finish``."""
    if storage.exists(MANIFEST_FILE):
        storage.put(WITHDRAWN, storage.read(MANIFEST_FILE))
        storage.remove(MANIFEST_FILE)


def load_manifest(storage: Storage) -> Manifest:
    """The manifest.

    Raises ShardError where there is none (an unfinished data set), one of another version, or one that has changed.
    """
    if not storage.exists(MANIFEST_FILE):
        raise ShardError(
            f"{storage}: no {MANIFEST_FILE}",
            "a finished data set: the manifest is written last",
            f"give the folder that `augkit balance` wrote its shards to, or {AGAIN}",
        )
    text = storage.read(MANIFEST_FILE)
    try:
        data = from_json(dict[str, Any], text)
        version = data["format"]
        if version in (UNSEALED, FORMAT_VERSION):
            if is_sealed(text) or version == FORMAT_VERSION:
                _require_whole(storage, text)
            return Manifest.from_json(text)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ShardError(f"{storage}: {MANIFEST_FILE} is no manifest ({error!r})", "JSON as written", AGAIN) from error
    raise ShardError(
        f"{storage}: a data set of format {version}",
        f"format {FORMAT_VERSION}",
        "read it with the version of augkit that wrote it, or write the shards again with this one",
    )


def _require_whole(storage: Storage, text: bytes) -> None:
    if not is_whole(text):
        raise ShardError(f"{storage}: {MANIFEST_FILE} has changed", "the bytes that its checksum was made of", AGAIN)


def load_index(storage: Storage, where: Where | None = None) -> pa.Table:
    """Rows of the index that ``where`` keeps, rejected ones too.

    Raises ShardError where the data set is unfinished, the index is not the manifest's, or ``where`` names a column
    that the index lacks.
    """
    manifest = load_manifest(storage)
    data = storage.read(INDEX_FILE)
    if hashlib.sha256(data).hexdigest() != manifest.index_sha256:
        raise ShardError(f"{storage}: {INDEX_FILE} has changed", f"sha256 {manifest.index_sha256}", AGAIN)
    table, channels = parse_index(data), manifest.schema.channels
    counts = table.filter(table["shard"].is_valid())["histogram"]
    refuse(list(faults_of_ends(table, manifest.sizes)))
    if not pc.all(pc.equal(pc.list_value_length(counts), channels), min_count=0).as_py():
        refuse([f"a histogram that does not count {channels} parts"])
    return select(table, where)


def plain_rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """The rows as Python objects, which take ten times the memory of the table: some thousands at a time."""
    for batch in table.to_batches(max_chunksize=4096):
        yield from batch.to_pylist()


def parse_index(data: bytes) -> pa.Table:
    """The table in the bytes of an index. Raises ShardError."""
    with reading_index(), open_parquet(data, COLUMNS, AGAIN, SCORE, LATER) as file:
        table = with_later(file.read())
    refuse(list(faults_of_rows(table)))
    return table


@contextmanager
def reading_index() -> Iterator[None]:
    """Raises ShardError for what comes of an index that cannot be read; one for something else stays as it is."""
    try:
        yield
    except ShardError:
        raise
    except DataError as error:
        raise ShardError(f"{INDEX_FILE} cannot be read: {error.found}", error.expected, AGAIN) from error
    except (pa.ArrowException, OSError) as error:
        raise ShardError(f"{INDEX_FILE} cannot be read: {error}", "a Parquet file", AGAIN) from error


def with_later(table: pa.Table) -> pa.Table:
    """The table with the columns that earlier versions did not write, null, in the places where this one does."""
    for name in LATER:
        if name not in table.column_names:
            column = pa.nulls(len(table), COLUMNS.field(name).type)
            table = table.add_column(COLUMNS.get_field_index(name), COLUMNS.field(name), column)
    return table


def refuse(faults: Sequence[str]) -> None:
    """Raises ShardError where the rows of an index have faults."""
    if faults:
        raise ShardError(f"{INDEX_FILE}: {'; '.join(faults[:5])}", "an index as it was written", AGAIN)


def select(table: pa.Table, where: Where | None) -> pa.Table:
    """Rows that ``where`` keeps. Raises ShardError for a column that there is not, or a value of the wrong type."""
    return table if where is None else table.filter(expression_of(table.schema.empty_table(), where))


def expression_of(empty: pa.Table, where: Where) -> pc.Expression:
    """The filter as an expression, which was tried on an ``empty`` table of the columns. Raises ShardError."""
    try:
        expression = where if isinstance(where, pc.Expression) else pq.filters_to_expression(where)
        empty.filter(expression)
        return expression
    except (pa.ArrowException, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else repr(error)
        columns = ", ".join(empty.column_names)
        raise ShardError(
            f"the filter {where}: {reason}", f"columns among {columns}", 'e.g. [("class", "==", "front-left-5")]'
        ) from error


def count_rows(table: pa.Table) -> Counts:
    """Rows a class, source and ``accepted``/``rejected``; only what there is, in alphabetical order."""
    keys = ["class", "source", "accepted"]
    counts: Counts = {}
    groups = table.group_by(keys).aggregate([([], "count_all")])
    for row in groups.sort_by([(key, "ascending") for key in keys]).to_pylist():
        fates = counts.setdefault(row["class"], {}).setdefault(row["source"], {"accepted": 0, "rejected": 0})
        fates["accepted" if row["accepted"] else "rejected"] = row["count_all"]
    return counts


def _require_commit(storage: Storage, name: str) -> Commit:
    commit = read_commit(storage, name)
    if commit is None:
        raise ShardError(
            f"{storage}: {name} is not committed", f"{commit_file(name)}, and the tars it speaks of", AGAIN
        )
    return commit


def _merged(commits: Iterable[Commit]) -> pa.Table:
    tables = [COLUMNS.empty_table(), *(commit.table.replace_schema_metadata(None) for commit in commits)]
    table = pa.concat_tables(tables, promote_options="default")
    scores = sorted(name for name in table.column_names if name.startswith(SCORE))
    return table.select([*COLUMNS.names, *scores]).combine_chunks()


def _check_keys(table: pa.Table) -> None:
    counts = table.group_by("key").aggregate([([], "count_all")])
    twice = sorted(counts.filter(pc.field("count_all") > 1)["key"].to_pylist())
    if twice:
        shown = ", ".join(twice[:5]) + (", ..." if len(twice) > 5 else "")
        raise ShardError(f"{len(twice)} keys in more than one row: {shown}", "one row a key", "make these shards again")
