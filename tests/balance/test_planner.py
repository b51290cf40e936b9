"""The planner against simulated shards: a class accepts each candidate with a probability of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from augkit.balance.part_targets import PartTarget, Profiles
from augkit.balance.plan import Plan, PlanRow, real_plan
from augkit.balance.planner import PATIENCE, ClassProgress, Planner
from augkit.balance.rates import Rate, candidates
from augkit.balance.shard_job import ShardReport
from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.errors import ConfigError
from augkit.core.seeds import derive

FRONT, BACK = CarClass.parse("front-left-5"), CarClass.parse("back-right-3")
ATTEMPTS = 12.0
BLANK = Profiles(np.array([5.0, 5.0, 0.1]), 10, {})
REAL = Profiles(
    np.array([5.0, 5.0, 0.1]), 10, {FRONT: np.array([0.5, 0.5, 0.0]), BACK: np.array([0.5, 0.3, 0.2])}
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """Shards whose candidates are accepted by chance, each by its own seed; ``lost`` of the accepted ones are found to
    be duplicates once their shard is there. ``shown`` is what an accepted pair looks like, of any class but FRONT."""

    rates: Mapping[str, float]
    seed: int = 0
    lost: float = 0.0
    shown: tuple[float, ...] = (0.5, 0.3, 0.2)

    def make(self, row: PlanRow) -> ShardReport:
        random = np.random.default_rng(derive(self.seed, row.shard, row.class_name))
        luck = random.random(row.tries) < self.rates[row.class_name]
        enough = np.flatnonzero(luck.cumsum() >= row.want)
        tried = int(enough[0]) + 1 if len(enough) else row.tries
        kept = int((random.random(int(luck[:tried].sum())) >= self.lost).sum())
        shown = REAL.means[FRONT] if row.class_name == FRONT.name else np.array(self.shown)
        areas = tuple((kept * shown).tolist())
        return ShardReport(row.shard, row.class_name, row.want, kept, tried, {"luck": tried - kept}, kept, areas)


Results = dict[str, ShardReport]


def run_plan(
    planner: Planner, make: Callable[[PlanRow], ShardReport], plan: Plan | None = None, there: Results | None = None
) -> tuple[Plan, Results]:
    """Round after round until nothing is planned any more; as ``PlanRun.run``."""
    results = {} if there is None else there
    plan, longer = Plan("", ()), after(planner, plan or real_plan("inputs", {"train": []}, 1), results)
    while longer != plan:
        plan = longer
        for row in plan.rows:
            if row.shard not in results:
                results[row.shard] = make(row)
        assert plan.rounds < 200
        longer = after(planner, plan, results)
    return plan, results


def after(planner: Planner, plan: Plan, results: Results) -> Plan:
    return planner.extend(plan, [results[row.shard] for row in plan.rows if row.shard in results])


def progress_of(planner: Planner, plan: Plan, results: Results) -> dict[str, ClassProgress]:
    return planner.progress([results[row.shard] for row in plan.rows])


def planner_of(need: Mapping[CarClass, int], shard_size: int = 8, attempts: float = ATTEMPTS) -> Planner:
    return Planner(need, shard_size, attempts, BLANK)


needs = st.dictionaries(st.sampled_from(ALL_CLASSES), st.integers(0, 60), min_size=1, max_size=4)
sizes, seeds = st.integers(1, 20), st.integers(0, 2**30)
chances = st.lists(st.floats(0.0, 1.0), min_size=12, max_size=12)


def rates_of(chances: Sequence[float], floor: float = 0.0) -> dict[str, float]:
    return {c.name: floor + (1 - floor) * chance for c, chance in zip(ALL_CLASSES, chances, strict=True)}


def test_the_first_round_in_closed_form() -> None:
    """One candidate in four: 8 pairs take (8 + 2 sqrt(8 * 3 / 4)) * 4 candidates, 3 take (3 + 2 sqrt(9 / 4)) * 4."""
    plan = planner_of({FRONT: 11, BACK: 0}).extend(real_plan("inputs", {"train": ["a"]}, 1), [])
    assert plan.rows[1:] == (
        PlanRow("shard-000001", "generated", "front-left-5", 8, tries=52),
        PlanRow("shard-000002", "generated", "front-left-5", 3, tries=24),
    )


def test_a_round_waits_for_every_shard_of_those_before_it() -> None:
    planner, plan = (
        planner_of({FRONT: 16}),
        planner_of({FRONT: 16}).extend(real_plan("inputs", {"train": ["a"]}, 1), []),
    )
    short = ShardReport("shard-000001", "front-left-5", 8, 2, 52, {})
    real = ShardReport("shard-000000", "", 1, 1, 1, {})
    assert planner.extend(plan, [real, short]) == plan
    longer = planner.extend(plan, [real, short, replace(short, shard="shard-000002", accepted=8, tried=20)])
    assert longer.rows[:3] == plan.rows
    [row] = longer.rows[3:]
    mean = (10 + 8 * (11 / 76)) / 80  # 10 of 72, from the 11 of 76 that all classes and the prior have
    assert row == PlanRow(
        "shard-000003", "generated", "front-left-5", 6, tries=candidates(6, mean), round=1
    )  # fmt: skip
    assert planner.extend(longer, [real, short]) == plan  # a shard of the first round has gone, so has what followed


def test_photos_that_were_read_come_first() -> None:
    read = {FRONT.name: tuple(f"u-{n}" for n in range(6))}
    planner = Planner({FRONT: 4, BACK: 2}, 8, ATTEMPTS, BLANK, read=read)
    plan = planner.extend(Plan("", ()), [])
    first, other = plan.rows
    assert (first.kind, first.want, first.keys) == ("pseudo", 4, read[FRONT.name][:5]), "some are spare"
    assert (other.kind, other.class_name) == ("generated", BACK.name), "a class without photos does not wait"
    enough = ShardReport(other.shard, BACK.name, 2, 2, 3, {})
    reports = [ShardReport(first.shard, FRONT.name, 4, 1, 5, {"view": 4}, kind="pseudo"), enough]
    progress = planner.progress(reports, plan)[FRONT.name]
    assert (progress.accepted, progress.pseudo, progress.tried, progress.offered) == (1, 1, 0, ("u-5",))
    plan = planner.extend(plan, reports)
    assert [(row.kind, row.keys) for row in plan.rows[2:]] == [("pseudo", ("u-5",))]
    reports.append(ShardReport(plan.rows[2].shard, FRONT.name, 1, 0, 1, {}, kind="pseudo"))
    plan = planner.extend(plan, reports)
    assert [(row.kind, row.want) for row in plan.rows[3:]] == [("generated", 3)], "what is lacking still"


def test_without_generation_it_ends_with_the_photos() -> None:
    planner = Planner({FRONT: 4}, 8, ATTEMPTS, BLANK, read={FRONT.name: ("u-0",)}, generates=False)
    plan = planner.extend(Plan("", ()), [])
    report = ShardReport(plan.rows[0].shard, FRONT.name, 1, 1, 1, {}, kind="pseudo")
    assert planner.extend(plan, [report]) == plan


def test_a_budget_in_closed_form() -> None:
    progress = ClassProgress(4, accepted=1, tried=10, attempts=4.0)
    assert progress.budget == candidates(4, 0.25, PATIENCE) and progress.missing == 3
    assert replace(progress, extra=2).budget == candidates(6, 0.25, PATIENCE)
    assert replace(progress, accepted=9, extra=2).budget == candidates(11, 0.25, PATIENCE)
    assert replace(progress, accepted=9, extra=2).missing == 2


def test_a_class_is_given_up_when_its_budget_is_spent_or_its_rate_hopeless() -> None:
    progress = ClassProgress(4, accepted=1, tried=10, rate=Rate(4, 8), attempts=4.0)
    assert not progress.given_up and progress.todo == 3 and progress.candidates == 9
    spent = replace(progress, tried=progress.budget)
    assert spent.given_up and (spent.todo, spent.candidates) == (0, 0) and not list(spent.rows("x", 8, 1))
    # Beta(1, b) lies above 1/8 with the probability (7/8)^b: under 1 % from b = 35 on
    assert not replace(progress, rate=Rate(1, 34)).given_up and replace(progress, rate=Rate(1, 35)).given_up
    assert not replace(progress, accepted=4, rate=Rate(1, 35)).given_up  # nothing is missing
    assert not replace(progress, tried=0, accepted=0, rate=Rate(1, 35)).given_up  # others' candidates do not condemn it


def test_a_round_stays_within_what_is_left_of_the_budget() -> None:
    progress = ClassProgress(12, accepted=0, tried=0, rate=Rate(1, 9), attempts=2.0)
    rows = list(progress.rows("x", 4, 3))
    assert sum(row.tries for row in rows) == progress.budget == candidates(12, 0.5, PATIENCE)
    assert {row.round for row in rows} == {3} and all(0 < row.want <= row.tries for row in rows)


@given(needs, sizes, chances, seeds)
def test_targets_above_the_floor_are_reached(
    need: dict[CarClass, int], size: int, chances: list[float], seed: int
) -> None:
    """To the pair, in a few rounds, and within the budget."""
    planner = planner_of(need, size)
    plan, results = run_plan(planner, World(rates_of(chances, 2 / ATTEMPTS), seed).make)
    for name, progress in progress_of(planner, plan, results).items():
        assert progress.accepted == progress.need, name
        assert progress.tried <= progress.budget
    assert plan.rounds <= 12
    assert all(row.want <= size for row in plan.rows)


@given(needs, sizes, chances, seeds, st.floats(0.0, 0.6), st.floats(1.0, 30.0))
def test_whatever_the_rates_it_ends_within_the_budget(  # noqa: PLR0917
    need: dict[CarClass, int], size: int, chances: list[float], seed: int, lost: float, attempts: float
) -> None:
    planner = planner_of(need, size, attempts)
    plan, results = run_plan(planner, World(rates_of(chances), seed, lost).make)
    for progress in progress_of(planner, plan, results).values():
        assert progress.accepted <= progress.need and progress.tried <= progress.budget
        assert (progress.accepted < progress.need) == progress.given_up
    assert all(row.tries >= row.want > 0 for row in plan.rows)
    again, _ = run_plan(planner, World({}).make, plan, results)  # what was given up is not tried for ever
    assert again == plan


def test_a_hopeless_class_ends_long_before_its_budget() -> None:
    planner = planner_of({FRONT: 500, BACK: 20}, 64)
    plan, results = run_plan(planner, World({"front-left-5": 0.0, "back-right-3": 0.5}).make)
    front, back = progress_of(planner, plan, results).values()
    assert front.given_up and front.hopeless and front.tried < 0.5 * front.budget
    assert back.accepted == 20


def test_what_was_seen_makes_later_rounds_fit() -> None:
    """A class that gets its target raised is asked for at the rate that its first pairs had."""
    world = World({"front-left-5": 0.9})
    plan, results = run_plan(planner_of({FRONT: 100}, 100), world.make)
    raised = planner_of({FRONT: 200}, 100).extend(plan, list(results.values()))
    assert raised.rows[0].tries > 4 * 100 and 100 < raised.rows[-1].tries < 130


def test_pairs_lost_after_their_shards_were_made_are_made_up_for() -> None:
    planner = planner_of({FRONT: 60}, 16)
    plan, results = run_plan(planner, World({"front-left-5": 0.6}, lost=0.3).make)
    assert progress_of(planner, plan, results)["front-left-5"].accepted == 60 and plan.rounds > 1


def test_other_bounds_of_the_gate_change_what_is_lacking() -> None:
    """Shards are judged again: stricter bounds top up, milder ones leave a surplus and ask for nothing."""
    planner, world = planner_of({FRONT: 40}, 16), World({"front-left-5": 0.5})
    plan, results = run_plan(planner, world.make)
    stricter = {name: replace(report, accepted=report.accepted - 2) for name, report in results.items()}
    longer, more = run_plan(planner, world.make, plan, dict(stricter))
    assert longer.rows[: len(plan.rows)] == plan.rows and len(longer.rows) > len(plan.rows)
    assert progress_of(planner, longer, more)["front-left-5"].accepted == 40
    milder = {name: replace(report, accepted=report.accepted + 2) for name, report in results.items()}
    assert run_plan(planner, world.make, plan, milder)[0] == plan


@given(needs, sizes, chances, seeds, st.data())
@settings(max_examples=60)
def test_an_interruption_anywhere_gives_the_same_plan(
    need: dict[CarClass, int], size: int, chances: list[float], seed: int, data: st.DataObject
) -> None:
    """Shards end in any order, the run is killed after any of them, also between a round and the next."""
    planner, world = planner_of(need, size), World(rates_of(chances), seed)
    whole, results = run_plan(planner, world.make)
    plan, there = real_plan("inputs", {"train": []}, 1), Results()
    for _ in range(1000):
        plan = after(planner, plan, there)
        left = [row for row in plan.rows if row.shard not in there]
        if not left:
            break
        some = data.draw(st.lists(st.sampled_from(left), unique=True, max_size=len(left)), "made before the kill")
        there |= {row.shard: world.make(row) for row in some or left[:1]}
    assert plan == whole and there == results


@given(needs, sizes, chances, seeds, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_shards_that_were_lost_are_made_again_and_no_others(
    need: dict[CarClass, int], size: int, chances: list[float], seed: int, random: object
) -> None:
    planner, world = planner_of(need, size), World(rates_of(chances), seed)
    whole, results = run_plan(planner, world.make)
    assume(results)
    lost = random.choice(sorted(results))  # type: ignore[attr-defined]
    made: Counter[str] = Counter()

    def count(row: PlanRow) -> ShardReport:
        made[row.shard] += 1
        return world.make(row)

    kept = {name: report for name, report in results.items() if name != lost}
    again, complete = run_plan(planner, count, whole, kept)
    assert again == whole and complete == results and made == {lost: 1}


def target(share: float, *classes: CarClass) -> tuple[PartTarget, ...]:
    return (PartTarget("trunk", 2, share, classes or (BACK,)),)


@given(st.floats(0.02, 0.3), st.integers(0, 40), st.integers(1, 20), st.floats(0.2, 1.0), seeds)
def test_a_part_target_is_reached(share: float, need: int, size: int, chance: float, seed: int) -> None:
    try:
        planner = Planner({FRONT: 5, BACK: need}, size, ATTEMPTS, REAL, target(share))
    except ConfigError:
        assume(False)  # it would take too many
    world = World({"front-left-5": 0.5, "back-right-3": chance}, seed, shown=(0.5, 0.31, 0.19))
    plan, results = run_plan(planner, world.make)
    found = progress_of(planner, plan, results)
    total = planner.total(found)
    assert planner.targets[0].holds(total)
    if found["back-right-3"].accepted > need:  # no pair was added for nothing
        assert not planner.targets[0].holds(total - np.array(world.shown))


def test_a_part_target_that_made_pairs_do_not_show_ends_and_says_so() -> None:
    planner = Planner({FRONT: 0, BACK: 0}, 8, ATTEMPTS, REAL, target(0.1))
    plan, results = run_plan(planner, World({"back-right-3": 0.9}, shown=(0.5, 0.5, 0.0)).make)
    found = progress_of(planner, plan, results)
    assert not planner.targets[0].holds(planner.total(found))
    assert found["back-right-3"].accepted > 0 and found["back-right-3"].todo == 0


def test_a_part_target_moves_to_the_other_class_where_one_is_hopeless() -> None:
    planner = Planner({FRONT: 0, BACK: 0, BACK.mirror: 0}, 8, ATTEMPTS, with_mirror(), target(0.1, BACK, BACK.mirror))
    plan, results = run_plan(planner, World({"back-right-3": 0.0, "back-left-3": 0.9}).make)
    found = progress_of(planner, plan, results)
    assert found["back-right-3"].accepted == 0 and planner.targets[0].holds(planner.total(found))
    assert planner.classes == [BACK, BACK.mirror]


def with_mirror() -> Profiles:
    return replace(REAL, means={**REAL.means, BACK.mirror: REAL.means[BACK]})


def test_a_part_target_counts_what_the_class_targets_bring() -> None:
    """(0.1 * 5.1 - 0.1) / (0.2 - 0.1 * 0.5) = 2.7: three pairs, of which the class's own target brings two."""
    first = real_plan("inputs", {"train": []}, 1)
    alone = Planner({BACK: 0}, 8, ATTEMPTS, REAL, target(0.1)).extend(first, [])
    both = Planner({BACK: 2}, 8, ATTEMPTS, REAL, target(0.1)).extend(first, [])
    enough = Planner({BACK: 7}, 8, ATTEMPTS, REAL, target(0.1)).extend(first, [])
    assert [plan.rows[0].want for plan in (alone, both, enough)] == [3, 3, 7]


def test_part_targets_out_of_reach_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"trunk=39.90%: more than 4 times"):
        Planner({BACK: 0}, 8, ATTEMPTS, REAL, target(0.399))
