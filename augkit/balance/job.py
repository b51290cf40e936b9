"""``augkit balance`` as a function: plan, train what is missing, generate, write the index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from augkit.balance.asked_exemplar import exemplar_digest
from augkit.balance.device import DeviceChoice, choose_device
from augkit.balance.executors import EXECUTORS, Failure, ShardTask
from augkit.balance.mask_hardness import MaskHardness
from augkit.balance.part_targets import Profiles, part_targets
from augkit.balance.plain_options import fan_out, open_references, pair_format
from augkit.balance.plan import Plan, deficits, load_plan, rare, reachable, real_plan
from augkit.balance.planner import Planner
from augkit.balance.precision import PrecisionChoice, choose
from augkit.balance.read_photos import ReadPhotos
from augkit.balance.rendered_masks import rendered_masks
from augkit.balance.row_digests import RowDigests, inputs_digest
from augkit.balance.run_plan import PlanRun, RunOutcome, committed, earlier_plan, keys_by_split
from augkit.balance.shard_job import ClassModels, Job, ShardReport
from augkit.balance.worker import Worker
from augkit.core.classes import CarClass
from augkit.core.errors import DataError
from augkit.core.lock import held
from augkit.core.progress import Progress, silent
from augkit.core.storage import open_storage
from augkit.core.workspace import SHARDS, Workspace
from augkit.data.catalogue import CatalogueRow, count_classes, read_catalogue, usable
from augkit.data.part_name_faults import require_counterparts
from augkit.gate.fit import has_judges, load_gate, ready_gate
from augkit.gate.judge_again import RunVerdicts, summary, version_of
from augkit.gate.reference import ReferenceSet
from augkit.settings import Settings
from augkit.shards.commit_records import CommitRecords
from augkit.stages.model_store import STAGES, ModelStore, Stage
from augkit.stages.trainable import TRAINABLE


@dataclass(frozen=True)
class BalanceRequest:
    """What was asked for."""

    target: int
    only: tuple[CarClass, ...] = ()
    executor: str = "local"
    fresh: bool = False


class Balance:
    """The job of one workspace.

    Raises DataError where the workspace does not fit together, and ConfigError for a request that cannot be met.
    """

    def __init__(self, workspace: Workspace, settings: Settings, request: BalanceRequest) -> None:
        self.workspace, self.settings, self.request = workspace, settings, request
        self.store = ModelStore.open(workspace, settings)
        self.rows: list[CatalogueRow] = usable(read_catalogue(workspace.require_catalogue()))
        self.training, present = count_classes(self.store.rows.rows), count_classes(self.rows)
        balance = settings.balance
        self.generates, renders = "generated" in balance.sources, "rendered" in balance.sources
        self.real = {c: present.get(c, 0) for c in reachable(present, self.training, renders)}
        self.need = deficits(self.training, list(self.real), request.target, request.only)
        self._check_schema()
        self.rendered = rare(self.need, self.training, balance.rendered_below) if renders else frozenset[CarClass]()
        if renders:
            rendered_masks().check(self.store.schema)
            self.rendered = self.rendered if self.generates else frozenset(self.need)
        self._check_training()
        styled, size = TRAINABLE["image"].styled(settings), settings.image.size
        self.exemplar = exemplar_digest(settings.balance.exemplar, styled, workspace, self.store.schema, size)
        profiles = Profiles.of(self.store.rows.rows, self.store.schema)
        targets = part_targets(balance.target_parts, profiles, self.store.schema, self.need)
        self.read = ReadPhotos.of(workspace) if "pseudo" in balance.sources else ReadPhotos()
        self.planner = Planner(
            self.need, balance.shard_size, balance.attempts, profiles, targets, self.read.by_class(), self.generates,
            self.rendered,
        )  # fmt: skip

    @cached_property
    def plan(self) -> Plan:
        """All rows, those of an earlier run first. Raises ConfigError where that run had other inputs."""
        return self.planner.extend(self.begun, self.reports)

    @cached_property
    def reports(self) -> list[ShardReport]:
        """Of the shards that were committed when the job was opened."""
        return self._committed(CommitRecords(open_storage(self.workspace.shards)))

    @cached_property
    def begun(self) -> Plan:
        """The rows of an earlier run, or those of the real pairs alone."""
        inputs, storage = self.inputs(), open_storage(self.workspace.shards)
        earlier = earlier_plan(storage, inputs, self.request.fresh)
        begun = real_plan(inputs, keys_by_split(self.rows), self.settings.balance.shard_size)
        made = self.device
        return earlier or replace(begun, precision=self.computed.precision, device=made.kind, batch=made.batch)

    @cached_property
    def computed(self) -> PrecisionChoice:
        """What stage II computes in, in every worker. Raises ConfigError where the shards here are of another."""
        return choose(self.settings.balance.precision, self._earlier, self.device.kind)

    @cached_property
    def device(self) -> DeviceChoice:
        """What pairs are made on. Raises ConfigError where the shards here were made on something else."""
        asked = self.settings.balance
        batch = None if asked.batch == "auto" else asked.batch
        return choose_device(asked.device, batch, self.settings.image.size, self._earlier)

    @cached_property
    def _earlier(self) -> Plan | None:
        """What the shards here follow, whatever it was made from."""
        return None if self.request.fresh else load_plan(open_storage(self.workspace.shards))

    def generated(self) -> list[CarClass]:
        """Classes of which pairs are generated, or may be asked for in a later round."""
        planned = map(CarClass.parse, self.plan.generated())
        if not self.generates and not self.rendered:
            return []
        return list(dict.fromkeys([*self.planner.classes, *planned]))

    @cached_property
    def _mask_models(self) -> set[str]:
        """Models of stage I that are needed: rendered masks need none."""
        drawn = {CarClass.parse(row.class_name) for row in self.plan.rows if row.kind == "generated"}
        drawn |= {c for c in self.generated() if self.generates and c not in self.rendered}
        return {self.store.model("mask", c) for c in drawn}

    def untrained(self) -> list[tuple[Stage, str]]:
        """Models to be trained first."""
        missing = self.store.missing(self.generated())
        return [(stage, model) for stage, model in missing if stage != "mask" or model in self._mask_models]

    @cached_property
    def cars(self) -> Any:
        """What rendered masks are to look like; None where there are none."""
        if not self.rendered and all(row.kind != "rendered" for row in self.plan.rows):
            return None
        return rendered_masks().fit(self.workspace, self.store.rows.rows, self.store.schema, self.settings.seed)

    def has_judges(self) -> bool:
        """Whether all that the gate trains is there."""
        return has_judges(self.references)

    def generate(self, progress: Progress = silent) -> RunOutcome:
        """Makes what the plan asks for and is not committed yet, and what is lacking then; the index and the manifest.

        Raises ConfigError where the shards here were made from other inputs, BusyError where another command writes
        them, and whatever the executor raises.
        """
        with self.alone():
            return self._generate(progress)

    def alone(self) -> AbstractContextManager[None]:
        """While it lasts, nobody else writes these shards. Raises BusyError."""
        return held(self.workspace.root / SHARDS, around=(self.workspace.root, self.workspace.reports))

    def _generate(self, progress: Progress) -> RunOutcome:
        folders = {self.store.usable("mask", model) for model in self._mask_models}
        self._hardness.check(folders)
        storage, gate, digest = open_storage(self.workspace.shards), load_gate(self.references), self.digests()
        begun, extend, fresh = self.begun, self.planner.extend, self.request.fresh
        records = CommitRecords(storage)
        verdicts = RunVerdicts(records, gate)
        if not fresh:
            verdicts.judge_earlier()
        plan, schema = extend(begun, self._committed(records)), self.store.schema  # by what holds after that
        run = PlanRun(records, plan, digest, schema, fresh, extend, version_of(gate))
        with EXECUTORS[self.request.executor](self.shard_job(), Worker) as fleet:

            def execute(tasks: Sequence[ShardTask], progress: Progress) -> Iterator[ShardReport | Failure]:
                made: list[str] = []
                for result in fleet(tasks, progress):
                    made += [] if isinstance(result, Failure) else [result.shard]
                    yield result
                lost = {task.row.shard for task in tasks} - set(made)
                verdicts.add(made, list(lost))  # so that the next round makes up for duplicates

            outcome = run.run(execute, progress)
        summary(gate, storage, self.workspace, {}, [])
        progress_of = self.planner.progress(outcome.reports)
        outcome.short = {name: own for name, own in progress_of.items() if own.accepted < own.need}
        return outcome

    @property
    def references(self) -> ReferenceSet:
        """What the gate is fitted to."""
        return open_references(self.workspace, self.settings)

    @property
    def _hardness(self) -> MaskHardness:
        return MaskHardness.of(self.settings.balance.hard_sampling, lambda: self.references)

    def _committed(self, records: CommitRecords) -> list[ShardReport]:
        return [] if self.request.fresh else committed(records, self.begun.rows, self.digests())

    def _check_schema(self) -> None:
        require_counterparts(self.store.schema, "balance")  # a mask that shows the mirror class is flipped
        channels = self.store.schema.channels
        foreign = [row.id for row in self.rows if len(row.histogram) != channels]
        if foreign:
            raise DataError(
                f"{self.workspace.schema}: {channels - 1} parts, but {self.workspace.catalogue} counts "
                f"{len(self.rows[0].histogram) - 1} ({len(foreign)} rows do not fit)",
                "the part schema that the pairs were imported with",
                "import the data again",
            )

    def _check_training(self) -> None:
        known = {*self.training, *self.rendered}
        alone = [c.name for c, need in self.need.items() if need and not {c, c.mirror} & known]
        if alone:
            raise DataError(
                f"{', '.join(alone)}: pairs are needed, but every real one is held out",
                "at least one training pair of the class or of its mirror image",
                "import more photos of it, or name the other classes with --only",
            )

    def inputs(self) -> str:
        """Digest of what the whole plan depends on."""
        facts = {**self.computed.inputs, **self.device.inputs, **self.read.facts}
        return inputs_digest(self.rows, self.store.schema.digest, self.settings, self.exemplar, facts)

    def digests(self) -> RowDigests:
        """Of rows, with the models as they are now."""
        return RowDigests(self.inputs(), self.store, self._hardness)

    def shard_job(self) -> Job:
        """What workers are told of it."""
        models = {
            c.name: ClassModels(
                *(self.workspace.anywhere(self.store.usable(stage, self.store.model(stage, c))) for stage in STAGES)
            )
            for c in self.generated()
        }
        place, settings, balance = self.workspace.resolved(), self.settings, self.settings.balance
        return Job(
            place, str(place.shards), settings.seed, pair_format(settings), fan_out(balance, self.device.kind), models,
            self.computed.precision, self.device.kind, self.device.batch, balance.exemplar, balance.hard_sampling,
            partial(open_references, place, settings), self.read.sure(),
            self.cars,
        )  # fmt: skip


def train_missing(balance: Balance, progress: Progress = silent) -> None:
    """Trains what ``untrained`` lists, going on from checkpoints that an interrupted run left; then fits the gate."""
    references = open_references(balance.workspace, balance.settings, progress)  # refuses before hours of training
    for stage, name in balance.untrained():
        balance.store.train(stage, name, resume=True, progress=progress)
    ready_gate(references)
