"""The data set that committed shards make: an index of all their rows, and the manifest that says it is complete."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from typing_extensions import TypedDict

from augkit.core.errors import DataError, ShardError
from augkit.core.parquet import open_parquet
from augkit.core.parts import PartSchema
from augkit.core.regular_file import WEIGHTS, size_of_regular
from augkit.core.storage import LocalStorage, Storage
from augkit.core.typed import NotNegative, from_json
from augkit.core.workspace import CLASSICAL, PAINTED, RENDERED, SHARDS
from augkit.shards.card import CardCounts, write_card
from augkit.shards.commit import Commit, TarFile, commit_file, read_commit
from augkit.shards.index_check import Where, faults_of_ends, faults_of_rows, select
from augkit.shards.index_writer import CommitTallies, check_keys, index_bytes, score_columns
from augkit.shards.seal import BLANK, is_sealed, is_whole, sealed
from augkit.shards.tallies import Counts, counts_of
from augkit.shards.writer import COLUMNS, LATER, SCORE

INDEX_FILE = "index.parquet"
MANIFEST_FILE = "manifest.json"
WITHDRAWN = "staged/manifest.json"
"""A copy of the manifest while there is none, for who goes on after a kill."""
PLAN_FILE = "plan.json"
FORMAT_VERSION = 3
UNSEALED = 2
"""The format before, without checksums of manifest and commit records; it is still read."""

_BELOW = (SHARDS, CLASSICAL, RENDERED, PAINTED)  # of a workspace that was given in place of its shards

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


class _Versioned(TypedDict):
    format: Any


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
        own = {(shard.name, True): shard.tar.size for shard in self.shards}
        return own | {(shard.name, False): shard.aside.size for shard in self.shards}

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
    storage: Storage, shards: Sequence[str], schema: PartSchema, plan_digest: str, versions: dict[str, str],
    *, scores: Iterable[str] | None = None,
) -> Manifest:  # fmt: skip
    """Makes a data set of committed shards, in this order: writes the index, the card and, last, the manifest.

    Other shards in the storage stay where they are, outside the data set. While this runs there is no manifest, so
    nobody reads an index that does not fit. Of the rows some thousands are in memory at a time, and the index as it is
    stored. Commit records are read twice; once where the columns of their ``scores`` are given. Raises ShardError for a
    shard without a commit record and for a key that two rows have.
    """

    def commits(names: Iterable[str]) -> Iterator[Commit]:
        return (_require_commit(storage, name) for name in names)

    named = scores if scores is not None else (n for commit in commits(shards) for n in commit.table.column_names)
    entries: list[ShardEntry] = []
    tallies, card = CommitTallies(), CardCounts()
    data = index_bytes(tallies.passing(_noted(commits(shards), entries, card)), score_columns(named))
    hashes = tallies.shards_to_compare()
    check_keys(commits(hashes), hashes)
    digest, counts = hashlib.sha256(data).hexdigest(), counts_of(tallies.fates)
    manifest = Manifest(schema, tuple(entries), counts, digest, plan_digest, versions)
    withdraw(storage)
    storage.put(INDEX_FILE, data)
    write_card(storage, manifest, card)
    storage.put(MANIFEST_FILE, sealed(json.dumps(manifest.to_dict(), indent=1).encode() + b"\n"))
    storage.remove(WITHDRAWN)
    return manifest


def _noted(commits: Iterable[Commit], entries: list[ShardEntry], card: CardCounts) -> Iterator[Commit]:
    for commit in commits:
        entries.append(ShardEntry.of(commit))
        card.add(commit.table)
        yield commit


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
        below = next((name for name in _BELOW if storage.exists(f"{name}/{MANIFEST_FILE}")), "")
        missing = isinstance(storage, LocalStorage) and not storage.root.is_dir()
        raise ShardError(
            f"{storage}: no {MANIFEST_FILE}{', for there is no such folder' if missing else ''}",
            "a finished data set: the manifest is written last",
            f"give {storage}/{below}"
            if below
            else f"give the folder that `augkit balance` wrote its shards to, or {AGAIN}",
        )
    text = storage.read(MANIFEST_FILE)
    try:
        version = from_json(_Versioned, text)["format"]
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


def open_index(storage: Storage, manifest: Manifest, words: Collection[str] = ()) -> pq.ParquetFile:
    """The file of a manifest's index, for use in a ``with`` statement; of a local folder nothing but its footer comes
    into memory. The columns ``words`` are read as dictionaries. Raises ShardError where it is another file, or no
    index."""
    with reading_index():
        file = file_of_index(storage)
        if hashlib.file_digest(file, "sha256").hexdigest() != manifest.index_sha256:
            raise ShardError(f"{storage}: {INDEX_FILE} has changed", f"sha256 {manifest.index_sha256}", AGAIN)
        file.seek(0)
        return open_parquet(file, COLUMNS, AGAIN, SCORE, LATER, words=words)


def file_of_index(storage: Storage) -> pa.NativeFile:
    """Its bytes; of a local folder nothing comes into memory before it is read."""
    if isinstance(storage, LocalStorage):
        path = storage.path(INDEX_FILE)
        size_of_regular(path, WEIGHTS)
        return pa.OSFile(str(path))
    return pa.BufferReader(storage.read(INDEX_FILE))


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


def _require_commit(storage: Storage, name: str) -> Commit:
    commit = read_commit(storage, name)
    if commit is None:
        raise ShardError(
            f"{storage}: {name} is not committed", f"{commit_file(name)}, and the tars it speaks of", AGAIN
        )
    return commit
