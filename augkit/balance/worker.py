"""The worker: makes one shard from one plan row. The same code runs in this process and in Ray's actors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch

from augkit.balance.asked_exemplar import facing, load_exemplar
from augkit.balance.judged_pairs import add_judged
from augkit.balance.mask_hardness import MaskHardness
from augkit.balance.plan import Kind, PlanRow
from augkit.balance.read_photos import ReadPhotoMaker
from augkit.balance.real_copies import RealPairCopier
from augkit.balance.rendered_masks import DrawnMaskSource, rendered_masks
from augkit.balance.shard_job import Job, ShardReport
from augkit.core.classes import CarClass
from augkit.core.memory import keep_freed_memory
from augkit.core.parts import Mask, PartSchema, histogram
from augkit.core.progress import Progress
from augkit.core.seeds import derive
from augkit.core.storage import open_storage
from augkit.data.catalogue import CatalogueRow, read_catalogue, usable
from augkit.data.orientation import classify
from augkit.data.pair import UnpaintedMask
from augkit.data.whole_car import body_of, cleaned_body, without_body
from augkit.gan.generated import Exemplar, GeneratedPhotos, MaskSource, PhotoSource
from augkit.gate.candidate import Candidate, Verdict
from augkit.gate.fit import load_gate
from augkit.gate.judge import Gate
from augkit.shards.writer import PairRecord, ShardWriter
from augkit.stages.trainable import TRAINABLE
from augkit.train.checkpoint import digest as file_digest
from augkit.train.model_folder import MODEL, check_parts, load_description

ENCODERS = 4
"""Threads that encode photos beside a device that paints the next ones."""


@dataclass(frozen=True)
class Made:
    """A candidate: its mask, with the body where that is drawn, and what is said of it; where it was let through, its
    photo (bytes, extension)."""

    seed: int
    mask: Mask
    verdict: Verdict
    photo: tuple[bytes, str] | None
    exemplar: str


class Worker:
    """Keeps loaded models between shards."""

    def __init__(self, job: Job) -> None:
        torch.set_num_threads(job.fan_out.threads)  # the sum order of a product depends on it
        keep_freed_memory()
        self.job = job
        self.storage = open_storage(job.location, answered=True)  # to the process that planned
        self.schema = PartSchema.load(job.workspace.schema)
        self._encoders = ThreadPoolExecutor(ENCODERS)
        self._masks: dict[Path, tuple[MaskSource, str]] = {}
        self._photos: dict[Path, tuple[PhotoSource, str]] = {}
        self._cars: dict[Path, MaskSource] = {}

    @cached_property
    def rows(self) -> dict[str, CatalogueRow]:
        """The usable rows by id."""
        return {row.id: row for row in usable(read_catalogue(self.job.workspace.require_catalogue()))}

    @cached_property
    def gate(self) -> Gate:
        """As it was fitted before. Raises CheckpointError where it was not, or on other data."""
        return load_gate(self.job.references()).on(torch.device(self.job.device))

    @cached_property
    def hardness(self) -> MaskHardness:
        """What stage I's draws prefer."""
        return MaskHardness.of(self.job.hard_sampling, self.job.references)

    @cached_property
    def exemplar(self) -> Exemplar | None:
        """The one that was asked for."""
        source, size = self.job.exemplar, self.job.format.size
        return None if source is None else load_exemplar(source, self.job.workspace, self.schema, size)

    def make(self, row: PlanRow, digest: str, progress: Progress) -> ShardReport:
        """Writes and commits the row's shard; tells ``progress`` of each accepted pair, under the shard's name."""
        writer = ShardWriter(self.storage, row.shard)
        report = self._filler(row)(row, writer, progress)
        writer.commit(digest)
        return report

    def _filler(self, row: PlanRow) -> Callable[[PlanRow, ShardWriter, Progress], ShardReport]:
        if row.kind == "real":
            return RealPairCopier(self.job, self.schema, self.rows).copy
        return self.read_photos.fill if row.kind == "pseudo" else self._generate

    @cached_property
    def read_photos(self) -> ReadPhotoMaker:
        """What writes photos that a teacher read."""
        return ReadPhotoMaker(self.job, self.schema, self.gate)

    def _generate(self, row: PlanRow, writer: ShardWriter, progress: Progress) -> ShardReport:
        car_class = CarClass.parse(row.class_name)
        tried, accepted = 0, 0
        reasons: Counter[str] = Counter()
        for made in self._candidates(row, car_class):
            tried += 1
            verdict, record_of = made.verdict, partial(self._record, row, made)
            mask = without_body(made.mask, self.schema.channels)
            if made.photo is None:
                writer.reject(record_of(mask, verdict))
            else:
                verdict = add_judged(
                    writer, self.gate, made.photo, mask, car_class, before=verdict, record_of=record_of,
                    exemplar=made.exemplar, whole=made.mask,
                )  # fmt: skip
            reasons.update(verdict.reasons)
            if not verdict.reasons:
                accepted += 1
                progress(row.shard, accepted, row.want)
            if accepted == row.want:
                break  # without the rest of a batch: no shard has more than was asked for
        return ShardReport(row.shard, car_class.name, row.want, accepted, tried, dict(reasons))

    def _candidates(self, row: PlanRow, car_class: CarClass) -> Iterator[Made]:
        """The candidates of a row in their order, made batch by batch; photos for those whose masks are let through."""
        for begin in range(0, row.tries, self.job.batch):
            places = range(begin, min(begin + self.job.batch, row.tries))
            seeds = [derive(self.job.seed, row.shard, car_class.name, place) for place in places]
            drawn = self.draw(car_class, seeds, row.kind)
            let_through = [(s, mask) for s, (mask, verdict) in zip(seeds, drawn, strict=True) if not verdict.reasons]
            photos = self._photos_of(car_class, let_through)
            for seed, (mask, verdict) in zip(seeds, drawn, strict=True):
                yield Made(seed, mask, verdict, *((None, "") if verdict.reasons else next(photos)))

    def _photos_of(
        self, car_class: CarClass, masks: Sequence[tuple[int, Mask]]
    ) -> Iterator[tuple[tuple[bytes, str], str]]:
        """Encoded photos of seeds and their masks, each with its exemplar."""
        if not masks:
            return iter(())
        painted = self.paint(car_class, [seed for seed, _ in masks], [mask for _, mask in masks])
        return zip(self._encoders.map(self.job.format.encode, painted.photos), painted.exemplars, strict=True)

    def draw(self, car_class: CarClass, seeds: Sequence[int], kind: Kind = "generated") -> list[tuple[Mask, Verdict]]:
        """The candidate masks of some seeds, with bodies where stage I draws them, judged without. One that shows the
        mirror class is flipped: it is as good."""
        sampler, _ = self._mask_source(car_class, kind)
        drawn = sampler.sample(car_class, [derive(seed, "mask") for seed in seeds], self.job.format.size)
        return [self._judged(car_class, *each) for each in zip(drawn.masks, drawn.scores, strict=True)]

    def _judged(self, car_class: CarClass, drawn: Mask, scores: dict[str, float]) -> tuple[Mask, Verdict]:
        mask, removed = self.gate.clean(without_body(drawn, self.schema.channels))
        whole = cleaned_body(drawn, mask, self.gate.clean) if drawn.max() >= self.schema.channels else mask
        if classify(mask, self.schema).car_class == car_class.mirror:
            mask, whole = self.schema.flip(mask), self.schema.flip(whole)
        given = scores | {"specks_removed": removed}
        return whole, self.gate.judge_mask(Candidate(UnpaintedMask(mask, car_class), given=given))

    def paint(self, car_class: CarClass, seeds: Sequence[int], masks: Sequence[Mask]) -> GeneratedPhotos:
        """The photos of some seeds and their masks."""
        sampler, _ = self._photo_sampler(car_class)
        exemplar = None if self.exemplar is None else facing(self.exemplar, car_class, self.schema)
        return sampler.paint(np.stack(masks), car_class, [derive(seed, "photo") for seed in seeds], exemplar)

    def _record(self, row: PlanRow, made: Made, mask: Mask, verdict: Verdict) -> PairRecord:
        car_class = CarClass.parse(row.class_name)
        return PairRecord(
            key=f"{car_class.name}-{made.seed:016x}",
            split="train",
            source="generated",
            orientation=car_class.orientation,
            doors=car_class.doors,
            seed=made.seed,
            mask_model=self._mask_source(car_class, row.kind)[1],
            image_model=self._photo_sampler(car_class)[1],
            exemplar=made.exemplar,
            width=self.job.format.size,
            height=self.job.format.size,
            histogram=histogram(mask, self.schema.channels).tolist(),
            scores=verdict.scores,
            reasons=verdict.reasons,
            accepted=not verdict.reasons,
        )

    def _mask_source(self, car_class: CarClass, kind: Kind) -> tuple[MaskSource, str]:
        """What draws masks, and its name in the index."""
        return self._rendered(car_class) if kind == "rendered" else self._mask_sampler(car_class)

    def _rendered(self, car_class: CarClass) -> tuple[MaskSource, str]:
        folder = self.job.folder(self.job.models[car_class.name].image)
        if folder not in self._cars:
            body = body_of(PartSchema.from_dict(load_description(folder)["schema"]))
            self._cars[folder] = DrawnMaskSource(rendered_masks().drawing(self.job.cars, self.schema, body))
        return self._cars[folder], rendered_masks().version

    def _mask_sampler(self, car_class: CarClass) -> tuple[MaskSource, str]:
        folder = self.job.folder(self.job.models[car_class.name].mask)
        if folder not in self._masks:
            sampler, about = TRAINABLE["mask"].load(folder)
            check_parts(folder, about, self.schema)
            self.hardness.apply(sampler, folder, about)
            sampler.on(torch.device(self.job.device))
            self._masks[folder] = sampler, file_digest(folder / MODEL)
        return self._masks[folder]

    def _photo_sampler(self, car_class: CarClass) -> tuple[PhotoSource, str]:
        folder = self.job.folder(self.job.models[car_class.name].image)
        if folder not in self._photos:
            sampler, about = TRAINABLE["image"].load(folder, self.job.precision)
            check_parts(folder, about, self.schema)
            sampler.on(torch.device(self.job.device))
            if self.job.exemplars:
                sampler.offer(self.read_photos.exemplars(), self.job.exemplars)
            self._photos[folder] = sampler, file_digest(folder / MODEL)
        return self._photos[folder]
