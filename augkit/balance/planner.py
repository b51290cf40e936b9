"""The planner: reads what became of the shards so far, and plans the next round until every target holds.

A class may cost at most ``candidates(wanted, 1 / attempts)`` candidates in all, and a round asks for as many as the
estimated accept rate needs. It is given up where they are spent, or where its rate is surely below half of
1 / attempts. So a class whose rate is higher than 1 / attempts reaches its target, but for bad luck, and everything
ends: each round spends candidates, or reaches what it was planned for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from augkit.balance.part_targets import MOST, Areas, ExtraPairs, PartTarget, Profiles, lift
from augkit.balance.plan import Kind, Plan, PlanRow, portions
from augkit.balance.rates import DOUBT, Rate, Rates, Tally, candidates
from augkit.balance.shard_job import ShardReport
from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError

BELIEF = 8
"""Accepted pairs that the mean real mask of a class counts for, in what its next pairs are expected to look like."""

SPARE = 1.25
"""Photos that were read which a round takes for each pair that is missing."""

PATIENCE = 3.0
"""Standard deviations of bad luck that the candidates of a class allow for."""


@dataclass(frozen=True)
class ClassProgress:
    """How far a class is: ``need`` pairs are what its own target lacks, ``extra`` ones are for part targets.

    ``painted`` of the ``tried`` candidates got a photo; ``budget`` is how many may be tried in all. ``pseudo`` of the
    accepted pairs are photos that a teacher read, which are no candidates; ``offered`` ones are still to be judged.
    """

    need: int
    accepted: int = 0
    tried: int = 0
    painted: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    areas: Areas = field(default_factory=lambda: np.zeros(1))
    rate: Rate = field(default_factory=lambda: Rates({}).pooled)
    extra: int = 0
    attempts: float = 1.0
    pseudo: int = 0
    offered: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        """Pairs that are wanted and not there."""
        return max(0, self.need - self.accepted) + self.extra

    @property
    def budget(self) -> int:
        """Candidates that may be tried in all."""
        return candidates(max(self.need, self.accepted) + self.extra, 1 / self.attempts, PATIENCE)

    @property
    def hopeless(self) -> bool:
        """Whether the accept rate is surely too low."""
        return self.tried > 0 and self.rate.chance_above(0.5 / self.attempts) < DOUBT

    @property
    def given_up(self) -> bool:
        """Whether pairs are missing that will not be tried for."""
        return self.missing > 0 and (self.hopeless or self.tried >= self.budget)

    @property
    def todo(self) -> int:
        """Pairs that are yet to be made."""
        return 0 if self.given_up else self.missing

    @property
    def candidates(self) -> int:
        """Candidates that ``todo`` is expected to take."""
        return math.ceil(max(0, self.todo - len(self.offered)) / self.rate.mean)

    def rows(self, class_name: str, shard_size: int, number: int, kind: Kind | None = "generated") -> Iterator[PlanRow]:
        """The class's part of a round: photos that were read as long as there are any, then candidates of the ``kind``
        if there are to be any, within what is left of its budget."""
        if self.missing and self.offered:
            yield from self._read_rows(class_name, shard_size, number)
            return
        if kind is None:
            return
        left = self.budget - self.tried
        for want in portions(self.todo, shard_size):
            tries = min(candidates(want, self.rate.mean), left)
            if tries > 0:
                yield PlanRow("", kind, class_name, min(want, tries), tries=tries, round=number)
            left -= tries

    def _read_rows(self, class_name: str, shard_size: int, number: int) -> Iterator[PlanRow]:
        """Photos that were read, some more than are missing: the gate will reject some."""
        keys = self.offered[: math.ceil(SPARE * self.missing)]
        left = self.missing
        for begin in range(0, len(keys), shard_size):
            some = keys[begin : begin + shard_size]
            if want := min(len(some), left):
                yield PlanRow("", "pseudo", class_name, want, some, len(some), number)
            left -= want


@dataclass(frozen=True)
class Planner:
    """Plans for what each class ``need``s, and for part targets. Raises ConfigError for targets that cannot be.

    ``read`` are the photos that a teacher read as each class, the best first: they are taken before anything is
    generated, and where nothing ``generates`` instead of it. Candidates of the ``rendered`` classes get the masks of
    rendered cars.
    """

    need: Mapping[CarClass, int]
    shard_size: int
    attempts: float
    profiles: Profiles
    targets: tuple[PartTarget, ...] = ()
    read: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    generates: bool = True
    rendered: frozenset[CarClass] = frozenset()

    def __post_init__(self) -> None:
        if not self._extra(self._bare(())).reached:
            asked = ", ".join(f"{target.name}={target.share:.2%}" for target in self.targets)
            raise ConfigError(
                f"--target-part {asked}: more than {MOST} times the pairs of the class targets are needed, or what "
                "lifts one part thins another",
                "smaller shares, or fewer parts at once",
            )

    @cached_property
    def classes(self) -> list[CarClass]:
        """Classes of which pairs may be asked for, now or in a later round."""
        serving = {car_class for target in self.targets for car_class in target.classes}
        return [c for c, need in self.need.items() if need or c in serving]

    def extend(self, plan: Plan, reports: Sequence[ShardReport]) -> Plan:
        """The plan with one round more, where pairs are missing though every shard of the rounds before is committed.

        ``reports`` are those of committed shards. Rounds whose results have gone are left out.
        """
        committed = {report.shard for report in reports}
        plan = plan.up_to_open_round(committed)
        if any(row.kind != "real" and row.shard not in committed for row in plan.rows):
            return plan
        kept = {row.shard for row in plan.rows}
        number = plan.rounds if plan.begun else 0
        progress = self.progress([report for report in reports if report.shard in kept], plan)
        size = self.shard_size
        return plan.with_rows(
            row for name, own in progress.items() for row in own.rows(name, size, number, self.kind_of(name))
        )

    def kind_of(self, class_name: str) -> Kind | None:
        """How candidates of a class are made; None where there are none."""
        if CarClass.parse(class_name) in self.rendered:
            return "rendered"
        return "generated" if self.generates else None

    def progress(self, reports: Iterable[ShardReport], plan: Plan | None = None) -> dict[str, ClassProgress]:
        """The progress of the classes after the reports, by name; photos that the ``plan`` tries are not offered."""
        known = list(reports)
        bare = self._bare(known)
        extra = self._extra(bare).pairs
        taken = _tried(plan, known) if plan is not None else set()
        offered = {name: tuple(key for key in keys if key not in taken) for name, keys in self.read.items()}
        return {
            c.name: replace(bare[c.name], extra=extra.get(c, 0), offered=offered.get(c.name, ())) for c in self.need
        }

    def total(self, progress: Mapping[str, ClassProgress]) -> Areas:
        """Areas of all parts over the real training pairs and the accepted ones."""
        return self.profiles.total + sum(own.areas for own in progress.values() if own.accepted)

    def expected(self, progress: Mapping[str, ClassProgress]) -> Areas:
        """Those areas with the pairs that are to be made."""
        means = self._means(progress)
        return self.total(progress) + sum(progress[c.name].todo * mean for c, mean in means.items())

    def _bare(self, reports: Iterable[ShardReport]) -> dict[str, ClassProgress]:
        """The progress without part targets; of classes that are not asked for now as well, where they have pairs."""
        found = {car_class.name: ClassProgress(need, attempts=self.attempts) for car_class, need in self.need.items()}
        for report in reports:
            if report.class_name:
                known = found.get(report.class_name, ClassProgress(0, attempts=self.attempts))
                found[report.class_name] = replace(
                    known,
                    accepted=known.accepted + report.accepted,
                    areas=known.areas + np.asarray(report.areas),
                    **_of_kind(known, report),
                )
        rates = Rates({name: Tally(own.accepted - own.pseudo, own.tried) for name, own in found.items()})
        return {name: replace(own, rate=rates.of(name)) for name, own in found.items()}

    def _extra(self, progress: Mapping[str, ClassProgress]) -> ExtraPairs:
        """What part targets ask for beside what the classes lack."""
        most = MOST * (self.profiles.pairs + sum(self.need.values()))
        added = sum(max(0, progress[c.name].accepted - need) for c, need in self.need.items())
        total = self.expected(progress)
        helpful = {c: mean for c, mean in self._means(progress).items() if not progress[c.name].given_up}
        while True:
            extra = lift(self.targets, total, helpful, most - added)
            lost = {c for c, more in extra.pairs.items() if replace(progress[c.name], extra=more).given_up}
            if not lost:
                return extra
            helpful = {c: mean for c, mean in helpful.items() if c not in lost}

    def _means(self, progress: Mapping[str, ClassProgress]) -> dict[CarClass, Areas]:
        """What the next pair of a class is expected to look like: real masks, then more and more its accepted pairs."""
        return {
            c: (BELIEF * self.profiles.means[c] + progress[c.name].areas) / (BELIEF + progress[c.name].accepted)
            for c in self.need
            if c in self.profiles.means
        }


def _tried(plan: Plan, reports: Iterable[ShardReport]) -> set[str]:
    """The photos that rows of a plan tried, or are going to: the last ones of a row may not have been needed."""
    tried = {report.shard: report.tried for report in reports}
    rows = (row for row in plan.rows if row.kind == "pseudo")
    return {key for row in rows for key in row.keys[: tried.get(row.shard, len(row.keys))]}


def _of_kind(known: ClassProgress, report: ShardReport) -> dict[str, Any]:
    """What a report adds besides: photos that were read are no candidates, and tell nothing of their accept rate."""
    if report.kind == "pseudo":
        return {"pseudo": known.pseudo + report.accepted}
    return {
        "tried": known.tried + report.tried, "painted": known.painted + report.painted,
        "reasons": known.reasons + Counter(report.reasons),
    }  # fmt: skip
