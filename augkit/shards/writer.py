"""One shard: a plain tar of pairs, a tar of what stays aside, and the commit record that says they are whole.

The first holds accepted pairs alone, so that a reader which takes a tar as it comes (webdataset, HF datasets, DALI)
never trains on a pair that the gate rejected. The second, in the folder ``aside``, holds the rejected pairs that have
bytes, and the exact masks of pairs in whose masks the gate ignores pixels: what `augkit gate` needs to judge again.

The same rows and bytes give the same files: members have no owner and no time, and nothing depends on the machine.
"""

from __future__ import annotations

import json
import re
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa

from augkit.core.classes import DOORS, ORIENTATIONS, CarClass
from augkit.core.errors import ShardError
from augkit.core.storage import Storage
from augkit.shards.commit import TarFile, aside_file, commit_file, tar_file, to_parquet
from augkit.shards.seal import BLANK, sealed
from augkit.shards.shard_names import split_of

SPLITS = ("train", "val", "test")
SOURCES = ("real", "generated", "pseudo", "classical", "painted", "rendered")
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
        ("full_offset", pa.int64()),
        ("full_length", pa.int64()),
        ("full_crc32", pa.int64()),
        ("class", pa.string()),
        ("orientation", pa.string()),
        ("doors", pa.string()),
        ("split", pa.string()),
        ("source", pa.string()),
        ("accepted", pa.bool_()),
        ("seed", pa.int64()),
        ("mask_model", pa.string()),
        ("image_model", pa.string()),
        ("exemplar", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("histogram", pa.list_(pa.int64())),
        ("reasons", pa.list_(pa.string())),
        ("look", pa.binary()),
    ]
)
"""Columns of a commit record and of the index, in order; one float64 column ``score_NAME`` a score follows.

``photo_*`` and ``mask_*`` are places in the file that ``home`` names, ``full_*`` (the exact mask, where it differs
from the one to train with) in ``aside_file(shard)``. A row without bytes has neither shard nor places. ``look`` is what
duplicates are searched by (``augkit.data.photo_looks``), null where they are not.
"""

LATER = ("look",)
"""Columns that data sets of earlier versions lack."""

MEMBER_FIELDS = (
    *("key", "class", "orientation", "doors", "split", "source", "seed", "mask_model", "image_model"),
    *("exemplar", "width", "height", "histogram"),
)
"""What a pair's JSON member says. Scores are in the index alone: readers that infer one structure from the first
members (HF datasets) would drop what later ones add, and real and generated pairs differ there."""

# Printable ASCII without dots (the extension starts at the first) and slashes; with ".mask.png" it fits a tar header.
LONGEST_KEY = 90
KEY = rf"[!-\-0-\[\]-~]{{1,{LONGEST_KEY}}}"
_KEY = re.compile(KEY)
_JSON = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True)
class PairRecord:
    """What is known of one pair. ``width``/``height`` and ``histogram`` (by part id) count pixels.

    ``seed`` is 0 and the model hashes are empty for real pairs; ``exemplar`` is the id of the real training photo whose
    appearance a generated one takes over, else empty; ``reasons`` says why a pair was rejected. Raises ShardError for a
    key that no tar can hold (dots, slashes, spaces, over 90 characters) and for unknown words.
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
    exemplar: str = ""
    look: bytes = b""

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
        return {
            **values,
            "look": self.look or None,
            "class": car_class,
            **{SCORE + name: float(scores[name]) for name in sorted(scores)},
        }


class ShardWriter:
    """Collects the pairs of one shard in memory; nothing is written before ``commit``."""

    def __init__(self, storage: Storage, name: str) -> None:
        self._storage, self._name = storage, name
        self._tar, self._aside = bytearray(), bytearray()
        self._rows: dict[str, dict[str, Any]] = {}
        self._committed = False

    def add(self, record: PairRecord, photo: bytes, extension: str, mask: bytes, full: bytes | None = None) -> None:
        """Takes the bytes of a pair's photo (``jpg`` or ``webp``) and mask (PNG); those of a rejected pair go aside.

        ``full`` is the exact mask, where pixels of ``mask`` are ignored that it knows.
        """
        if record.split != split_of(self._name):
            raise ShardError(
                f"{record.key}: a pair of the split {record.split} in {tar_file(self._name)}",
                f"pairs of the split {split_of(self._name)}, since a tar holds one",
                "--fresh removes these shards, which an earlier version planned, and makes new ones",
            )
        if extension not in PHOTO_EXTENSIONS:
            raise ShardError(f"{record.key}: a photo as .{extension}", "one of " + ", ".join(PHOTO_EXTENSIONS))
        row = self._new_row(record)
        row |= {"shard": self._name, "photo_ext": extension}
        tar = self._tar if record.accepted else self._aside
        _place(tar, row, "photo", extension, photo)
        _place(tar, row, "mask", "mask.png", mask)
        if full is not None:
            _place(self._aside, row, "full", "full.png", full)
        _append(tar, f"{record.key}.json", member_json(row))

    def reject(self, record: PairRecord) -> None:
        """Takes a row without bytes: what was tried and why it was not kept."""
        self._new_row(record)["accepted"] = False

    def commit(self, row_digest: str) -> None:
        """Writes the tars and then their commit record; ``row_digest`` names the plan row that they are made for.

        A tar without members is not written: many readers stop at an empty one.
        """
        assert not self._committed, f"{self._name} was committed before"
        self._storage.remove(commit_file(self._name))  # no commit record may outlive the tars that it speaks of
        about = {"row_digest": row_digest}
        for kind, name, data in (
            ("tar", tar_file(self._name), self._tar), ("aside", aside_file(self._name), self._aside),
        ):  # fmt: skip
            whole = bytes(data + _end(len(data))) if data else b""
            if whole:
                self._storage.put(name, whole)
            else:
                self._storage.remove(name)
            file = TarFile.of(whole)
            about |= {f"{kind}_size": str(file.size), f"{kind}_sha256": file.sha256}
        table = to_table(list(self._rows.values())).replace_schema_metadata(about)
        self._storage.put(commit_file(self._name), sealed(to_parquet(table, {"checksum": BLANK})))
        self._committed = True

    def _new_row(self, record: PairRecord) -> dict[str, Any]:
        assert not self._committed, f"{self._name} was committed before"
        if record.key in self._rows:
            raise ShardError(
                f"{self._name}: two pairs with the key {record.key}", "one pair a key", "rename one of them"
            )
        return self._rows.setdefault(record.key, record.row())


def home(row: Mapping[str, Any]) -> str:
    """The file that photo and mask of a row with bytes are in."""
    return tar_file(row["shard"]) if row["accepted"] else aside_file(row["shard"])


def member_json(row: Mapping[str, Any]) -> bytes:
    """The JSON member of a pair, from its row of the index."""
    return _JSON.encode({name: row[name] for name in MEMBER_FIELDS}).encode()


def to_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as a table: ``COLUMNS``, then the score columns by name; null where a row lacks a value."""
    scores = sorted({name for row in rows for name in row if name.startswith(SCORE)})
    schema = pa.schema([*COLUMNS, *((name, pa.float64()) for name in scores)])
    return pa.Table.from_pylist(rows, schema=schema)


def _place(tar: bytearray, row: dict[str, Any], kind: str, extension: str, data: bytes) -> None:
    """Appends a member of the row's pair and notes where it is."""
    row[f"{kind}_offset"] = _append(tar, f"{row['key']}.{extension}", data)
    row[f"{kind}_length"], row[f"{kind}_crc32"] = len(data), zlib.crc32(data)


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
