from __future__ import annotations

import hashlib
import json
from typing import Any

import pyarrow.compute as pc
import pytest

from augkit.core.errors import ShardError
from augkit.core.object_store import FsspecStorage
from augkit.core.storage import LocalStorage
from augkit.shards.commit import TarFile, aside_file, commit_file, tar_file
from augkit.shards.index import INDEX_FILE, MANIFEST_FILE, finish, load_index, load_manifest
from augkit.shards.reader import ShardDataset
from augkit.shards.writer import COLUMNS

from .pairs import SCHEMA, SHARDS, Pairs, make_pair, write_dataset, write_shard

DataSet = tuple[LocalStorage, Pairs]


def test_the_manifest_says_what_there_is(dataset: DataSet) -> None:
    storage, pairs = dataset
    manifest = load_manifest(storage)
    assert manifest.pairs == len(pairs) == 8
    assert manifest.counts == {
        "back-right-3": {"generated": {"accepted": 3, "rejected": 1}},
        "front-left-5": {"generated": {"accepted": 0, "rejected": 1}, "real": {"accepted": 5, "rejected": 0}},
    }
    assert [(shard.name, shard.pairs) for shard in manifest.shards] == list(zip(SHARDS, (5, 3, 0), strict=True))
    for shard in manifest.shards[:2]:
        tar = storage.read(tar_file(shard.name))
        assert (shard.tar.size, shard.tar.sha256) == (len(tar), hashlib.sha256(tar).hexdigest())
    assert [shard.rejected for shard in manifest.shards] == [0, 0, 1]
    for shard in manifest.shards[1:]:  # the second has an exact mask aside, the third a rejected pair
        assert shard.aside == TarFile.of(storage.read(aside_file(shard.name)))
    assert manifest.shards[0].aside.size == manifest.shards[2].tar.size == 0
    assert manifest.index_sha256 == hashlib.sha256(storage.read(INDEX_FILE)).hexdigest()
    assert (manifest.schema, manifest.plan_digest, manifest.versions) == (SCHEMA, "plan", {"augkit": "0"})


def test_the_index_has_every_row_in_the_order_of_the_shards(dataset: DataSet) -> None:
    table = load_index(dataset[0])
    assert table.column_names == [*COLUMNS.names, "score_edges", "score_late", "score_share"]
    assert table["key"].to_pylist() == [
        *(f"real-{n}" for n in range(5)),
        "made-0",
        "made-1",
        "made-2",
        "made-9",
        "made-20",
    ]
    assert table["score_share"].to_pylist() == [None] * 5 + [0.5] * 3 + [None] * 2
    assert table["reasons"].to_pylist()[-2:] == [["specks"], ["specks", "no hood"]]


def test_only_named_shards_belong(storage: LocalStorage) -> None:
    write_dataset(storage)
    finish(storage, SHARDS[1:2], SCHEMA, "plan", {})
    assert load_manifest(storage).pairs == 3
    assert storage.exists(tar_file(SHARDS[0]))


def test_no_shards_make_an_empty_data_set(storage: LocalStorage) -> None:
    assert finish(storage, [], SCHEMA, "plan", {}).pairs == 0
    assert load_index(storage).num_rows == 0


def test_works_through_fsspec() -> None:
    storage = FsspecStorage("memory://index")
    manifest, pairs = write_dataset(storage)
    assert load_manifest(storage) == manifest
    assert load_index(storage, [("accepted", "==", True)]).num_rows == len(pairs)


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ([("class", "==", "back-right-3")], 4),
        ([("class", "==", "back-right-3"), ("accepted", "==", True)], 3),
        ([[("source", "==", "real")], [("key", "in", ["made-0", "made-9"])]], 7),
        (pc.field("score_share") > 0.4, 3),
        (pc.field("score_share").is_null(), 7),
    ],
)
def test_filters(dataset: DataSet, where: Any, rows: int) -> None:
    assert load_index(dataset[0], where).num_rows == rows


@pytest.mark.parametrize(
    "where",
    [[("klass", "==", "a")], pc.field("klass") == "a", [("seed", "==", "a")], [("seed", "~", 1)], [], [1], "seed"],
)
def test_filters_that_cannot_be_list_the_columns(dataset: DataSet, where: Any) -> None:
    for opened in (lambda: load_index(dataset[0], where), lambda: ShardDataset(dataset[0].root, where)):
        with pytest.raises(ShardError, match=r"^the filter (.|\n)*columns among key, shard(.|\n)*e\.g\. \[\("):
            opened()


def test_a_key_in_two_shards_is_refused(storage: LocalStorage) -> None:
    for name in SHARDS[:2]:
        write_shard(storage, name, {"a": make_pair(0), name: make_pair(1)}).commit("row")
    with pytest.raises(ShardError, match="1 keys in more than one row: a\n"):
        finish(storage, SHARDS[:2], SCHEMA, "plan", {})
    assert not storage.exists(MANIFEST_FILE)


@pytest.mark.parametrize("file", [commit_file(SHARDS[1]), tar_file(SHARDS[1]), aside_file(SHARDS[1])])
def test_what_is_not_committed_is_refused(dataset: DataSet, file: str) -> None:
    storage, _ = dataset
    storage.remove(file)
    with pytest.raises(ShardError, match="shard-000001 is not committed"):
        finish(storage, SHARDS, SCHEMA, "plan", {})


def test_while_the_index_is_written_there_is_no_manifest(dataset: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, put = dataset[0], dataset[0].put

    def fail(name: str, data: bytes) -> None:
        if name == INDEX_FILE:
            raise ShardError("full")
        put(name, data)

    monkeypatch.setattr(storage, "put", fail)
    with pytest.raises(ShardError, match="full"):
        finish(storage, SHARDS[:1], SCHEMA, "plan", {})
    with pytest.raises(ShardError, match="the manifest is written last"):
        load_index(storage)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2}', '{"format": 2, "schema": {"parts": []}, "shards": [1]}']
)
def test_what_is_no_manifest_is_refused(dataset: DataSet, text: str) -> None:
    dataset[0].put(MANIFEST_FILE, text.encode())
    with pytest.raises(ShardError, match="is no manifest"):
        load_manifest(dataset[0])


def test_other_versions_are_refused(dataset: DataSet) -> None:
    storage, _ = dataset
    storage.put(MANIFEST_FILE, json.dumps({**json.loads(storage.read(MANIFEST_FILE)), "format": 99}).encode())
    with pytest.raises(ShardError, match="format 99\nexpected: format 3"):
        load_manifest(storage)


def test_another_index_than_the_manifests_is_refused(dataset: DataSet) -> None:
    storage, _ = dataset
    storage.put(INDEX_FILE, storage.read(INDEX_FILE) + b"\0")
    with pytest.raises(ShardError, match="has changed"):
        load_index(storage)
