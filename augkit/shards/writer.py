"""One shard: a plain tar of pairs, and the commit record that says it is whole.

The same rows and bytes give the same files: members have no owner and no time, and nothing depends on the machine.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from augkit.classes import DOORS, ORIENTATIONS, CarClass
from augkit.errors import ShardError
from augkit.shards.storage import Storage

SPLITS = ("train", "val", "test")
SOURCES = ("real", "generated", "classical")
PHOTO_EXTENSIONS = ("jpg", "webp")
SCORE = "score_"

COLUMNS = pa.schema(
    [
        ("key", pa.string()),
        ("shard", pa.string()),
        ("photo_offset", pa.int64()),
        ("photo_length", pa.int64()),
        ("photo_crc32", pa.int64()),
        ("photo_ext", pa.string()),
        ("mask_offset", pa.int64()),
        ("mask_length", pa.int64()),
        ("mask_crc32", pa.int64()),
        ("class", pa.string()),
        ("orientation", pa.string()),
        ("doors", pa.string()),
        ("split", pa.string()),
        ("source", pa.string()),
        ("accepted", pa.bool_()),
        ("seed", pa.int64()),
        ("mask_model", pa.string()),
        ("image_model", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("histogram", pa.list_(pa.int64())),
        ("reasons", pa.list_(pa.string())),
    ]
)
"""Columns of a commit record and of the index, in order; one float64 column ``score_NAME`` a score follows."""

MEMBER_FIELDS = (
    *("key", "class", "orientation", "doors", "split", "source", "seed", "mask_model", "image_model"),
    *("width", "height", "histogram"),
)
"""What a pair's JSON member says. Scores are in the index alone: readers that infer one structure from the first
members (HF datasets) would drop what later ones add, and real and generated pairs differ there."""

# Printable ASCII without dots (the extension starts at the first) and slashes; with ".mask.png" it fits a tar header.
_KEY = re.compile(r"[!-\-0-\[\]-~]{1,90}")


@dataclass(frozen=True)
class PairRecord:
    """What is known of one pair. ``width``/``height`` and ``histogram`` (by part id) count pixels.

    ``seed`` is 0 and the model hashes are empty for real pairs; ``reasons`` says why a pair was rejected. Raises
    ShardError for a key that no tar can hold (dots, slashes, spaces, over 90 characters) and for unknown words.
    """

    key: str
    split: str
    source: str
    orientation: str
    doors: str
    seed: int
    mask_model: str
    image_model: str
    width: int
    height: int
    histogram: list[int]
    scores: dict[str, float] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    accepted: bool = True

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ShardError(
                f"the key {self.key!r}", "1 to 90 letters, digits, - or _; no dots or slashes", "rename it"
            )
        words = {"split": SPLITS, "source": SOURCES, "orientation": ORIENTATIONS, "doors": DOORS}
        for name, known in words.items():
            if getattr(self, name) not in known:
                raise ShardError(f"{self.key}: {name} {getattr(self, name)!r}", "one of " + ", ".join(known))

    def row(self) -> dict[str, Any]:
        """The record's part of a row of the index."""
        values = asdict(self)
        scores = values.pop("scores")
        car_class = CarClass.parse(f"{self.orientation}-{self.doors}").name
        return {**values, "class": car_class, **{SCORE + name: float(scores[name]) for name in sorted(scores)}}


@dataclass(frozen=True)
class Commit:
    """A shard that is whole: the digest of its plan row, the tar's sha256 and size in bytes, and its rows."""

    name: str
    row_digest: str
    sha256: str
    size: int
    table: pa.Table


class ShardWriter:
    """Collects the pairs of one shard in memory; nothing is written before ``commit``."""

    def __init__(self, storage: Storage, name: str) -> None:
        self._storage, self._name = storage, name
        self._tar = bytearray()
        self._rows: dict[str, dict[str, Any]] = {}
        self._committed = False

    def add(self, record: PairRecord, photo: bytes, extension: str, mask: bytes) -> None:
        """Takes an accepted pair: the bytes of its photo (``jpg`` or ``webp``) and mask (PNG)."""
        assert record.accepted, f"{record.key} was rejected: use reject"
        if extension not in PHOTO_EXTENSIONS:
            raise ShardError(f"{record.key}: a photo as .{extension}", "one of " + ", ".join(PHOTO_EXTENSIONS))
        row = self._new_row(record)
        for kind, member, data in (("photo", extension, photo), ("mask", "mask.png", mask)):
            row[f"{kind}_offset"] = _append(self._tar, f"{record.key}.{member}", data)
            row[f"{kind}_length"], row[f"{kind}_crc32"] = len(data), zlib.crc32(data)
        row |= {"shard": self._name, "photo_ext": extension}
        _append(self._tar, f"{record.key}.json", member_json(row))

    def reject(self, record: PairRecord) -> None:
        """Takes a row without bytes: what was tried and why it was not kept."""
        self._new_row(record)["accepted"] = False

    def commit(self, row_digest: str) -> None:
        """Writes the tar and then its commit record; ``row_digest`` names the plan row that they fulfil.

        A shard without pairs has a commit record only: many readers of tars stop at an empty one.
        """
        assert not self._committed, f"{self._name} was committed before"
        tar = bytes(self._tar + _end(len(self._tar))) if self._tar else b""
        self._storage.remove(commit_file(self._name))  # no commit record may outlive the tar that it speaks of
        if tar:
            self._storage.put(tar_file(self._name), tar)
        else:
            self._storage.remove(tar_file(self._name))
        about = {"row_digest": row_digest, "sha256": hashlib.sha256(tar).hexdigest(), "size": str(len(tar))}
        table = to_table(list(self._rows.values())).replace_schema_metadata(about)
        self._storage.put(commit_file(self._name), to_parquet(table))
        self._committed = True

    def _new_row(self, record: PairRecord) -> dict[str, Any]:
        assert not self._committed, f"{self._name} was committed before"
        if record.key in self._rows:
            raise ShardError(
                f"{self._name}: two pairs with the key {record.key}", "one pair a key", "rename one of them"
            )
        return self._rows.setdefault(record.key, record.row())


def read_commit(storage: Storage, name: str) -> Commit | None:
    """The commit record of a shard; None where there is none, it cannot be read, or its tar is missing or cut short."""
    if not storage.exists(commit_file(name)):
        return None
    try:
        table = pq.read_table(pa.BufferReader(storage.read(commit_file(name))))
        about = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        row_digest, sha256, size = about["row_digest"], about["sha256"], int(about["size"])
        # Two bytes from the last one on: only a file of exactly this size answers with one.
        whole = size == 0 or len(storage.read(tar_file(name), size - 1, 2)) == 1
    except (ShardError, pa.ArrowException, OSError, KeyError, ValueError):
        return None
    return Commit(name, row_digest, sha256, size, table) if whole else None


def tar_file(shard: str) -> str:
    """The name of a shard's tar in its storage."""
    return f"{shard}.tar"


def commit_file(shard: str) -> str:
    """The name of a shard's commit record in its storage."""
    return f"commits/{shard}.parquet"


def member_json(row: Mapping[str, Any]) -> bytes:
    """The JSON member of a pair, from its row of the index."""
    return json.dumps({name: row[name] for name in MEMBER_FIELDS}, separators=(",", ":")).encode()


def to_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as a table: ``COLUMNS``, then the score columns by name; null where a row lacks a value."""
    scores = sorted({name for row in rows for name in row if name.startswith(SCORE)})
    schema = pa.schema([*COLUMNS, *((name, pa.float64()) for name in scores)])
    return pa.Table.from_pylist(rows, schema=schema)


def to_parquet(table: pa.Table) -> bytes:
    """The table as a Parquet file; the same table gives the same bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def _append(tar: bytearray, name: str, data: bytes) -> int:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o644
    tar += member.tobuf(tarfile.USTAR_FORMAT)
    offset = len(tar)
    tar += data
    tar += bytes(-len(data) % tarfile.BLOCKSIZE)
    return offset


def _end(size: int) -> bytes:
    # Two empty blocks end a tar, and some tools expect whole records of twenty blocks.
    marker = 2 * tarfile.BLOCKSIZE
    return bytes(marker + -(size + marker) % tarfile.RECORDSIZE)
