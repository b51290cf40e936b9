from __future__ import annotations

from collections import Counter

import numpy as np

from augkit.core.object_store import FsspecStorage
from augkit.core.storage import LocalStorage
from augkit.shards.commit import commit_file, read_commit, tar_file
from augkit.shards.commit_records import CommitFacts, CommitRecords

from .pairs import SHARDS, Pairs, write_dataset

DataSet = tuple[LocalStorage, Pairs]


def test_facts_are_those_of_the_rows(dataset: DataSet) -> None:
    for name in SHARDS:
        commit = read_commit(dataset[0], name)
        assert commit is not None
        rows, facts = commit.table.to_pylist(), CommitRecords(dataset[0]).facts(name)
        assert facts == CommitFacts.of(commit)
        kept = [row for row in rows if row["accepted"]]
        assert (facts.tried, facts.accepted) == (len(rows), len(kept))
        assert facts.painted == sum(row["photo_length"] is not None for row in rows)
        assert facts.reasons == Counter(reason for row in rows for reason in row["reasons"])
        areas = np.zeros(1)
        for row in kept:
            areas = areas + np.asarray(row["histogram"]) / (row["width"] * row["height"])
        assert facts.areas == tuple(areas.tolist()), "to the last bit: the plan depends on it"


def test_works_through_fsspec() -> None:
    storage = FsspecStorage("memory://commit-records")
    write_dataset(storage)
    assert CommitRecords(storage).there() == SHARDS


def test_what_is_not_whole_has_no_facts(dataset: DataSet) -> None:
    storage, records = dataset[0], CommitRecords(dataset[0])
    assert [records.facts(name) is not None for name in SHARDS] == [True] * 3
    storage.remove(tar_file(SHARDS[0]))
    storage.put(commit_file(SHARDS[1]), b"no record")
    assert records.facts(SHARDS[0]) is not None, "nobody looked again"
    records.look_again()
    records.forget([SHARDS[1]])
    assert [records.facts(name) is not None for name in SHARDS] == [False, False, True]


def test_what_was_written_since_the_last_look_has_to_be_named(dataset: DataSet) -> None:
    storage, records = dataset[0], CommitRecords(dataset[0])
    record = storage.read(commit_file(SHARDS[0]))
    storage.remove(commit_file(SHARDS[0]))
    assert records.there() == SHARDS[1:] and records.facts(SHARDS[0]) is None
    storage.put(commit_file(SHARDS[0]), record)
    assert records.facts(SHARDS[0]) is None
    records.forget([SHARDS[0]])
    assert records.facts(SHARDS[0]) is not None
