"""``augkit balance`` as a function: plan, train what is missing, generate, write the index."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property, partial

from augkit.balance.executors import EXECUTORS
from augkit.balance.fulfil import Fulfilment, Outcome, earlier_plan, facts_of
from augkit.balance.plan import Plan, deficits, digest_of, make_plan
from augkit.balance.worker import Job, Models, Progress
from augkit.classes import CarClass
from augkit.config import Settings
from augkit.data.catalogue import CatalogueRow, count_classes, read_catalogue, usable
from augkit.data.crop import resize_mask
from augkit.data.pictures import read_mask
from augkit.errors import DataError
from augkit.shards.storage import open_storage
from augkit.train.checkpoint import digest
from augkit.train.hooks import Report
from augkit.train.image import load_photo_sampler
from augkit.train.stages import STAGES, Stage, Studio
from augkit.train.task import MODEL, is_finished
from augkit.workspace import Workspace

__all__ = ["Balance", "Line", "Order", "Outcome", "train_missing"]


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
        earlier = earlier_plan(open_storage(self.workspace.shards), inputs, self.order.fresh)
        return make_plan(inputs, [row.id for row in self.rows], self.need, self.settings.balance.shard_size, earlier)

    def lines(self) -> list[Line]:
        """The plan by class, as far as it is done now."""
        todo = Plan("", tuple(self._fulfilment().left())).generated()
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
        pairs = sum(Plan("", tuple(self._fulfilment().left())).generated().values())
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
        fulfilment = self._fulfilment()
        job = self._job(dict(fulfilment.digests))
        return fulfilment.run(partial(EXECUTORS[self.order.executor], job), progress)

    def _fulfilment(self) -> Fulfilment:
        """A model that was trained again since makes the shards of its classes stale."""
        storage = open_storage(self.workspace.shards)
        return Fulfilment(storage, self.plan, self._digests(), self.studio.schema, self.order.fresh)

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
        return digest_of(
            {
                "rows": facts_of(self.rows),
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


def train_missing(balance: Balance, report: Report) -> None:
    """Trains what ``untrained`` lists, going on from checkpoints that an interrupted run left."""
    for stage, name in balance.untrained():
        balance.studio.train(stage, name, resume=True, report=report)
