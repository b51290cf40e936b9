"""Which task goes where: to those who have not failed it, a bounded number of times."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from augkit.balance.executors import Failure, ShardTask
from augkit.balance.plan import PlanRow
from augkit.balance.task_queue import NodeHealth, TaskQueue


def task(name: str) -> ShardTask:
    return ShardTask(PlanRow(name, "generated", "front-left-5", 1), "")


def test_a_task_that_failed_goes_elsewhere() -> None:
    queue = TaskQueue([task("a"), task("b")], attempts=3)
    first = queue.take("here", {"here", "there"})
    assert first == task("a") and queue.failed(first, "here", "broken") is None
    assert queue.take("here", {"here", "there"}) == task("b")
    assert queue.take("here", {"here", "there"}) is None and len(queue) == 1
    assert queue.take("there", {"here", "there"}) == task("a")


def test_a_task_goes_where_it_failed_if_there_is_nowhere_else() -> None:
    queue = TaskQueue([task("a")], attempts=3)
    for _ in range(2):
        taken = queue.take("here", {"here"})
        assert taken is not None and queue.failed(taken, "here", "broken") is None
    taken = queue.take("here", {"here"})
    assert taken is not None and queue.failed(taken, "here", "broken") == Failure("a", "front-left-5", "broken")
    assert not queue


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.booleans()), max_size=60), st.integers(1, 4))
def test_every_task_ends_within_its_attempts(turns: list[tuple[str, bool]], attempts: int) -> None:
    queue, ended, tries = TaskQueue(map(task, "abcd"), attempts), list[str](), dict[str, int]()
    for node, works in turns:
        taken = queue.take(node, "xyz")
        if taken is None:
            continue
        tries[taken.shard] = tries.get(taken.shard, 0) + 1
        if works or queue.failed(taken, node, "broken"):
            ended.append(taken.shard)
    assert len(ended) == len(set(ended)) and len(ended) + len(queue) == 4
    assert all(number <= attempts for number in tries.values())


def failing(health: NodeHealth, node: str, shards: str) -> NodeHealth:
    for shard in shards:
        health.did_fail(node, shard, f"broken by {shard}")
    return health


def test_a_node_that_fails_three_shards_in_a_row_is_avoided() -> None:
    health = failing(NodeHealth(), "bad", "aab")
    assert not health.doubted("bad") and health.avoid({"bad", "good"}) == []
    assert failing(health, "bad", "c").doubted("bad") and health.avoid({"bad", "good"}) == ["bad"]
    assert health.avoided == {"bad": "broken by c"}
    assert health.avoid({"bad", "good"}) == []  # told once


def test_what_works_between_makes_a_node_good_again() -> None:
    health = NodeHealth()
    for shard in "abcdefg":
        assert not failing(health, "node", shard).doubted("node")
        health.did_well("node")


def test_the_last_node_is_never_avoided_until_there_is_another() -> None:
    health = failing(NodeHealth(avoided={"other": "broken"}), "node", "abcdef")
    assert health.avoid({"node", "other"}) == []
    assert health.avoid({"node", "third"}) == ["node"]
