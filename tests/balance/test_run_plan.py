"""Rounds of a run without workers: what is read of the place where its shards are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from augkit.balance.executors import Failure, ShardTask
from augkit.balance.plan import Plan, PlanRow
from augkit.balance.run_plan import PlanRun
from augkit.balance.shard_job import ShardReport
from augkit.core.progress import Progress, silent
from augkit.core.storage import LocalStorage
from augkit.shards.commit import commit_file, tar_file
from augkit.shards.commit_records import CommitRecords
from augkit.shards.index import load_manifest
from augkit.shards.verify import verify
from tests.shards.pairs import SCHEMA, make_pair, write_shard

ROUNDS, SHARDS = 3, 4


class CountedStorage(LocalStorage):
    """Counts listings, and reads by file."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.listings, self.reads = 0, Counter[str]()

    def names(self) -> list[str]:
        self.listings += 1
        return super().names()

    def sizes(self, below: str = "") -> dict[str, int]:
        self.listings += not below
        return super().sizes(below)

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        self.reads[name] += length is None
        return super().read(name, offset, length)


def extend(plan: Plan, reports: Sequence[ShardReport]) -> Plan:
    """A round more of shards of one pair."""
    if plan.rounds == ROUNDS and len(reports) == len(plan.rows):
        return plan
    return plan.with_rows(
        PlanRow("", "generated", "front-left-5", 1, tries=1, round=plan.rounds) for _ in range(SHARDS)
    )


@pytest.fixture
def storage(tmp_path: Path) -> CountedStorage:
    return CountedStorage(tmp_path)


def make(storage: LocalStorage, tasks: Sequence[ShardTask]) -> Iterator[ShardReport | Failure]:
    for task in tasks:
        name = task.row.shard
        write_shard(storage, name, {name: make_pair(int(name[-6:]))}).commit(task.digest)
        yield ShardReport(name, task.row.class_name, 1, 1, 1, {})


def run(storage: LocalStorage, plan: Plan) -> PlanRun:
    return PlanRun(CommitRecords(storage), plan, lambda row: f"digest of {row.shard}", SCHEMA, False, extend)


def test_a_round_lists_once_and_reads_what_is_new(storage: CountedStorage) -> None:
    seen: list[tuple[int, int]] = []

    def execute(tasks: Sequence[ShardTask], progress: Progress) -> Iterator[ShardReport | Failure]:
        seen.append((storage.listings, sum(n for name, n in storage.reads.items() if name.startswith("commits/"))))
        yield from make(storage, tasks)

    first = extend(Plan("inputs", ()), [])
    outcome = run(storage, first).run(execute, silent)
    assert outcome.rounds == ROUNDS and len(outcome.reports) == ROUNDS * SHARDS
    assert seen == [(number + 1, number * SHARDS) for number in range(ROUNDS)], "each record once, a listing a round"
    once_more = {commit_file(report.shard): 2 for report in outcome.reports}
    assert {name: n for name, n in storage.reads.items() if name in once_more} == once_more, "the index has its rows"
    assert load_manifest(storage).pairs == ROUNDS * SHARDS and verify(storage) == []


@pytest.mark.parametrize("lost", ["commit", "tar", "cut"])
def test_what_was_lost_since_it_was_read_is_made_again(storage: CountedStorage, lost: str) -> None:
    made: list[list[str]] = []

    def execute(tasks: Sequence[ShardTask], progress: Progress) -> Iterator[ShardReport | Failure]:
        made.append([task.row.shard for task in tasks])
        yield from make(storage, tasks)
        if len(made) == 2:  # after the first round was read
            name = made[0][1]
            if lost == "cut":
                path = storage.path(tar_file(name))
                path.write_bytes(path.read_bytes()[:-512])
            else:
                storage.remove(commit_file(name) if lost == "commit" else tar_file(name))

    run(storage, extend(Plan("inputs", ()), [])).run(execute, silent)
    assert [len(names) for names in made] == [SHARDS, SHARDS, SHARDS + 1] and made[0][1] in made[2]
    assert verify(storage) == []
