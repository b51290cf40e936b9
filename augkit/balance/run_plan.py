"""Filling a plan: what is planned less what is committed is made by an executor, round after round until nothing is
lacking; then the index and the manifest."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import torch

from augkit import __version__
from augkit.balance.executors import Failure, Fleet, ShardTask
from augkit.balance.plan import Plan, PlanRow, load_plan
from augkit.balance.planner import ClassProgress
from augkit.balance.shard_job import ShardReport
from augkit.balance.shards_by_class import ShardsByClass
from augkit.core.errors import ConfigError
from augkit.core.parts import PartSchema
from augkit.core.progress import Progress
from augkit.core.storage import Storage
from augkit.data.catalogue import SPLITS, CatalogueRow
from augkit.shards.commit import aside_file, commit_file, tar_file
from augkit.shards.commit_records import CommitFacts, CommitRecords
from augkit.shards.index import INDEX_FILE, MANIFEST_FILE, PLAN_FILE, WITHDRAWN, finish
from augkit.shards.shard_names import is_shard

Extend = Callable[[Plan, Sequence[ShardReport]], Plan]
"""What plans the next round, from the reports of those before it; the same plan where nothing is lacking."""


@dataclass
class RunOutcome:
    """What a run did; ``accepted`` by class name (real pairs under the empty one), ``reports`` of all committed shards.

    ``short`` says where classes stand that miss their target.
    """

    accepted: dict[str, int] = field(default_factory=dict)
    reports: list[ShardReport] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    short: dict[str, ClassProgress] = field(default_factory=dict)
    generated_now: int = 0
    rounds: int = 0


def complete(plan: Plan, reports: Sequence[ShardReport]) -> Plan:
    """The null extension, for plans whose pairs are all accepted."""
    del reports
    return plan


@dataclass(frozen=True)
class PlanRun:
    """A plan, what tells the digest of a row, and the records of the place where its shards are, or will be.

    With ``fresh`` nothing that is there counts. The manifest gets ``judges`` beside what made the shards.
    """

    records: CommitRecords
    plan: Plan
    digest: Callable[[PlanRow], str]
    schema: PartSchema
    fresh: bool
    extend: Extend = complete
    judges: Mapping[str, str] = field(default_factory=dict)

    @property
    def storage(self) -> Storage:
        """Where the shards are."""
        return self.records.storage

    def left(self) -> list[PlanRow]:
        """Rows that are not committed, or that were committed under another digest."""
        done = set() if self.fresh else {report.shard for report in self._reports(self.plan)}
        return [row for row in self.plan.rows if row.shard not in done]

    def run(self, execute: Fleet, progress: Progress) -> RunOutcome:
        """Makes what is left, then writes the index and the manifest. ``progress`` is told of classes.

        Raises what the executor raises. A shard that was given up ends it after its round: what is lacking is known
        once all shards are there.
        """
        if self.fresh:
            _clear(self.storage)
            self.records.forget(self.records.there())
        plan, longer, outcome, shards = replace(self.plan, rows=()), self.plan, RunOutcome(), ShardsByClass(progress)
        while longer != plan and not outcome.failures:
            plan = longer
            outcome.reports = self._round(plan, execute, shards, outcome)
            longer = self.extend(plan, outcome.reports)
        for report in outcome.reports:
            outcome.accepted[report.class_name] = outcome.accepted.get(report.class_name, 0) + report.accepted
        outcome.rounds = plan.rounds
        self._finish(plan, outcome.reports)
        return outcome

    def _round(self, plan: Plan, execute: Fleet, shards: ShardsByClass, outcome: RunOutcome) -> list[ShardReport]:
        """Makes what the plan lacks; returns the reports of all its committed shards. The place is listed
        once, and of the records those alone are read that were not before."""
        self.records.look_again()
        done = {report.shard for report in self._reports(plan)}
        todo = [row for row in plan.rows if row.shard not in done]
        if todo:
            for file in (MANIFEST_FILE, WITHDRAWN):  # no manifest, no data set: nobody reads it while it grows
                self.storage.remove(file)
            plan.save(self.storage)
            shards.begin(todo)
            for result in execute([ShardTask(row, self.digest(row)) for row in todo], shards):
                if isinstance(result, Failure):
                    outcome.failures.append(result)
                    _discard(self.storage, result.shard)
                else:
                    outcome.generated_now += result.accepted if result.class_name else 0
            self.records.forget(row.shard for row in todo)
        return self._reports(plan)

    def _finish(self, plan: Plan, reports: Sequence[ShardReport]) -> None:
        """Leaves the data set of the plan, and no shards of rounds that it was planned without."""
        self.storage.remove(MANIFEST_FILE)  # it names the plan that is there
        planned = {row.shard for row in plan.rows}
        there = {PurePosixPath(name).stem for name in self.storage.names()}
        for shard in sorted(name for name in there - planned if is_shard(name)):
            _discard(self.storage, shard)
        plan.save(self.storage)
        named = versions(plan) | dict(self.judges)
        shards = [report.shard for report in reports]
        finish(self.storage, shards, self.schema, plan.digest, named, scores=self.records.columns(shards))

    def _reports(self, plan: Plan) -> list[ShardReport]:
        return committed(self.records, plan.rows, self.digest)


def committed(records: CommitRecords, rows: Iterable[PlanRow], digest: Callable[[PlanRow], str]) -> list[ShardReport]:
    """What became of the rows, in their order, as far as their shards are there."""
    found = ((row, records.facts(row.shard)) for row in rows)
    return [_report(row, facts) for row, facts in found if facts is not None and facts.row_digest == digest(row)]


def earlier_plan(storage: Storage, inputs: str, fresh: bool) -> Plan | None:
    """The plan that the shards here follow. Raises ConfigError where it had other inputs."""
    earlier = None if fresh else load_plan(storage)
    if earlier is not None and earlier.inputs != inputs:
        raise ConfigError(
            f"{storage}: its shards were made from other pairs or settings",
            "the inputs they were made from",
            "--fresh removes these shards and makes new ones",
        )
    return earlier


def keys_by_split(rows: Iterable[CatalogueRow]) -> dict[str, list[str]]:
    """Ids of real pairs by split, those for training first."""
    keys: dict[str, list[str]] = {split: [] for split in SPLITS}
    for row in rows:
        keys[row.split].append(row.id)
    return keys


def facts_of(rows: Sequence[CatalogueRow]) -> list[list[object]]:
    """What of the real pairs the bytes of shards depend on, as plain data."""
    cut = ("id", "sha256", "split", "orientation", "doors", "crop_x", "crop_y", "crop_side", "size", "histogram")
    return [[getattr(row, name) for name in cut] for row in rows]


def versions(plan: Plan) -> dict[str, str]:
    """What made the shards, in which precision, on which kind of device and how many at once."""
    found = {"augkit": __version__, "torch": torch.__version__, "python": platform.python_version()}
    made = {"device": plan.device, "batch": str(plan.batch)} if plan.begun else {}
    return found | ({"precision": plan.precision, **made} if plan.precision else {})


def _report(row: PlanRow, facts: CommitFacts) -> ShardReport:
    return ShardReport(
        row.shard, row.class_name, row.want, facts.accepted, facts.tried, facts.reasons, facts.painted, facts.areas,
        row.kind,
    )  # fmt: skip


def _clear(storage: Storage) -> None:
    """Removes a data set, the manifest first."""
    for name in (MANIFEST_FILE, PLAN_FILE, INDEX_FILE, *storage.names()):
        made = name.startswith(("aside/", "commits/")) or is_shard(name.removesuffix(".tar"))
        if made or name in (MANIFEST_FILE, PLAN_FILE, INDEX_FILE):
            storage.remove(name)


def _discard(storage: Storage, shard: str) -> None:
    """Removes what an earlier run left of a shard that was given up."""
    storage.remove(commit_file(shard))
    storage.remove(tar_file(shard))
    storage.remove(aside_file(shard))
