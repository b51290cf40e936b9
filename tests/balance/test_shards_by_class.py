from __future__ import annotations

import pytest

from augkit.balance.plan import PlanRow
from augkit.balance.shards_by_class import ShardsByClass

FIRST = [
    PlanRow("real", "real", "", 2, keys=("a", "b")), PlanRow("x-0", "generated", "x", 3),
    PlanRow("x-1", "generated", "x", 2), PlanRow("y-0", "generated", "y", 1),
]  # fmt: skip


@pytest.fixture
def told() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture
def shards(told: list[tuple[str, int, int]]) -> ShardsByClass:
    shards = ShardsByClass(lambda *about: told.append(about))
    shards.begin(FIRST)
    return shards


def test_the_shards_of_a_class_add_up(shards: ShardsByClass, told: list[tuple[str, int, int]]) -> None:
    for name, done in (("x-0", 1), ("y-0", 1), ("x-1", 1), ("x-0", 2)):
        shards(name, done, 9)
    assert told == [("x", 1, 5), ("y", 1, 1), ("x", 2, 5), ("x", 3, 5)]


def test_a_shard_that_is_tried_again_begins_anew(shards: ShardsByClass, told: list[tuple[str, int, int]]) -> None:
    for done in (1, 2, 1, 2, 3):
        shards("x-0", done, 3)
    assert [done for _, done, _ in told] == [1, 2, 1, 2, 3]


def test_the_next_round_goes_on(shards: ShardsByClass, told: list[tuple[str, int, int]]) -> None:
    shards("x-0", 2, 3)  # one candidate too few was accepted
    shards("x-1", 2, 2)
    shards.begin([PlanRow("x-2", "generated", "x", 1, round=1)])
    shards("x-2", 1, 1)
    assert told[-1] == ("x", 5, 5)


def test_copies_of_real_pairs_are_not_told_of(shards: ShardsByClass, told: list[tuple[str, int, int]]) -> None:
    shards("real", 2, 2)
    assert told == []
