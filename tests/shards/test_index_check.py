"""An index whose checksum is right, and whose rows say what no row can."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from augkit.core.errors import ShardError
from augkit.core.storage import LocalStorage
from augkit.shards.commit import to_parquet
from augkit.shards.index import INDEX_FILE, MANIFEST_FILE, load_index, load_manifest
from augkit.shards.index_check import faults_of_pairs
from augkit.shards.reader import ShardDataset
from augkit.shards.seal import sealed

from .pairs import Pairs

ROW = 5
"""The pair that has an exact mask aside."""


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("key", "made/0", "a key that no tar can hold"),
        ("class", None, "class is null"),
        ("class", "front", "class is none of"),
        ("split", "dev", "split is none of train, val, test"),
        ("width", -1, "a width beyond 0"),
        ("photo_crc32", None, "photo_crc32 is null"),
        ("mask_offset", -5, "mask_offset is null, negative"),
        ("photo_ext", "gif", "photo_ext is none of"),
        ("shard", None, "an exact mask without a shard"),
        ("mask_length", 10**9, "a mask behind the end of its tar"),
        ("full_length", 10**9, "a full behind the end of its tar"),
        ("histogram", [1, 2], "a histogram that does not count 4 parts"),
    ],
)
def test_what_no_row_can_say_is_refused(
    dataset: tuple[LocalStorage, Pairs], column: str, value: Any, message: str
) -> None:
    plant(dataset[0], column, value)
    with pytest.raises(ShardError, match=message):
        load_index(dataset[0])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("key", "made/0", "a key that no tar can hold"),
        ("key", "", "a key that no tar can hold"),
        ("key", "m" * 91, "a key that no tar can hold"),
        ("key", None, "key is null"),
        ("class", "front", "class is none of"),
        ("class", None, "class is null"),
        ("split", "dev", "split is none of train, val, test"),
        ("photo_crc32", None, "photo_crc32 is null"),
        ("mask_offset", -5, "mask_offset is null, negative"),
        ("mask_length", 10**9, "shard-000001: a mask behind the end of its tar"),
        ("photo_offset", 2**62, "photo_offset is null, negative or larger"),
    ],
)
def test_it_is_refused_where_pairs_are_opened(
    dataset: tuple[LocalStorage, Pairs], column: str, value: Any, message: str
) -> None:
    plant(dataset[0], column, value)
    with pytest.raises(ShardError, match=message):
        ShardDataset(dataset[0].root)


def test_tars_are_asked_for_once_a_shard_that_is_there() -> None:
    """A row group's dictionary names a thousand shards, and is that of several batches."""
    names, asked = [f"shard-{number:06d}" for number in range(1000)], []

    class Sizes(dict[tuple[str, bool], int]):
        def get(self, key: tuple[str, bool], default: Any = None) -> Any:
            asked.append(key)
            return 100

    places = {f"{kind}_{place}": pa.array([7, 7, 7]) for kind in ("photo", "mask") for place in ("offset", "crc32")}
    lengths = {"photo_length": pa.array([90, 90, 94]), "mask_length": pa.array([3, 3, 3])}
    rows = {
        "key": pa.array(["a", "b", "c"]),
        "shard": pa.DictionaryArray.from_arrays(pa.array([500, 700, 700], pa.int32()), pa.array(names)),
        "class": pa.array(["front-left-5"] * 3).dictionary_encode(),
        "split": pa.array(["train"] * 3).dictionary_encode(),
    }
    faults = list(faults_of_pairs(pa.table(rows | places | lengths), Sizes()))
    assert faults == ["shard-000700: a photo behind the end of its tar"]
    assert asked == [("shard-000500", True), ("shard-000700", True)]


def plant(storage: LocalStorage, column: str, value: Any) -> None:
    """Writes an index with that value, and the manifest that names it."""
    table = load_index(storage)
    assert table["full_offset"][ROW].is_valid
    values = table[column].to_pylist()
    values[ROW] = value
    place = table.schema.get_field_index(column)
    data = to_parquet(table.set_column(place, column, pa.array(values, table.schema.field(column).type)))
    manifest = replace(load_manifest(storage), index_sha256=hashlib.sha256(data).hexdigest())
    storage.put(INDEX_FILE, data)
    storage.put(MANIFEST_FILE, sealed(json.dumps(manifest.to_dict()).encode()))
