"""Reads every byte of a data set once and says what is not as it was written."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from augkit.errors import SchemaError, ShardError
from augkit.parts import PartSchema
from augkit.shards.codec import decode_mask
from augkit.shards.index import INDEX_FILE, MANIFEST_FILE, Manifest, ShardEntry, load_manifest, parse_index
from augkit.shards.storage import Storage
from augkit.shards.writer import MEMBER_FIELDS, member_json, tar_file

Progress = Callable[[int, int], None]


def _silent(done: int, total: int) -> None:
    """The null progress."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: its kind, the file it is in, and what was found.

    Kinds: ``manifest`` and ``index`` (the data set as a whole), ``unreadable``, ``size`` and ``sha256`` (a tar),
    ``missing`` (in the index, not in the tar), ``surplus`` (in the tar, not in the index), ``crc``, ``mask`` and
    ``json`` (a member), ``stray`` (a tar that is not in the manifest).
    """

    kind: str
    file: str
    detail: str


def verify(storage: Storage, progress: Progress = _silent) -> list[Fault]:
    """Every fault of the data set; none where all is as it was written.

    Holds one shard in memory at a time, and calls ``progress(shards done, shards in all)`` after each.
    """
    try:
        manifest, names = load_manifest(storage), storage.names()
    except (ShardError, SchemaError) as error:
        return [Fault("manifest", MANIFEST_FILE, str(error))]
    table, faults = _check_index(storage, manifest)
    expected = {tar_file(shard.name) for shard in manifest.shards if shard.pairs}
    stray = [name for name in names if name.endswith(".tar") and name not in expected]
    faults += [Fault("stray", name, "not in the manifest") for name in stray]
    for done, shard in enumerate(manifest.shards, 1):
        rows = table.filter(pc.field("shard") == shard.name).to_pylist() if table is not None else None
        faults += _check_shard(storage, shard, rows, manifest.schema)
        progress(done, len(manifest.shards))
    return faults


def _check_index(storage: Storage, manifest: Manifest) -> tuple[pa.Table | None, list[Fault]]:
    try:
        data = storage.read(INDEX_FILE)
        changed = hashlib.sha256(data).hexdigest() != manifest.index_sha256
        table = parse_index(data)
    except ShardError as error:
        return None, [Fault("index", INDEX_FILE, str(error))]
    faults = [Fault("index", INDEX_FILE, "sha256 differs from the manifest's")] if changed else []
    counts = Counter(table.filter(pc.field("shard").is_valid())["shard"].to_pylist())
    expected = {shard.name: shard.pairs for shard in manifest.shards if shard.pairs}
    for name in sorted({*counts, *expected}):
        if counts[name] != expected.get(name, 0):
            detail = f"{counts[name]} rows of {name}, the manifest says {expected.get(name, 0)}"
            faults.append(Fault("index", INDEX_FILE, detail))
    return table, faults


def _check_shard(
    storage: Storage, shard: ShardEntry, rows: list[dict[str, Any]] | None, schema: PartSchema
) -> list[Fault]:
    file = tar_file(shard.name)
    if not shard.pairs and not rows:
        return []
    try:
        tar = storage.read(file)
    except ShardError as error:
        return [Fault("unreadable", file, str(error))]
    faults = []
    if len(tar) != shard.size:
        faults.append(Fault("size", file, f"{len(tar)} bytes, the manifest says {shard.size}"))
    if hashlib.sha256(tar).hexdigest() != shard.sha256:
        faults.append(Fault("sha256", file, f"differs from the manifest's {shard.sha256}"))
    return faults if rows is None else faults + list(_check_members(file, tar, rows, schema))


def _check_members(file: str, tar: bytes, rows: list[dict[str, Any]], schema: PartSchema) -> Iterator[Fault]:
    members, twice = _members(tar)
    yield from (Fault("surplus", file, f"{name} a second time") for name in twice)
    for row in rows:
        key = row["key"]
        photo, mask, text = (members.pop(f"{key}.{e}", None) for e in (row["photo_ext"], "mask.png", "json"))
        for kind, data in (("photo", photo), ("mask", mask)):
            if data is None:
                yield Fault("missing", file, f"{key}: no {kind} in the tar")
            elif (row[f"{kind}_offset"], row[f"{kind}_length"]) != (data[0], len(data[1])):
                yield Fault("index", INDEX_FILE, f"{key}: the {kind} is elsewhere in {file}")
            elif zlib.crc32(data[1]) != row[f"{kind}_crc32"]:
                yield Fault("crc", file, f"{key}: the bytes of the {kind} have changed")
        if mask is not None:
            yield from _check_mask(file, row, mask[1], schema)
        yield from _check_json(file, row, text[1] if text else b"")
    yield from (Fault("surplus", file, f"{name} is not in the index") for name in members)


def _check_mask(file: str, row: dict[str, Any], data: bytes, schema: PartSchema) -> Iterator[Fault]:
    try:
        mask = decode_mask(data)
        schema.check(mask, row["key"])
    except (ShardError, SchemaError) as error:
        yield Fault("mask", file, f"{row['key']}: {error.found}")
        return
    if mask.shape != (row["height"], row["width"]):
        yield Fault("mask", file, f"{row['key']}: {mask.shape} pixels, the index says {(row['height'], row['width'])}")


def _check_json(file: str, row: dict[str, Any], data: bytes) -> Iterator[Fault]:
    try:
        found = json.loads(data)
        expected = json.loads(member_json(row))
        differing = [name for name in MEMBER_FIELDS if found.get(name) != expected[name]]
    except (ValueError, AttributeError):
        yield Fault("json", file, f"{row['key']}: no JSON of a pair in the tar")
        return
    if differing:
        yield Fault("json", file, f"{row['key']}: {', '.join(differing)} differ from the index")


def _members(tar: bytes) -> tuple[dict[str, tuple[int, bytes]], list[str]]:
    # Offset and bytes of each member as far as the headers can be followed, and the names that come twice.
    members: dict[str, tuple[int, bytes]] = {}
    twice = []
    try:
        with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
            for member in archive:
                if member.name in members:
                    twice.append(member.name)
                members[member.name] = (member.offset_data, tar[member.offset_data : member.offset_data + member.size])
    except tarfile.TarError:
        pass  # the size or sha256 says so already; what is not reached is reported as missing
    return members, twice
