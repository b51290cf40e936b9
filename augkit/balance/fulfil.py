"""Filling a plan: what is planned less what is committed is made by an executor; then the index and the manifest."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from augkit import __version__
from augkit.balance.executors import Failure
from augkit.balance.plan import PLAN_FILE, Plan, PlanRow, load_plan
from augkit.balance.worker import Progress, ShardReport
from augkit.data.catalogue import CatalogueRow
from augkit.errors import ConfigError, DataError
from augkit.parts import PartSchema
from augkit.shards.index import INDEX_FILE, MANIFEST_FILE, finish
from augkit.shards.storage import Storage
from augkit.shards.writer import aside_file, commit_file, read_commit, tar_file

Run = Callable[[Sequence[PlanRow], Progress], Iterator[ShardReport | Failure]]
"""An executor with its job."""


@dataclass
class Outcome:
    """What a run did. ``short`` lists classes that miss their target: name -> (wanted, accepted, tried, reasons)."""

    accepted: dict[str, int] = field(default_factory=dict)
    reports: list[ShardReport] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    generated_now: int = 0

    @property
    def short(self) -> dict[str, list[ShardReport]]:
        """Reports of shards that hold fewer pairs than planned, by class."""
        found: dict[str, list[ShardReport]] = {}
        for report in self.reports:
            if report.accepted < report.wanted:
                found.setdefault(report.class_name, []).append(report)
        return found


@dataclass(frozen=True)
class Fulfilment:
    """A plan, the digest of each of its rows, and the place where its shards are, or will be.

    With ``fresh`` nothing that is there counts.
    """

    storage: Storage
    plan: Plan
    digests: Mapping[str, str]
    schema: PartSchema
    fresh: bool

    def left(self) -> list[PlanRow]:
        """Rows that are not committed, or that were committed under another digest."""
        return [row for row in self.plan.rows if self.fresh or not self._is_committed(row)]

    def run(self, execute: Run, progress: Progress) -> Outcome:
        """Makes what is left, then writes the index and the manifest. Raises what the executor raises."""
        if self.fresh:
            _clear(self.storage)
        todo, outcome = self.left(), Outcome()
        if todo:
            self.storage.remove(MANIFEST_FILE)  # no manifest, no data set: nobody reads it while it grows
            self.plan.save(self.storage)
            for result in execute(todo, progress):
                if isinstance(result, Failure):
                    outcome.failures.append(result)
                    _discard(self.storage, result.shard)
                else:
                    outcome.generated_now += result.accepted if result.class_name else 0
        committed = [row for row in self.plan.rows if self._is_committed(row)]
        outcome.reports = [_report_of(self.storage, row) for row in committed]
        for report in outcome.reports:
            outcome.accepted[report.class_name] = outcome.accepted.get(report.class_name, 0) + report.accepted
        finish(self.storage, [row.shard for row in committed], self.schema, self.plan.digest, versions())
        return outcome

    def _is_committed(self, row: PlanRow) -> bool:
        commit = read_commit(self.storage, row.shard)
        return commit is not None and commit.row_digest == self.digests[row.shard]


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


def facts_of(rows: Sequence[CatalogueRow]) -> list[list[object]]:
    """What of the real pairs the bytes of shards depend on, as plain data."""
    cut = ("id", "sha256", "split", "orientation", "doors", "crop_x", "crop_y", "crop_side", "size", "histogram")
    return [[getattr(row, name) for name in cut] for row in rows]


def versions() -> dict[str, str]:
    """What made the shards."""
    return {"augkit": __version__, "torch": torch.__version__, "python": platform.python_version()}


def _report_of(storage: Storage, row: PlanRow) -> ShardReport:
    commit = read_commit(storage, row.shard)
    if commit is None:
        raise DataError(f"{row.shard}: its commit record has gone", "a committed shard", "run the command again")
    table = commit.table
    accepted = sum(table["accepted"].to_pylist())
    reasons: dict[str, int] = {}
    for reason in (reason for listed in table["reasons"].to_pylist() for reason in listed):
        reasons[reason] = reasons.get(reason, 0) + 1
    return ShardReport(row.shard, row.class_name, row.want, accepted, len(table), reasons)


def _clear(storage: Storage) -> None:
    """Removes a data set, the manifest first."""
    for name in (MANIFEST_FILE, PLAN_FILE, INDEX_FILE, *storage.names()):
        if name.startswith(("shard-", "aside/", "commits/")) or name in (MANIFEST_FILE, PLAN_FILE, INDEX_FILE):
            storage.remove(name)


def _discard(storage: Storage, shard: str) -> None:
    """Removes what an earlier run left of a shard that was given up."""
    storage.remove(commit_file(shard))
    storage.remove(tar_file(shard))
    storage.remove(aside_file(shard))
