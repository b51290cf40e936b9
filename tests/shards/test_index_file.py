from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from augkit.core.errors import ShardError
from augkit.core.object_store import FsspecStorage
from augkit.core.storage import LocalStorage
from augkit.shards.index import INDEX_FILE, finish, load_index
from augkit.shards.index_file import IndexFile
from tests.shards.test_index_check import plant

from .pairs import SCHEMA, SHARDS, Pairs, make_pair, write_dataset, write_shard

DataSet = tuple[LocalStorage, Pairs]


def test_some_rows_of_some_columns_are_in_memory_at_a_time(dataset: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("augkit.shards.index_file.BATCH", 3)
    index, whole = IndexFile(dataset[0]), load_index(dataset[0])
    tables = list(index.tables(["key", "reasons"]))
    assert len(index) == len(whole) and index.columns == whole.column_names
    assert [len(table) for table in tables] == [3, 3, 3, 1] and tables[0].column_names == ["key", "reasons"]
    assert [key for table in tables for key in table["key"].to_pylist()] == whole["key"].to_pylist()


@pytest.mark.parametrize("group", [2, 5, 1 << 17])
def test_rows_are_found_by_their_places(dataset: DataSet, monkeypatch: pytest.MonkeyPatch, group: int) -> None:
    monkeypatch.setattr("augkit.shards.index_file.BATCH", 2)
    monkeypatch.setattr("augkit.shards.index_writer.GROUP", group)
    finish(dataset[0], SHARDS, SCHEMA, "plan", {})
    index, rows = IndexFile(dataset[0]), load_index(dataset[0]).to_pylist()
    assert index.at([9, 0, 4, 3, 9]) == [rows[place] for place in (9, 0, 4, 3, 9)]
    assert index.at([]) == []


def test_it_is_written_in_groups_of_rows(dataset: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_index(dataset[0])
    monkeypatch.setattr("augkit.shards.index_writer.GROUP", 4)
    finish(dataset[0], SHARDS, SCHEMA, "plan", {})
    file = pq.ParquetFile(dataset[0].path(INDEX_FILE))
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [5, 4, 1]
    assert load_index(dataset[0]).equals(before), "a column of scores that a group lacks is null in it"


def test_a_key_in_two_groups_is_refused(storage: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("augkit.shards.index_writer.GROUP", 1)
    for number, name in enumerate(SHARDS):
        write_shard(storage, name, {("a", "b", "a")[number]: make_pair(number)}).commit("row")
    with pytest.raises(ShardError, match="1 keys in more than one row: a\n"):
        finish(storage, SHARDS, SCHEMA, "plan", {})


def test_works_through_fsspec() -> None:
    storage = FsspecStorage("memory://index-file")
    write_dataset(storage)
    assert IndexFile(storage).at([1])[0]["key"] == "real-1"


def test_it_stays_the_index_that_it_was(dataset: DataSet) -> None:
    index = IndexFile(dataset[0])
    finish(dataset[0], SHARDS[:1], SCHEMA, "plan", {})
    assert sum(map(len, index.tables(["key"]))) == 10


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("class", "front", "class is none of"),
        ("histogram", [1, 2], "a histogram that does not count 4 parts"),
        ("mask_length", 10**9, "a mask behind the end of its tar"),
    ],
)
def test_what_no_row_can_say_is_refused(dataset: DataSet, column: str, value: object, message: str) -> None:
    plant(dataset[0], column, value)
    index = IndexFile(dataset[0])
    with pytest.raises(ShardError, match=message):
        index.at([5])
    if column != "mask_length":
        with pytest.raises(ShardError, match=message):
            list(index.tables(["shard", column]))
