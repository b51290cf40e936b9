from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augkit.balance.plan import Plan, PlanRow, deficits, load_plan, make_plan
from augkit.classes import ALL_CLASSES, CarClass
from augkit.errors import ConfigError, DataError
from augkit.shards.storage import LocalStorage, open_storage

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


def test_real_rows_come_first() -> None:
    plan = make_plan("inputs", ["a", "b", "c"], {FRONT: 3}, 2)
    assert plan.rows == (
        PlanRow("shard-000000", "real", "", 2, ("a", "b")),
        PlanRow("shard-000001", "real", "", 1, ("c",)),
        PlanRow("shard-000002", "generated", "front-left-5", 2),
        PlanRow("shard-000003", "generated", "front-left-5", 1),
    )


def test_a_higher_target_appends_rows() -> None:
    earlier = make_plan("inputs", ["a"], {FRONT: 3, BACK: 1}, 2)
    later = make_plan("inputs", ["a"], {FRONT: 4, BACK: 1}, 2, earlier)
    assert later.rows[: len(earlier.rows)] == earlier.rows
    assert later.rows[len(earlier.rows) :] == (PlanRow("shard-000004", "generated", "front-left-5", 1),)


def test_a_lower_target_leaves_the_plan_as_it_is() -> None:
    earlier = make_plan("inputs", ["a"], {FRONT: 3}, 2)
    assert make_plan("inputs", ["a"], {FRONT: 1}, 2, earlier) == earlier


def test_digests_tell_plans_and_rows_apart() -> None:
    plan = make_plan("inputs", ["a"], {FRONT: 1}, 2)
    assert plan.digest == make_plan("inputs", ["a"], {FRONT: 1}, 2).digest
    others = [
        make_plan("other", ["a"], {FRONT: 1}, 2),
        make_plan("inputs", ["b"], {FRONT: 1}, 2),
        make_plan("inputs", ["a"], {FRONT: 2}, 2),
    ]
    assert len({plan.digest, *(other.digest for other in others)}) == 4
    row = plan.rows[1]
    digests = {row.digest("i", ["m"]), row.digest("j", ["m"]), row.digest("i", ["n"]), plan.rows[0].digest("i", ["m"])}
    assert len(digests) == 4


def test_a_saved_plan_is_read_back(tmp_path: object) -> None:
    storage = open_storage(f"file://{tmp_path}")
    assert load_plan(storage) is None
    plan = make_plan("inputs", ["a", "b"], {FRONT: 3}, 2)
    plan.save(storage)
    assert load_plan(storage) == plan


@pytest.mark.parametrize(
    "text", [b"{", b"[]", b'{"format": 99, "inputs": "", "rows": []}', b'{"format": 1, "rows": 3}']
)
def test_a_broken_plan_is_refused(tmp_path: object, text: bytes) -> None:
    storage = open_storage(f"file://{tmp_path}")
    assert isinstance(storage, LocalStorage)
    storage.put("plan.json", text)
    with pytest.raises(DataError, match=r"plan\.json(.|\n)*--fresh"):
        load_plan(storage)


counts = st.dictionaries(st.sampled_from(ALL_CLASSES), st.integers(0, 60), max_size=5)


@given(counts, st.integers(0, 40), st.lists(st.integers(1, 90), min_size=1, max_size=3), st.integers(1, 17))
def test_any_plan_adds_up(training: dict[CarClass, int], real: int, targets: list[int], shard_size: int) -> None:
    """Whatever the counts, and however often the target is raised or lowered."""
    keys = [f"pair-{number}" for number in range(real)]
    plan: Plan | None = None
    for target in targets:
        plan = make_plan("inputs", keys, deficits(training, list(training), target), shard_size, plan)
    assert plan is not None
    assert [key for row in plan.rows for key in row.keys] == keys
    assert [row.shard for row in plan.rows] == [f"shard-{number:06d}" for number in range(len(plan.rows))]
    assert all(1 <= row.want <= shard_size for row in plan.rows)
    assert [row.kind for row in plan.rows] == sorted((row.kind for row in plan.rows), reverse=True)
    need = Counter({c.name: n for c, n in deficits(training, list(training), max(targets)).items() if n})
    assert plan.generated() == need
    if len(targets) == 1:
        shards = sum(math.ceil(n / shard_size) for n in need.values())
        assert sum(row.kind == "generated" for row in plan.rows) == shards
