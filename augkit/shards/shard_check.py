"""What is wrong with one shard: its commit record, its tars, and every member of them against the rows of the index."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from augkit.core.errors import SchemaError, ShardError
from augkit.core.parts import BACKGROUND, PartSchema
from augkit.core.storage import Storage
from augkit.shards.codec import decode_mask
from augkit.shards.commit import TarFile, aside_file, commit_file, parse_commit, tar_file
from augkit.shards.index import INDEX_FILE, ShardEntry
from augkit.shards.mask_check import shows_known_parts
from augkit.shards.writer import MEMBER_FIELDS, member_json

Row: TypeAlias = Mapping[str, Any]
_PLACES = [f"{kind}_{place}" for kind in ("photo", "mask", "full") for place in ("offset", "length", "crc32")]
_COLUMNS = [*MEMBER_FIELDS, "accepted", "photo_ext", *_PLACES]
_BLOCK = 512  # bytes of a tar's header, and what members are filled up to
_PRIME = 65521


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: its kind, the file it is in, and what was found.

    Kinds: ``manifest``, ``index`` and ``plan`` (the data set as a whole), ``commit`` (the record of a shard),
    ``unreadable``, ``size`` and ``sha256`` (a tar), ``missing`` (in the index, not in the tar), ``surplus`` (in the
    tar, not in the index), ``crc``, ``mask`` and ``json`` (a member), ``stray`` (a tar that is not in the manifest).
    """

    kind: str
    file: str
    detail: str


@dataclass(frozen=True)
class TarContent:
    """A tar of the manifest, and the members (kind, extension) that a row has in it, by the row."""

    file: str
    tar: TarFile
    members: Callable[[Row], dict[str, str]]


def contents(shard: ShardEntry) -> list[TarContent]:
    """The two tars of a shard."""
    return [
        TarContent(tar_file(shard.name), shard.tar, lambda row: _pair(row) if row["accepted"] else {}),
        TarContent(
            aside_file(shard.name), shard.aside, lambda row: ({} if row["accepted"] else _pair(row)) | _full(row)
        ),
    ]


def _pair(row: Row) -> dict[str, str]:
    return {"photo": row["photo_ext"], "mask": "mask.png", "json": "json"}


def _full(row: Row) -> dict[str, str]:
    return {} if row["full_offset"] is None else {"full": "full.png"}


@dataclass(frozen=True)
class RowsOfShard:
    """The rows of the index with bytes in a shard: how many there are by file, and what gives them where members are
    looked into."""

    counts: Mapping[str, int]
    table: Callable[[], pa.Table]

    def of(self, content: TarContent) -> list[Row]:
        """Those with bytes in one of its tars, as Python objects."""
        return [row for row in self._plain if content.members(row)]

    @cached_property
    def _plain(self) -> list[Row]:
        return list(self.table().select(_COLUMNS).to_pylist())


def check_shard(
    storage: Storage, shard: ShardEntry, rows: RowsOfShard | None, schema: PartSchema, members: bool
) -> list[Fault]:
    """Its faults; ``rows`` are those of the index with bytes in it, None where the index cannot be read.

    Members of a tar whose checksum is the manifest's are looked into on demand (``members``), and where the manifest,
    of an earlier version, does not know the commit record's.
    """
    faults = _check_commit(storage, shard)
    members = members or bool(faults) or not shard.commit
    return faults + [
        fault for content in contents(shard) for fault in _check_tar(storage, content, rows, schema, members)
    ]


def _check_commit(storage: Storage, shard: ShardEntry) -> list[Fault]:
    """The record says of the tars what the manifest says, and its bytes are those of the manifest, which of earlier
    versions does not know them."""
    file = commit_file(shard.name)
    try:
        commit = parse_commit(shard.name, storage.read(file))
    except ShardError as error:
        return [Fault("commit", file, error.found)]
    if shard.commit not in ("", commit.sha256):
        return [Fault("commit", file, "sha256 differs from the manifest's")]
    same = replace(ShardEntry.of(commit), commit=shard.commit) == shard
    return [] if same else [Fault("commit", file, "says other things of its tars than the manifest")]


def _check_tar(
    storage: Storage, content: TarContent, rows: RowsOfShard | None, schema: PartSchema, members: bool
) -> list[Fault]:
    file, expected = content.file, content.tar
    if not expected.size and (rows is None or not rows.counts.get(file)):
        return []
    try:
        tar = storage.read(file)
    except ShardError as error:
        return [Fault("unreadable", file, str(error))]
    faults = []
    if len(tar) != expected.size:
        faults.append(Fault("size", file, f"{len(tar)} bytes, the manifest says {expected.size}"))
    if TarFile.of(tar).sha256 != expected.sha256:
        faults.append(Fault("sha256", file, f"differs from the manifest's {expected.sha256}"))
    if rows is None or not (faults or members):
        return faults
    return faults + list(_check_members(content, memoryview(tar), rows.of(content), schema))


def _check_members(content: TarContent, tar: memoryview, rows: list[Row], schema: PartSchema) -> Iterator[Fault]:
    file = content.file
    members, twice = _members(tar)
    yield from (Fault("surplus", file, f"{name} a second time") for name in twice)
    for row in rows:
        found = {kind: members.pop(f"{row['key']}.{e}", None) for kind, e in content.members(row).items()}
        if "json" in found:
            text = found.pop("json")
            yield from _check_json(file, row, bytes(text[1]) if text else b"")
        for kind, member in found.items():
            yield from _check_bytes(file, row, kind, member)
            if member is not None and kind != "photo":
                yield from _check_mask(file, row, bytes(member[1]), schema, kind)
    yield from (Fault("surplus", file, f"{name} is not in the index") for name in members)


def _check_bytes(file: str, row: Row, kind: str, member: tuple[int, memoryview] | None) -> Iterator[Fault]:
    what = "exact mask" if kind == "full" else kind
    if member is None:
        yield Fault("missing", file, f"{row['key']}: no {what} in the tar")
    elif (row[f"{kind}_offset"], row[f"{kind}_length"]) != (member[0], len(member[1])):
        yield Fault("index", INDEX_FILE, f"{row['key']}: the {what} is elsewhere in {file}")
    elif zlib.crc32(member[1]) != row[f"{kind}_crc32"]:
        yield Fault("crc", file, f"{row['key']}: the bytes of the {what} have changed")


def _check_mask(file: str, row: Row, data: bytes, schema: PartSchema, kind: str) -> Iterator[Fault]:
    body = kind == "full"  # which alone may show the body, as one part more
    if shows_known_parts(data, row["height"], row["width"], schema.channels + body):
        return
    try:
        mask = decode_mask(data)
        schema.check(np.where(mask == schema.channels, BACKGROUND, mask) if body else mask, row["key"])
    except (ShardError, SchemaError) as error:
        yield Fault("mask", file, f"{row['key']}: {error.found}")
        return
    if mask.shape != (row["height"], row["width"]):
        yield Fault("mask", file, f"{row['key']}: {mask.shape} pixels, the index says {(row['height'], row['width'])}")


def _check_json(file: str, row: Row, data: bytes) -> Iterator[Fault]:
    written = member_json(row)
    if data == written:
        return
    try:
        found, expected = json.loads(data), json.loads(written)
        differing = [name for name in MEMBER_FIELDS if found.get(name) != expected[name]]
    except (ValueError, AttributeError):
        yield Fault("json", file, f"{row['key']}: no JSON of a pair in the tar")
        return
    if differing:
        yield Fault("json", file, f"{row['key']}: {', '.join(differing)} differ from the index")


def _members(tar: memoryview) -> tuple[dict[str, tuple[int, memoryview]], list[str]]:
    """Offset and bytes of each member as far as the headers can be followed, and the names that come twice.

    Headers as ``ShardWriter`` writes them (USTAR without links), a tenth of the time that tarfile takes. What is not
    reached is reported as missing, and the tar's size or sha256 says why.
    """
    members: dict[str, tuple[int, memoryview]] = {}
    twice, place = [], 0
    while (header := _header(tar[place : place + _BLOCK])) is not None:
        name, size = header
        begin = place + _BLOCK
        if begin + size > len(tar):
            break
        if name in members:
            twice.append(name)
        members[name] = (begin, tar[begin : begin + size])
        place = begin + size + -size % _BLOCK
    return members, twice


def _header(block: memoryview) -> tuple[str, int] | None:
    """Name and size of a member; None for what is no header of a file, such as the empty block at the end."""
    header = bytes(block)
    if len(header) < _BLOCK or header[156] not in b"0\0":
        return None
    try:
        size, checksum = int(header[124:136].rstrip(b"\0 "), 8), int(header[148:156].rstrip(b"\0 "), 8)
        name = header[:100].rstrip(b"\0").decode()
    except ValueError:
        return None
    # The checksum is the sum of all bytes, with spaces in its own place. Adler's has such a sum, modulo a prime.
    found = zlib.adler32(header[:148] + b"        " + header[156:]) & 0xFFFF
    return (name, size) if found == (checksum + 1) % _PRIME and size >= 0 else None
