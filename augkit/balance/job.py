"""``augkit balance`` as a function: plan, train what is missing, generate, write the index."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass, field
from functools import cached_property

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
from augkit.shards.writer import commit_file, read_commit, tar_file
from augkit.train.checkpoint import digest
from augkit.train.hooks import Report
from augkit.train.image import load_photo_sampler
from augkit.train.stages import STAGES, Stage, Studio
from augkit.train.task import MODEL, is_finished
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
    """A class in the plan: its real pairs, ``training`` of them for training, and what the target lacks beside these.

    ``todo`` of the needed pairs are yet to be generated; the others are in committed shards, or were given up there.
    """

    car_class: CarClass
    real: int
    training: int
    need: int
    todo: int
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
    """The job of one workspace.

    Raises DataError where the workspace does not fit together, and ConfigError for an order that cannot be.
    """

    def __init__(self, workspace: Workspace, settings: Settings, order: Order) -> None:
        self.workspace, self.settings, self.order = workspace, settings, order
        self.studio = Studio.open(workspace, settings)
        self.rows: list[CatalogueRow] = usable(read_catalogue(workspace.require_catalogue()))
        self.training = count_classes(self.studio.rows.rows)
        self.real = count_classes(self.rows)
        self.need = deficits(self.training, list(self.real), order.target, order.only)
        self._check_schema()
        self._check_training()

    @cached_property
    def plan(self) -> Plan:
        """All rows, those of an earlier run first. Raises ConfigError where that run had other inputs."""
        inputs = self._inputs()
        earlier = None if self.order.fresh else load_plan(open_storage(self.workspace.shards))
        if earlier is not None and earlier.inputs != inputs:
            raise ConfigError(
                f"{self.workspace.shards}: its shards were made from other pairs or settings",
                "the inputs they were made from",
                "--fresh removes these shards and makes new ones",
            )
        return make_plan(inputs, [row.id for row in self.rows], self.need, self.settings.balance.shard_size, earlier)

    def lines(self) -> list[Line]:
        """The plan by class, as far as it is done now."""
        todo = Plan("", tuple(self._left())).generated()
        model = self.studio.model
        return [
            Line(
                c, count, self.training.get(c, 0), self.need.get(c, 0), todo.get(c.name, 0),
                model("mask", c), model("image", c),
            )
            for c, count in self.real.items()
        ]  # fmt: skip

    def generated(self) -> list[CarClass]:
        """Classes of which the plan holds generated pairs."""
        return [CarClass.parse(name) for name in self.plan.generated()]

    def untrained(self) -> list[tuple[Stage, str]]:
        """Models to be trained first."""
        return self.studio.missing(self.generated())

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
        pairs = sum(Plan("", tuple(self._left())).generated().values())
        if not pairs or self.untrained():
            return None if pairs else 0.0
        car_class, size = self.generated()[0], self.settings.image.size
        mask = resize_mask(read_mask(self.workspace.mask(self.rows[0].id)), size)[None]
        sampler, _ = load_photo_sampler(self.studio.folder("image", self.studio.model("image", car_class)))
        sampler.paint(mask, car_class, [0])  # the first call allocates
        began = time.monotonic()
        sampler.paint(mask, car_class, [1])
        return (time.monotonic() - began) * pairs / self.settings.balance.workers

    def generate(self, progress: Progress) -> Outcome:
        """Makes what the plan asks for and is not committed yet; then the index and the manifest.

        Raises ConfigError where the shards here were made from other inputs, and whatever the executor raises.
        """
        plan, storage = self.plan, open_storage(self.workspace.shards)
        if self.order.fresh:
            _clear(storage)
        digests, todo, outcome = self._digests(), self._left(), Outcome()
        if todo:
            storage.remove(MANIFEST_FILE)  # no manifest, no data set: nobody reads it while it grows
            plan.save(storage)
            for result in EXECUTORS[self.order.executor](self._job(digests), todo, progress):
                if isinstance(result, Failure):
                    outcome.failures.append(result)
                    _discard(storage, result.shard)
                else:
                    outcome.generated_now += result.accepted if result.class_name else 0
        committed = [row for row in plan.rows if _is_committed(storage, row, digests)]
        outcome.reports = [_report_of(storage, row) for row in committed]
        for report in outcome.reports:
            outcome.accepted[report.class_name] = outcome.accepted.get(report.class_name, 0) + report.accepted
        finish(storage, [row.shard for row in committed], self.studio.schema, plan.digest, versions())
        return outcome

    def _left(self) -> list[PlanRow]:
        """Rows that are not committed, or that a model made which has been trained again since."""
        storage, digests = open_storage(self.workspace.shards), self._digests()
        return [row for row in self.plan.rows if self.order.fresh or not _is_committed(storage, row, digests)]

    def _check_schema(self) -> None:
        channels = self.studio.schema.channels
        foreign = [row.id for row in self.rows if len(row.histogram) != channels]
        if foreign:
            raise DataError(
                f"{self.workspace.schema}: {channels - 1} parts, but {self.workspace.catalogue} counts "
                f"{len(self.rows[0].histogram) - 1} ({len(foreign)} rows do not fit)",
                "the part schema that the pairs were imported with",
                "import the data again",
            )

    def _check_training(self) -> None:
        alone = [c.name for c, need in self.need.items() if need and not {c, c.mirror} & set(self.training)]
        if alone:
            raise DataError(
                f"{', '.join(alone)}: pairs are needed, but every real one is held out",
                "at least one training pair of the class or of its mirror image",
                "import more photos of it, or name the other classes with --only",
            )

    def _inputs(self) -> str:
        """Digest of what the whole plan depends on: the pairs and the settings."""
        balance = self.settings.balance
        cut = ("id", "sha256", "split", "orientation", "doors", "crop_x", "crop_y", "crop_side", "size", "histogram")
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

    def _digests(self) -> dict[str, str]:
        """The digest of each row with the models of its class: a retrained model makes its shards stale."""
        used = {c.name: [self._weights(stage, c) for stage in STAGES] for c in self.generated()}
        return {row.shard: row.digest(self.plan.inputs, used.get(row.class_name, [])) for row in self.plan.rows}

    def _weights(self, stage: Stage, car_class: CarClass) -> str:
        """Hash of the model that serves a class; empty where it is not trained yet."""
        folder = self.studio.folder(stage, self.studio.model(stage, car_class))
        return digest(folder / MODEL) if is_finished(folder) else ""

    def _job(self, digests: dict[str, str]) -> Job:
        models = {
            c.name: Models(*(self.studio.folder(stage, self.studio.model(stage, c)).resolve() for stage in STAGES))
            for c in self.generated()
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


def _clear(storage: Storage) -> None:
    """Removes a data set, the manifest first."""
    for name in (MANIFEST_FILE, PLAN_FILE, INDEX_FILE, *storage.names()):
        if name.startswith(("shard-", "commits/")) or name in (MANIFEST_FILE, PLAN_FILE, INDEX_FILE):
            storage.remove(name)


def _discard(storage: Storage, shard: str) -> None:
    """Removes what an earlier run left of a shard that was given up."""
    storage.remove(commit_file(shard))
    storage.remove(tar_file(shard))


def train_missing(balance: Balance, report: Report) -> None:
    """Trains what ``untrained`` lists, going on from checkpoints that an interrupted run left."""
    for stage, name in balance.untrained():
        balance.studio.train(stage, name, resume=True, report=report)
