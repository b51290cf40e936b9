"""Reads every byte of a data set once and says what is not as it was written."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from augkit.core.errors import SchemaError, ShardError
from augkit.core.parts import PartSchema
from augkit.core.progress import Progress, silent
from augkit.core.storage import Storage
from augkit.shards.codec import decode_mask
from augkit.shards.commit import TarFile, aside_file, commit_file, parse_commit, tar_file
from augkit.shards.index import (
    INDEX_FILE,
    MANIFEST_FILE,
    PLAN_FILE,
    Manifest,
    ShardEntry,
    load_manifest,
    parse_index,
)
from augkit.shards.writer import MEMBER_FIELDS, member_json


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


def verify(storage: Storage, progress: Progress = silent) -> list[Fault]:
    """Every fault of the data set; none where all is as it was written. The card, ``README.md``, is people's to edit.

    Holds one shard in memory at a time, and tells ``progress`` after each.
    """
    try:
        manifest, names = load_manifest(storage), storage.names()
    except (ShardError, SchemaError) as error:
        return [Fault("manifest", MANIFEST_FILE, str(error))]
    table, faults = _check_index(storage, manifest)
    contents = {shard.name: _contents(shard) for shard in manifest.shards}
    expected = {content.file for both in contents.values() for content in both if content.tar.size}
    stray = [name for name in names if name.endswith(".tar") and name not in expected]
    faults += [Fault("stray", name, "not in the manifest") for name in stray]
    faults += _check_plan(storage, manifest)
    faults += [fault for shard in manifest.shards for fault in _check_commit(storage, shard)]
    for done, (shard, both) in enumerate(contents.items(), 1):
        rows = None if table is None else table.filter(pc.field("shard") == shard).to_pylist()
        faults += [fault for content in both for fault in _check_tar(storage, content, rows, manifest.schema)]
        progress("shards", done, len(contents))
    return faults


@dataclass(frozen=True)
class _Content:
    """A tar of the manifest, and the members (kind, extension) that a row has in it, by the row."""

    file: str
    tar: TarFile
    members: Callable[[dict[str, Any]], dict[str, str]]


def _contents(shard: ShardEntry) -> list[_Content]:
    return [
        _Content(tar_file(shard.name), shard.tar, lambda row: _pair(row) if row["accepted"] else {}),
        _Content(aside_file(shard.name), shard.aside, lambda row: ({} if row["accepted"] else _pair(row)) | _full(row)),
    ]


def _pair(row: dict[str, Any]) -> dict[str, str]:
    return {"photo": row["photo_ext"], "mask": "mask.png", "json": "json"}


def _full(row: dict[str, Any]) -> dict[str, str]:
    return {} if row["full_offset"] is None else {"full": "full.png"}


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
        counts = Counter(rows["shard"].to_pylist())
        expected = {shard.name: getattr(shard, number) for shard in manifest.shards if getattr(shard, number)}
        for name in sorted({*counts, *expected}):
            if counts[name] != expected.get(name, 0):
                detail = f"{counts[name]} {number} in the rows of {name}, the manifest says {expected.get(name, 0)}"
                faults.append(Fault("index", INDEX_FILE, detail))
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
    storage: Storage, content: _Content, rows: list[dict[str, Any]] | None, schema: PartSchema
) -> list[Fault]:
    file, expected = content.file, content.tar
    owners = [row for row in rows or [] if content.members(row)]
    if not expected.size and not owners:
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
    return faults if rows is None else faults + list(_check_members(content, tar, owners, schema))


def _check_members(content: _Content, tar: bytes, rows: list[dict[str, Any]], schema: PartSchema) -> Iterator[Fault]:
    file = content.file
    members, twice = _members(tar)
    yield from (Fault("surplus", file, f"{name} a second time") for name in twice)
    for row in rows:
        found = {kind: members.pop(f"{row['key']}.{e}", None) for kind, e in content.members(row).items()}
        if "json" in found:
            text = found.pop("json")
            yield from _check_json(file, row, text[1] if text else b"")
        for kind, member in found.items():
            yield from _check_bytes(file, row, kind, member)
            if member is not None and kind != "photo":
                yield from _check_mask(file, row, member[1], schema)
    yield from (Fault("surplus", file, f"{name} is not in the index") for name in members)


def _check_bytes(file: str, row: dict[str, Any], kind: str, member: tuple[int, bytes] | None) -> Iterator[Fault]:
    what = "exact mask" if kind == "full" else kind
    if member is None:
        yield Fault("missing", file, f"{row['key']}: no {what} in the tar")
    elif (row[f"{kind}_offset"], row[f"{kind}_length"]) != (member[0], len(member[1])):
        yield Fault("index", INDEX_FILE, f"{row['key']}: the {what} is elsewhere in {file}")
    elif zlib.crc32(member[1]) != row[f"{kind}_crc32"]:
        yield Fault("crc", file, f"{row['key']}: the bytes of the {what} have changed")


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
