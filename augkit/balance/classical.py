"""``augkit augment`` as a function: real pairs and classically augmented ones, as a data set of its own.

It is made like the generated one, so that the two can be compared: the same target by class, real pairs beside it, the
same sizes and codecs; only that each new pair comes from a real training pair, by a preset and a seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np

from augkit.balance.executors import EXECUTORS
from augkit.balance.plain_options import fan_out, pair_format
from augkit.balance.plan import Plan, PlanRow, deficits, digest_of, reachable, real_plan, with_wants
from augkit.balance.real_copies import RealPairCopier
from augkit.balance.run_plan import PlanRun, RunOutcome, earlier_plan, facts_of, keys_by_split
from augkit.balance.shard_job import Job, ShardReport
from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError, DataError
from augkit.core.lock import held
from augkit.core.parts import PartSchema
from augkit.core.presets import NO_LABEL_WARP, NO_MIXING, Recipe
from augkit.core.progress import Progress, silent
from augkit.core.regular_file import PICTURE, read_regular
from augkit.core.seeds import derive
from augkit.core.storage import open_storage
from augkit.core.workspace import CLASSICAL, Workspace
from augkit.data.augment import Augmentation
from augkit.data.augment.background import Background
from augkit.data.catalogue import CatalogueRow, TrainingRows, count_classes, read_catalogue, usable
from augkit.data.dataset import PairDataset
from augkit.data.draws import Draw
from augkit.data.pair import Pair
from augkit.data.pair_files import require_silhouette
from augkit.settings import Settings
from augkit.shards.codec import encode_mask
from augkit.shards.commit_records import CommitRecords
from augkit.shards.writer import PairRecord, ShardWriter

_DRAWS = 64
"""Seeds that are tried until the preset mirrors a pair, or leaves it, as its class asks for."""
_KEY_ID = 60
"""Characters of the source pair's id that go into a key, which has room for 90."""


@dataclass(frozen=True)
class ClassicalRequest:
    """What was asked for: ``target`` training pairs in every class, or ``factor`` new pairs for each real one.

    ``backgrounds`` is the folder of landscapes, for presets that name none.
    """

    recipe: Recipe
    place: Path | str
    target: int
    factor: int | None = None
    backgrounds: Path | None = None
    executor: str = "local"
    fresh: bool = False


class ClassicalJob:
    """The job of one workspace. Raises ConfigError for a request that cannot be met."""

    def __init__(self, workspace: Workspace, settings: Settings, request: ClassicalRequest) -> None:
        self.workspace, self.settings, self.request = workspace, settings, request
        self.rows: list[CatalogueRow] = usable(read_catalogue(workspace.require_catalogue()))
        self.schema = PartSchema.load(workspace.schema)
        self.sources = TrainingRows.of(self.rows)
        self.training, real = count_classes(self.sources.rows), count_classes(self.rows)
        if request.recipe.warps_labels:
            raise ConfigError(f"{request.recipe.name}: {NO_LABEL_WARP}", "another preset", "see docs/augmentation.md")
        if request.recipe.mixes_pairs:
            raise ConfigError(f"{request.recipe.name}: {NO_MIXING}", "another preset", "set it as segmenter.augment")
        self.augment = Augmentation(request.recipe, self.schema, request.backgrounds or workspace.backgrounds)
        self._refuse_idle()
        for row in self.sources.rows if self.augment.needs_silhouette else ():
            require_silhouette(workspace, row.id)  # now: what is written in vain would have to be removed again
        pools = {c: self._pool(c) for c in reachable(real, self.training)}
        self.real = {c: real.get(c, 0) for c, pool in pools.items() if c in real or pool}
        self.need = self._need()
        self.pools = {c.name: pools[c] for c in self.real}
        alone = [c.name for c, need in self.need.items() if need and not self.pools[c.name]]
        if alone:
            raise DataError(
                f"{', '.join(alone)}: pairs are needed, but there is no training pair that {request.recipe.name} makes "
                "them from",
                "a training pair of the class, or with Flip of its mirror image",
                "import more photos of it",
            )

    @cached_property
    def plan(self) -> Plan:
        """All rows, each with its source pairs. Raises ConfigError where an earlier run had other inputs."""
        inputs, size = self._inputs(), self.settings.balance.shard_size
        earlier = earlier_plan(open_storage(self.request.place), inputs, self.request.fresh)
        begun = earlier or real_plan(inputs, keys_by_split(self.rows), size)
        return self._with_sources(with_wants(begun, self.need, size, "classical"))

    def todo(self) -> dict[str, int]:
        """Pairs that are yet to be made, by class name."""
        return Plan("", tuple(self._plan_run().left())).generated()

    def generate(self, progress: Progress = silent) -> RunOutcome:
        """Makes what the plan asks for and is not committed yet; then the index and the manifest.

        Raises BusyError where another command writes there.
        """
        place = self.request.place
        thing = place if isinstance(place, Path) else self.workspace.root / CLASSICAL
        with held(thing, around=(self.workspace.root, self.workspace.reports)):
            return self._generate(progress)

    def _generate(self, progress: Progress) -> RunOutcome:
        run = self._plan_run()
        at, settings = self.request.place, self.settings
        location = str(at.resolve() if isinstance(at, Path) else at)
        job = Job(self.workspace.resolved(), location, settings.seed, pair_format(settings), fan_out(settings.balance))
        worker_of = partial(ClassicalWorker, recipe=self.request.recipe, backgrounds=self.request.backgrounds)
        with EXECUTORS[self.request.executor](job, worker_of) as fleet:
            return run.run(fleet, progress)

    def _need(self) -> dict[CarClass, int]:
        if self.request.factor is None:
            return deficits(self.training, list(self.real), self.request.target)
        return {car_class: count * self.request.factor for car_class, count in self.training.items()}

    def _refuse_idle(self) -> None:
        named = self.augment.needs_silhouette and any(
            name == Background.__name__ and not arguments.get("folder") for name, arguments in self.request.recipe.steps
        )
        if self.request.backgrounds is not None and not named:
            raise ConfigError(
                f"--backgrounds with {self.request.recipe.name}, which takes no landscapes from there",
                "a preset with Background and no folder of its own",
                "leave it out, or take --preset background",
            )

    def _pool(self, car_class: CarClass) -> list[str]:
        """Ids of the training pairs that the preset can make the class from."""
        mirrors = {self.augment.mirrors(seed) for seed in range(_DRAWS)}
        wanted = {car_class.mirror if mirrored else car_class for mirrored in mirrors}
        return [row.id for row in self.sources.rows if row.car_class in wanted]

    def _with_sources(self, plan: Plan) -> Plan:
        """Every pair's source: each pair of the pool once, in a drawn order, before any of them a second time."""
        rows, made = [], dict.fromkeys(self.pools, 0)
        for row in plan.rows:
            if row.kind == "classical":
                numbers = range(made[row.class_name], made[row.class_name] + row.want)
                pool = self.pools[row.class_name]
                keys = row.keys or tuple(self._source(pool, row.class_name, number) for number in numbers)
                made[row.class_name] += row.want
                row = replace(row, keys=keys)  # noqa: PLW2901
            rows.append(row)
        return Plan(plan.inputs, tuple(rows))

    def _source(self, pool: list[str], class_name: str, number: int) -> str:
        epoch, place = divmod(number, len(pool))
        seed = derive(self.settings.seed, "classical", class_name, epoch)
        return pool[int(np.random.default_rng(seed).permutation(len(pool))[place])]

    def _plan_run(self) -> PlanRun:
        records = CommitRecords(open_storage(self.request.place))
        return PlanRun(records, self.plan, self._digest, self.schema, self.request.fresh)

    def _digest(self, row: PlanRow) -> str:
        return row.digest(self.plan.inputs, [])

    def _inputs(self) -> str:
        """Digest of what the whole plan depends on: the pairs, the preset with its pictures, and the settings."""
        return digest_of(
            {
                "rows": facts_of(self.rows),
                "schema": self.schema.digest,
                "seed": self.settings.seed,
                "size": self.settings.image.size,
                "balance": self.settings.balance.model_dump(include={"shard_size", "quality", "lossless"}),
                "recipe": self.request.recipe.digest,
                self.request.recipe.backend: version(self.request.recipe.backend),
                "pictures": self._pictures(),
            }
        )

    def _pictures(self) -> list[str]:
        """Hashes of the landscapes and silhouettes that the preset reads."""
        scenes = [path for step in self.augment.steps if isinstance(step, Background) for path in step.landscapes]
        cars = [require_silhouette(self.workspace, row.id) for row in self.sources.rows] if scenes else []
        return [sha256(read_regular(path, PICTURE)).hexdigest() for path in [*scenes, *cars]]


class ClassicalWorker:
    """Makes shards of classical pairs, and of real ones beside them."""

    def __init__(self, job: Job, recipe: Recipe, backgrounds: Path | None) -> None:
        self.job, self.recipe = job, recipe
        self.storage = open_storage(job.location)
        self.schema = PartSchema.load(job.workspace.schema)
        rows = usable(read_catalogue(job.workspace.require_catalogue()))
        self.real = RealPairCopier(job, self.schema, {row.id: row for row in rows})
        training = TrainingRows.of(rows).rows
        self.pairs = PairDataset(job.workspace, training, self.schema, job.format.size, recipe, backgrounds)
        self._places: Mapping[str, int] = {row.id: place for place, row in enumerate(training)}

    def make(self, row: PlanRow, digest: str, progress: Progress) -> ShardReport:
        """Writes and commits the row's shard."""
        writer = ShardWriter(self.storage, row.shard)
        fill = self.real.copy if row.kind == "real" else self._augment
        report = fill(row, writer, progress)
        writer.commit(digest)
        return report

    def _augment(self, row: PlanRow, writer: ShardWriter, progress: Progress) -> ShardReport:
        car_class = CarClass.parse(row.class_name)
        for number, source in enumerate(row.keys):
            seed = self._seed(source, car_class, derive(self.job.seed, "classical", row.shard, number))
            item = self.draw(source, seed)
            photo, extension = self.job.format.encode(item.photo)
            writer.add(self._record(source, seed, item), photo, extension, encode_mask(item.mask))
            progress(row.shard, number + 1, row.want)
        return ShardReport(row.shard, row.class_name, row.want, row.want, row.want, {})

    def draw(self, source: str, seed: int) -> Pair:
        """The pair of a source pair's id and a seed."""
        return self.pairs[Draw(self._places[source], seed)]

    def _seed(self, source: str, car_class: CarClass, seed: int) -> int:
        """The first seed after the given one that turns the source into a pair of the class."""
        mirrored = self.pairs.rows[self._places[source]].car_class != car_class
        seeds = (derive(seed, attempt) for attempt in range(100 * _DRAWS))
        return next(drawn for drawn in seeds if self.pairs.augment.mirrors(drawn) == mirrored)

    def _record(self, source: str, seed: int, item: Pair) -> PairRecord:
        size, made_by = self.job.format.size, self.recipe.digest
        return PairRecord(
            key=f"{source[:_KEY_ID]}-{seed:016x}", split="train", source="classical", exemplar=source,
            orientation=item.car_class.orientation, doors=item.car_class.doors, seed=seed, mask_model=made_by,
            image_model=made_by, width=size, height=size, histogram=item.histogram(self.schema.channels).tolist(),
        )  # fmt: skip
