from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augkit.balance.plan import Plan, PlanRow, deficits, load_plan, portions, reachable, real_plan, with_wants
from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.errors import ConfigError, DataError
from augkit.core.storage import LocalStorage, open_storage
from augkit.shards.shard_names import split_of

FRONT, BACK = CarClass.parse("front-left-5"), CarClass.parse("back-right-3")


def test_need_is_the_target_less_the_training_pairs_and_never_negative() -> None:
    assert deficits({FRONT: 7, BACK: 20}, [FRONT, BACK], 10) == {FRONT: 3, BACK: 0}
    assert deficits({}, [FRONT], 10) == {FRONT: 10}  # every pair of it is held out


def test_only_limits_what_is_generated() -> None:
    assert deficits({FRONT: 7, BACK: 2}, [FRONT, BACK], 10, [BACK]) == {BACK: 8}


def test_only_of_an_absent_class_names_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"front-right-3(.|\n)*front-left-5, back-right-3"):
        deficits({FRONT: 7}, [FRONT, BACK], 10, [CarClass.parse("front-right-3")])


@pytest.mark.parametrize("target", [0, -3])
def test_a_target_must_be_positive(target: int) -> None:
    with pytest.raises(ConfigError, match="1 or more"):
        deficits({FRONT: 7}, [FRONT], target)


def test_classes_with_mirror_images_alone_follow_those_with_real_pairs() -> None:
    mirrors = [CarClass.parse("back-left-3"), CarClass.parse("front-right-5")]
    assert reachable([BACK, FRONT], [FRONT, BACK]) == [FRONT, BACK, *mirrors]
    assert reachable([FRONT, FRONT.mirror], [FRONT]) == [FRONT, FRONT.mirror]
    assert reachable([FRONT], []) == [FRONT]  # all of it is held out: there is nothing to learn a mirror image from


def planned(keys: list[str], wants: dict[CarClass, int], size: int, inputs: str = "inputs") -> Plan:
    return with_wants(real_plan(inputs, {"train": keys}, size), wants, size, "classical")


def test_real_rows_come_first() -> None:
    assert planned(["a", "b", "c"], {FRONT: 3}, 2).rows == (
        PlanRow("shard-000000", "real", "", 2, ("a", "b")),
        PlanRow("shard-000001", "real", "", 1, ("c",)),
        PlanRow("shard-000002", "classical", "front-left-5", 2),
        PlanRow("shard-000003", "classical", "front-left-5", 1),
    )


def test_every_split_has_shards_of_its_own() -> None:
    keys = {"train": ["a", "b", "c"], "val": ["d"], "test": ["e", "f", "g"]}
    plan = with_wants(real_plan("inputs", keys, 2), {FRONT: 1}, 2, "classical")
    names = ["shard-000000", "shard-000001", "val-000000", "test-000000", "test-000001", "shard-000002"]
    assert [row.shard for row in plan.rows] == names
    for row in plan.rows:
        assert set(row.keys) <= set(keys[split_of(row.shard)])


def test_a_higher_target_appends_rows() -> None:
    earlier = planned(["a"], {FRONT: 3, BACK: 1}, 2)
    later = with_wants(earlier, {FRONT: 4, BACK: 1}, 2, "classical")
    assert later.rows == (*earlier.rows, PlanRow("shard-000004", "classical", "front-left-5", 1))


def test_a_lower_target_leaves_the_plan_as_it_is() -> None:
    earlier = planned(["a"], {FRONT: 3}, 2)
    assert with_wants(earlier, {FRONT: 1}, 2, "classical") == earlier


def test_portions_are_whole_shards_and_the_rest() -> None:
    assert (portions(7, 3), portions(6, 3), portions(0, 3), portions(-2, 3)) == ([3, 3, 1], [3, 3], [], [])


def test_digests_tell_plans_and_rows_apart() -> None:
    plan = planned(["a"], {FRONT: 1}, 2)
    assert plan.digest == planned(["a"], {FRONT: 1}, 2).digest
    others = [planned(["a"], {FRONT: 1}, 2, "x"), planned(["b"], {FRONT: 1}, 2), planned(["a"], {FRONT: 2}, 2)]
    assert len({plan.digest, *(other.digest for other in others)}) == 4
    row = plan.rows[1]
    rows = [row, replace(row, tries=9), plan.rows[0]]
    assert len({row.digest("j", ["m"]), row.digest("i", ["n"]), *(r.digest("i", ["m"]) for r in rows)}) == 5


def rounds() -> Plan:
    """Real pairs, two shards of the first round, one of the second, one of the third."""
    draft = PlanRow("", "generated", "front-left-5", 2, tries=8)
    drafts = [draft, draft, replace(draft, round=1), replace(draft, round=2)]
    return real_plan("inputs", {"train": ["a"]}, 2).with_rows(drafts)


def test_a_round_stands_while_those_before_it_are_committed() -> None:
    plan, names = rounds(), [row.shard for row in rounds().rows]
    assert plan.up_to_open_round(names) == plan
    assert plan.up_to_open_round(names[:4]) == plan  # the last round is open, what it was planned from is there
    assert plan.up_to_open_round(names[:3]).rows == plan.rows[:4]
    assert plan.up_to_open_round([names[0], names[2], *names[3:]]).rows == plan.rows[:3]
    assert plan.up_to_open_round(names[1:]) == plan  # no later round rests on real pairs


def test_a_plan_counts_its_rounds() -> None:
    assert rounds().rounds == 3 and rounds().begun
    assert real_plan("inputs", {"train": ["a"]}, 2).rounds == 1 and not real_plan("inputs", {"train": ["a"]}, 2).begun


def test_a_saved_plan_is_read_back(tmp_path: object) -> None:
    storage = open_storage(f"file://{tmp_path}")
    assert load_plan(storage) is None
    for plan in (rounds(), replace(rounds(), precision="bf16")):
        plan.save(storage)
        assert load_plan(storage) == plan


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"[]",
        b'{"format": 99, "inputs": "", "rows": []}',
        b'{"format": 2, "rows": 3}',
        b'{"format": 2, "inputs": "", "precision": "fp8", "rows": []}',
    ],
)
def test_a_broken_plan_is_refused(tmp_path: object, text: bytes) -> None:
    storage = open_storage(f"file://{tmp_path}")
    assert isinstance(storage, LocalStorage)
    storage.put("plan.json", text)
    with pytest.raises(DataError, match=r"plan\.json(.|\n)*--fresh"):
        load_plan(storage)


def test_a_plan_of_an_earlier_version_says_so(tmp_path: object) -> None:
    storage = open_storage(f"file://{tmp_path}")
    row = b'{"shard": "shard-000000", "kind": "real", "class_name": "", "want": 1, "keys": ["a"]}'
    storage.put("plan.json", b'{"format": 1, "inputs": "", "rows": [' + row + b"]}")
    with pytest.raises(DataError, match=r"format 1, this version writes format 3(.|\n)*--fresh"):
        load_plan(storage)


counts = st.dictionaries(st.sampled_from(ALL_CLASSES), st.integers(0, 60), max_size=5)


@given(counts, st.integers(0, 40), st.lists(st.integers(1, 90), min_size=1, max_size=3), st.integers(1, 17))
def test_any_plan_adds_up(training: dict[CarClass, int], real: int, targets: list[int], shard_size: int) -> None:
    """Whatever the counts, and however often the target is raised or lowered."""
    keys = [f"pair-{number}" for number in range(real)]
    plan = real_plan("inputs", {"train": keys}, shard_size)
    for target in targets:
        plan = with_wants(plan, deficits(training, list(training), target), shard_size, "classical")
    assert [key for row in plan.rows for key in row.keys] == keys
    assert [row.shard for row in plan.rows] == [f"shard-{number:06d}" for number in range(len(plan.rows))]
    assert all(1 <= row.want <= shard_size for row in plan.rows)
    assert [row.kind for row in plan.rows] == sorted((row.kind for row in plan.rows), reverse=True)
    need = Counter({c.name: n for c, n in deficits(training, list(training), max(targets)).items() if n})
    assert plan.generated() == need
    if len(targets) == 1:
        shards = sum(math.ceil(n / shard_size) for n in need.values())
        assert sum(row.kind == "classical" for row in plan.rows) == shards
