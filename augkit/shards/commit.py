"""The commit record of a shard: the Parquet file that says that its tars are whole, and what is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from augkit.core.errors import ShardError
from augkit.core.storage import Storage
from augkit.core.typed import NotNegative
from augkit.shards.seal import is_sealed, is_whole


@dataclass(frozen=True)
class TarFile:
    """A tar's size in bytes and its sha256; one without members is not written, and has size 0."""

    size: NotNegative
    sha256: str

    @classmethod
    def of(cls, data: bytes) -> TarFile:
        """The figures of a tar's bytes."""
        return cls(len(data), hashlib.sha256(data).hexdigest())


@dataclass(frozen=True)
class Commit:
    """A shard that is whole: the digest of its plan row, its tar and the one aside, its rows, the sha256 of the
    record's own file, and the columns that there are in it."""

    name: str
    row_digest: str
    tar: TarFile
    aside: TarFile
    table: pa.Table
    sha256: str = ""
    columns: tuple[str, ...] = ()

    @property
    def files(self) -> dict[str, int]:
        """The sizes of the shard's tars by name."""
        return {tar_file(self.name): self.tar.size, aside_file(self.name): self.aside.size}


def read_commit(storage: Storage, name: str) -> Commit | None:
    """The commit record of a shard; None where there is none, it is not as it was written, or a tar is missing or cut
    short. Records of earlier versions have no checksum."""
    if not storage.exists(commit_file(name)):
        return None
    try:
        commit = parse_commit(name, storage.read(commit_file(name)))
        whole = all(_has_size(storage, *file) for file in commit.files.items())
    except ShardError:
        return None
    return commit if whole else None


def parse_commit(name: str, data: bytes, columns: Sequence[str] | None = None) -> Commit:
    """The commit record in a file's bytes, with some ``columns`` of its rows or all. Raises ShardError where the bytes
    are not as they were written."""
    found, remedy = f"{commit_file(name)} is no commit record", "delete it and run what made the shards again"
    if is_sealed(data) and not is_whole(data):
        raise ShardError(f"{commit_file(name)} has changed", "the bytes that its checksum was made of", remedy)
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        table = file.read(None if columns is None else list(columns), use_threads=False)  # no thread outlives the call
        about = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        tar, aside = (TarFile(int(about[f"{kind}_size"]), about[f"{kind}_sha256"]) for kind in ("tar", "aside"))
        digest, names = hashlib.sha256(data).hexdigest(), tuple(file.schema_arrow.names)
        return Commit(name, about["row_digest"], tar, aside, table, digest, names)
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise ShardError(f"{found}: {error!r}", "a table with row_digest, tar and aside", remedy) from error


def _has_size(storage: Storage, file: str, size: int) -> bool:
    # Two bytes from the last one on: only a file of exactly this size answers with one.
    return size == 0 or len(storage.read(file, size - 1, 2)) == 1


def tar_file(shard: str) -> str:
    """The name of a shard's tar in its storage."""
    return f"{shard}.tar"


def aside_file(shard: str) -> str:
    """The name of the tar of what a shard keeps aside."""
    return f"aside/{shard}.tar"


def commit_file(shard: str) -> str:
    """The name of a shard's commit record in its storage."""
    return f"commits/{shard}.parquet"


def to_parquet(table: pa.Table, about: Mapping[str, str] | None = None) -> bytes:
    """The table as a Parquet file, with words ``about`` it; the same table gives the same bytes."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, compression="zstd") as writer:
        writer.write_table(table)
        if about:
            writer.add_key_value_metadata(dict(about))
    return bytes(sink.getvalue())
