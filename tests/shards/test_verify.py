from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from augkit.cli import _app
from augkit.core.errors import ShardError
from augkit.core.object_store import FsspecStorage
from augkit.core.storage import LocalStorage
from augkit.shards import shard_check
from augkit.shards.codec import encode_mask
from augkit.shards.commit import aside_file, tar_file, to_parquet
from augkit.shards.index import INDEX_FILE, MANIFEST_FILE, finish, load_index
from augkit.shards.index_check import faults_of_rows
from augkit.shards.shard_check import _members
from augkit.shards.verify import Fault, verify
from augkit.shards.writer import ShardWriter

from .pairs import SCHEMA, SHARDS, Pairs, make_pair, make_record, write_dataset, write_shard

DataSet = tuple[LocalStorage, Pairs]
TAR = tar_file(SHARDS[1])


def kinds(faults: list[Fault]) -> set[tuple[str, str]]:
    return {(fault.kind, fault.file) for fault in faults}


def change_tar(storage: LocalStorage, change: Callable[[dict[str, bytes]], None]) -> None:
    """Rewrites the second shard's members, with the same member layout as the writer's."""
    members: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(storage.read(TAR))) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            assert stream is not None
            members[member.name] = stream.read()
    change(members)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    storage.put(TAR, buffer.getvalue())


def test_finds_nothing_where_nothing_is_wrong(dataset: DataSet) -> None:
    seen: list[tuple[str, int, int]] = []
    assert verify(dataset[0], lambda *about: seen.append(about)) == []
    assert seen == [("shards", 1, 3), ("shards", 2, 3), ("shards", 3, 3)]


def test_looks_into_tars_where_a_checksum_differs_or_on_demand(
    dataset: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, _ = dataset
    seen: list[str] = []
    found = shard_check._check_members
    monkeypatch.setattr(
        shard_check, "_check_members", lambda content, *more: seen.append(content.file) or found(content, *more)
    )
    assert not verify(storage) and not seen
    assert not verify(storage, members=True) and tar_file(SHARDS[0]) in seen
    seen.clear()
    path = storage.path(tar_file(SHARDS[0]))
    path.write_bytes(path.read_bytes() + b"x")
    assert verify(storage) and seen == [tar_file(SHARDS[0])]


def test_of_the_index_some_rows_are_in_memory_at_a_time(dataset: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them where members are looked into, once."""
    storage, held = dataset[0], list[int]()
    total = len(load_index(storage))

    def noting(table: pa.Table) -> Iterator[str]:
        held.append(len(table))
        return faults_of_rows(table)

    monkeypatch.setattr("augkit.shards.verify._ROWS", 3)
    monkeypatch.setattr("augkit.shards.verify.faults_of_rows", noting)
    monkeypatch.setattr("augkit.shards.index.faults_of_rows", noting)
    assert verify(storage) == [] and max(held) <= 3 and sum(held) == total
    held.clear()
    assert verify(storage, members=True) == [] and held.count(total) == 1


def test_a_flipped_bit_of_the_index_is_found(dataset: DataSet) -> None:
    """Also where the columns are of different lengths then, which only the whole table tells."""
    storage = dataset[0]
    path = storage.path(INDEX_FILE)
    before = path.read_bytes()
    for place in range(4, 240, 5):  # the first columns
        path.write_bytes(before[:place] + bytes([before[place] ^ 1]) + before[place + 1 :])
        assert ("index", INDEX_FILE) in {(fault.kind, fault.file) for fault in verify(storage)}
    path.write_bytes(before)
    assert verify(storage) == []


def test_works_through_fsspec() -> None:
    storage = FsspecStorage("memory://verify")
    write_dataset(storage)
    assert verify(storage) == []


def test_every_flipped_bit_of_a_shard_is_found(dataset: DataSet) -> None:
    storage, _ = dataset
    whole = storage.read(TAR)
    for place in np.random.default_rng(0).integers(0, len(whole), 40).tolist():
        tar = bytearray(whole)
        tar[place] ^= 1 << (place % 8)
        storage.put(TAR, bytes(tar))
        assert ("sha256", TAR) in kinds(verify(storage)), place


@pytest.mark.parametrize("kind", ["photo", "mask"])
def test_a_flipped_bit_of_a_member_names_its_pair(dataset: DataSet, kind: str) -> None:
    storage, _ = dataset
    row = load_index(storage, [("key", "==", "made-1")]).to_pylist()[0]
    tar = bytearray(storage.read(TAR))
    tar[row[f"{kind}_offset"] + row[f"{kind}_length"] // 2] ^= 4
    storage.put(TAR, bytes(tar))
    faults = verify(storage)
    assert {("sha256", TAR), ("crc", TAR)} <= kinds(faults)
    assert any(fault.detail == f"made-1: the bytes of the {kind} have changed" for fault in faults)


@pytest.mark.parametrize(("key", "kind"), [("made-0", "full"), ("made-20", "photo"), ("made-20", "mask")])
def test_a_flipped_bit_aside_names_its_pair(dataset: DataSet, key: str, kind: str) -> None:
    storage, _ = dataset
    row = load_index(storage, [("key", "==", key)]).to_pylist()[0]
    file = aside_file(row["shard"])
    tar = bytearray(storage.read(file))
    tar[row[f"{kind}_offset"] + row[f"{kind}_length"] // 2] ^= 4
    storage.put(file, bytes(tar))
    faults = verify(storage)
    assert {("sha256", file), ("crc", file)} <= kinds(faults)
    assert any(fault.detail.startswith(f"{key}: the bytes of the") for fault in faults)


@pytest.mark.parametrize("name", SHARDS[1:])
def test_what_is_aside_must_be_there(dataset: DataSet, name: str) -> None:
    dataset[0].remove(aside_file(name))
    assert kinds(verify(dataset[0])) == {("unreadable", aside_file(name))}


def test_a_stray_tar_aside(dataset: DataSet) -> None:
    dataset[0].put(aside_file(SHARDS[0]), b"more")
    assert Fault("stray", aside_file(SHARDS[0]), "not in the manifest") in verify(dataset[0])


@pytest.mark.parametrize("length", [0, 100, 512, 3000, -600])
def test_a_cut_shard(dataset: DataSet, length: int) -> None:
    storage, _ = dataset
    storage.put(TAR, storage.read(TAR)[:length])
    assert {("size", TAR), ("sha256", TAR)} <= kinds(verify(storage))


def test_a_cut_shard_lacks_its_last_pairs(dataset: DataSet) -> None:
    storage, _ = dataset
    storage.put(TAR, storage.read(TAR)[:3000])
    assert Fault("missing", TAR, "made-2: no photo in the tar") in verify(storage)


@pytest.mark.parametrize("there", ["nothing", "a folder"])
def test_an_unreadable_shard(dataset: DataSet, there: str) -> None:
    storage, _ = dataset
    storage.remove(TAR)
    if there == "a folder":
        storage.path(TAR).mkdir()
    assert kinds(verify(storage)) == {("unreadable", TAR)}


def test_a_missing_member(dataset: DataSet) -> None:
    storage, _ = dataset
    change_tar(storage, lambda members: members.pop("made-2.mask.png") and None)
    assert Fault("missing", TAR, "made-2: no mask in the tar") in verify(storage)


def test_a_surplus_member(dataset: DataSet) -> None:
    storage, _ = dataset
    change_tar(storage, lambda members: members.update({"made-7.jpg": b"photo"}))
    assert Fault("surplus", TAR, "made-7.jpg is not in the index") in verify(storage)


def test_members_in_other_places(dataset: DataSet) -> None:
    storage, _ = dataset

    def swap(members: dict[str, bytes]) -> None:
        members["made-0.jpg"] = members.pop("made-0.jpg")

    change_tar(storage, swap)
    assert ("index", INDEX_FILE) in kinds(verify(storage))


@pytest.mark.parametrize(
    ("text", "detail"), [(b"", "no JSON"), (b"[]", "no JSON"), (b"{}", "key, class"), (None, "seed")]
)
def test_a_changed_json_member(dataset: DataSet, text: bytes | None, detail: str) -> None:
    storage, _ = dataset

    def change(members: dict[str, bytes]) -> None:
        values = json.loads(members["made-1.json"])
        members["made-1.json"] = json.dumps(values | {"seed": 8}).encode() if text is None else text

    change_tar(storage, change)
    assert [fault.detail.startswith(f"made-1: {detail}") for fault in verify(storage) if fault.kind == "json"] == [True]


@pytest.mark.parametrize(("row", "kind"), [("missing", "surplus"), ("surplus", "missing")])
def test_an_index_that_does_not_fit(dataset: DataSet, row: str, kind: str) -> None:
    storage, _ = dataset
    table = load_index(storage)
    position = table["key"].to_pylist().index("made-1")
    keep = list(range(table.num_rows))
    keep.remove(position)
    changed = table.take(keep)
    if row == "surplus":
        added = table.slice(position, 1).to_pylist()[0] | {"key": "made-5"}
        changed = table.from_pylist([*table.to_pylist(), added], schema=table.schema)
    storage.put(INDEX_FILE, to_parquet(changed))
    faults = verify(storage)
    assert {("index", INDEX_FILE), (kind, TAR)} <= kinds(faults)
    assert any("rows of shard-000001, the manifest says 3" in fault.detail for fault in faults)


def test_rows_in_any_order_go_to_their_shards(dataset: DataSet) -> None:
    storage, _ = dataset
    table = load_index(storage)
    shuffled = table.take(np.random.default_rng(1).permutation(len(table)))
    storage.put(INDEX_FILE, to_parquet(shuffled))
    assert verify(storage) == [Fault("index", INDEX_FILE, "sha256 differs from the manifest's")]


def test_members_are_those_that_tarfile_finds(dataset: DataSet) -> None:
    storage, _ = dataset
    for file in (TAR, aside_file(SHARDS[2])):
        tar = storage.read(file)
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            expected = {member.name: (member.offset_data, member.size) for member in archive}
        found, twice = _members(memoryview(tar))
        assert {name: (place, len(data)) for name, (place, data) in found.items()} == expected and not twice


@pytest.mark.parametrize("damage", ["missing", "cut", "foreign"])
def test_an_unreadable_index(dataset: DataSet, damage: str) -> None:
    storage, _ = dataset
    if damage == "missing":
        storage.remove(INDEX_FILE)
    elif damage == "cut":
        storage.put(INDEX_FILE, storage.read(INDEX_FILE)[:-10])
    else:
        pq.write_table(load_index(storage).select(["key"]), storage.path(INDEX_FILE))
    assert kinds(verify(storage)) == {("index", INDEX_FILE)}


def test_no_manifest(dataset: DataSet) -> None:
    storage, _ = dataset
    storage.remove(MANIFEST_FILE)
    assert kinds(verify(storage)) == {("manifest", MANIFEST_FILE)}


def test_a_place_that_is_no_folder(dataset: DataSet) -> None:
    assert kinds(verify(LocalStorage(dataset[0].path(TAR)))) == {("manifest", MANIFEST_FILE)}


def test_a_folder_that_cannot_be_listed(dataset: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[str]:
        raise ShardError("permission denied")

    monkeypatch.setattr(dataset[0], "names", fail)
    assert [fault.detail for fault in verify(dataset[0])] == ["permission denied"]


def test_a_stray_tar(dataset: DataSet) -> None:
    storage, _ = dataset
    write_shard(storage, "shard-000009", {"a": make_pair(0)}).commit("row")
    assert kinds(verify(storage)) == {("stray", "shard-000009.tar")}


@pytest.mark.parametrize("wrong", ["ids", "size"])
def test_a_mask_that_does_not_fit(storage: LocalStorage, wrong: str) -> None:
    mask = make_pair(0)[1]
    record = make_record("a", mask) if wrong == "ids" else replace(make_record("a", mask), width=99)
    writer = ShardWriter(storage, SHARDS[0])
    writer.add(record, b"photo", "jpg", encode_mask(mask + 1 if wrong == "ids" else mask))
    writer.commit("row")
    finish(storage, SHARDS[:1], SCHEMA, "plan", {})
    assert kinds(verify(storage, members=True)) == {("mask", tar_file(SHARDS[0]))}


def test_the_command(dataset: DataSet, capsys: pytest.CaptureFixture[str]) -> None:
    storage, pairs = dataset
    workspace = str(storage.root.parent)
    assert _app.run(["verify", "--workspace", workspace, "--json"]) == 0
    files = [*map(tar_file, SHARDS[:2]), *map(aside_file, SHARDS[1:])]
    size = sum(len(storage.read(file)) for file in files)
    assert json.loads(capsys.readouterr().out) == {"shards": 3, "pairs": len(pairs), "bytes": size, "faults": []}
    assert _app.run(["verify", "--workspace", workspace]) == 0
    assert str(size) in capsys.readouterr().out


def test_the_command_names_faults(dataset: DataSet, capsys: pytest.CaptureFixture[str]) -> None:
    storage, _ = dataset
    storage.put(TAR, storage.read(TAR)[:-1])
    assert _app.run(["verify", "--workspace", str(storage.root.parent), "--json"]) == 3
    printed = capsys.readouterr()
    assert [fault["kind"] for fault in json.loads(printed.out)["faults"]] == ["size", "sha256"]
    assert "2 faults" in printed.err
    assert f"{TAR}: size" in printed.err
    assert "remedy: delete the shards" in printed.err


def test_the_command_without_a_data_set(storage: LocalStorage, capsys: pytest.CaptureFixture[str]) -> None:
    assert _app.run(["verify", "--workspace", str(storage.root), "--json"]) == 3
    assert "no manifest.json" in capsys.readouterr().err
