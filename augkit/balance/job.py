"""``augkit balance`` as a function: plan, train what is missing, generate, write the index."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from augkit import __version__
from augkit.balance.executors import EXECUTORS, Failure
from augkit.balance.plan import PLAN_FILE, Plan, PlanRow, deficits, digest_of, load_plan, make_plan
from augkit.balance.worker import Job, Models, Progress, ShardReport
from augkit.classes import CarClass
from augkit.config import Settings
from augkit.data.catalogue import CatalogueRow, count_classes, read_catalogue, usable
from augkit.data.crop import resize_mask
from augkit.data.pairs import read_mask
from augkit.errors import ConfigError, DataError
from augkit.shards.index import INDEX_FILE, MANIFEST_FILE, finish
from augkit.shards.storage import Storage, open_storage
from augkit.shards.writer import read_commit
from augkit.train.checkpoint import digest
from augkit.train.image import load_photo_sampler
from augkit.train.stages import STAGES, Stage, Studio
from augkit.train.task import MODEL
from augkit.workspace import Workspace


@dataclass(frozen=True)
class Order:
    """What was asked for."""

    target: int
    only: tuple[CarClass, ...] = ()
    executor: str = "local"
    fresh: bool = False


@dataclass(frozen=True)
class Line:
    """A class in the plan: its real pairs (``training`` of them for training), and how many are to be generated."""

    car_class: CarClass
    real: int
    training: int
    need: int
    mask_model: str
    image_model: str


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


class Balance:
    """The job of one workspace."""

    def __init__(self, workspace: Workspace, settings: Settings, order: Order) -> None:
        self.workspace, self.settings, self.order = workspace, settings, order
        self.studio = Studio.open(workspace, settings)
        self.rows: list[CatalogueRow] = usable(read_catalogue(workspace.require_catalogue()))
        training = count_classes(self.studio.rows.rows)
        self.real = count_classes(self.rows)
        self.need = deficits(training, list(self.real), order.target, order.only)
        self.training = training

    def lines(self) -> list[Line]:
        """The plan by class."""
        return [
            Line(c, n, self.training.get(c, 0), self.need.get(c, 0), self.studio.model("mask", c), self.studio.model("image", c))
            for c, n in self.real.items()
        ]  # fmt: skip

    def lacking(self) -> list[CarClass]:
        """Classes that need generated pairs."""
        return [car_class for car_class, need in self.need.items() if need]

    def untrained(self) -> list[tuple[Stage, str]]:
        """Models to be trained first."""
        return self.studio.missing(self.lacking())

    def shards(self) -> int:
        """Shards of the whole data set."""
        return len(make_plan("", [row.id for row in self.rows], self.need, self.settings.balance.shard_size).rows)

    def bytes_per_pair(self) -> float:
        """Mean size of the real pairs' files, scaled to the output's area: what a pair will take, roughly."""
        some = self.rows[:: max(1, len(self.rows) // 50)]
        paths = [path for row in some for path in (self.workspace.photo(row.id), self.workspace.mask(row.id))]
        mean = sum(path.stat().st_size for path in paths) / len(some)
        return mean * (self.settings.image.size / some[0].size) ** 2 + 3 * 1024  # three tar headers with padding

    def seconds(self) -> float | None:
        """Generation time, from painting one real mask with the model at hand; None where none is trained.

        Counts one candidate a pair: what the gate rejects comes on top.
        """
        lacking = self.lacking()
        if not lacking or self.untrained():
            return None if lacking else 0.0
        folder = self.studio.folder("image", self.studio.model("image", lacking[0]))
        size = self.settings.image.size
        mask = resize_mask(read_mask(self.workspace.mask(self.rows[0].id)), size)[None]
        sampler, _ = load_photo_sampler(folder)
        sampler.paint(mask, lacking[0], [0])  # the first call allocates
        began = time.monotonic()
        sampler.paint(mask, lacking[0], [1])
        return (time.monotonic() - began) * sum(self.need.values()) / self.settings.balance.workers

    def generate(self, progress: Progress) -> Outcome:
        """Makes what the plan asks for and is not committed yet; then the index and the manifest.

        Raises ConfigError where the shards here were made from other inputs, and whatever the executor raises.
        """
        storage = open_storage(self.workspace.shards)
        plan = self._plan(storage)
        digests = self._digests(plan)
        todo = [row for row in plan.rows if not _is_committed(storage, row, digests)]
        outcome = Outcome()
        if todo:
            storage.remove(MANIFEST_FILE)  # no manifest, no data set: nobody reads it while it grows
            plan.save(storage)
            for result in EXECUTORS[self.order.executor](self._job(plan, digests), todo, progress):
                if isinstance(result, Failure):
                    outcome.failures.append(result)
                else:
                    outcome.generated_now += result.accepted if result.class_name else 0
        committed = [row for row in plan.rows if _is_committed(storage, row, digests)]
        outcome.reports = [_report_of(storage, row) for row in committed]
        for report in outcome.reports:
            outcome.accepted[report.class_name] = outcome.accepted.get(report.class_name, 0) + report.accepted
        finish(storage, [row.shard for row in committed], self.studio.schema, plan.digest, versions())
        return outcome

    def _plan(self, storage: Storage) -> Plan:
        inputs = self._inputs()
        if self.order.fresh:
            for name in storage.names():
                if name.startswith(("shard-", "commits/")) or name in (PLAN_FILE, INDEX_FILE, MANIFEST_FILE):
                    storage.remove(name)
        earlier = load_plan(storage)
        if earlier is not None and earlier.inputs != inputs:
            raise ConfigError(
                f"{self.workspace.shards}: its shards were made from other pairs or settings",
                "the inputs they were made from",
                "--fresh removes these shards and makes new ones",
            )
        return make_plan(inputs, [row.id for row in self.rows], self.need, self.settings.balance.shard_size, earlier)

    def _inputs(self) -> str:
        """Digest of what the whole plan depends on: the pairs and the settings."""
        balance = self.settings.balance
        cut = ("id", "sha256", "split", "orientation", "doors", "crop_x", "crop_y", "crop_side")
        return digest_of(
            {
                "rows": [[getattr(row, name) for name in cut] for row in self.rows],
                "schema": self.studio.schema.digest,
                "seed": self.settings.seed,
                "size": self.settings.image.size,
                "gate": self.settings.gate.model_dump(mode="json"),
                "balance": balance.model_dump(exclude={"target_per_class", "workers", "retries"}),
            }
        )

    def _digests(self, plan: Plan) -> dict[str, str]:
        """The digest of each row with the models of its class: a retrained model makes its shards stale."""
        weights = {
            (stage, model): digest(self.studio.folder(stage, model) / MODEL)
            for stage, model in self.studio.needed(CarClass.parse(name) for name in plan.generated())
        }
        used = {
            name: [weights[stage, self.studio.model(stage, CarClass.parse(name))] for stage in STAGES]
            for name in plan.generated()
        }
        return {row.shard: row.digest(plan.inputs, used.get(row.class_name, [])) for row in plan.rows}

    def _job(self, plan: Plan, digests: dict[str, str]) -> Job:
        classes = [CarClass.parse(name) for name in plan.generated()]
        models = {
            c.name: Models(*(self.studio.folder(stage, self.studio.model(stage, c)).resolve() for stage in STAGES))
            for c in classes
        }
        place = Workspace(self.workspace.root.resolve())
        return Job(place, str(place.shards), self.settings, self.settings.image.size, digests, models)


def versions() -> dict[str, str]:
    """What made the shards."""
    return {"augkit": __version__, "torch": torch.__version__, "python": platform.python_version()}


def _is_committed(storage: Storage, row: PlanRow, digests: dict[str, str]) -> bool:
    commit = read_commit(storage, row.shard)
    return commit is not None and commit.row_digest == digests[row.shard]


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


def train_missing(
    balance: Balance, announce: Callable[[Stage, str], Any], report: Callable[[str, int, int], None]
) -> Sequence[tuple[Stage, str]]:
    """Trains what ``untrained`` lists, going on from checkpoints that an interrupted run left."""
    models = balance.untrained()
    for stage, name in models:
        announce(stage, name)
        balance.studio.train(stage, name, resume=True, report=report)
    return models
