"""The worker: makes one shard from one plan row. The same code runs in this process and in Ray's actors."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from pathlib import Path

import torch

from augkit.balance.asked_exemplar import facing, load_exemplar
from augkit.balance.mask_hardness import MaskHardness
from augkit.balance.plan import PlanRow
from augkit.balance.real_copies import RealPairCopier
from augkit.balance.shard_job import Job, ShardReport
from augkit.core.classes import CarClass
from augkit.core.memory import keep_freed_memory
from augkit.core.parts import Mask, PartSchema, histogram
from augkit.core.progress import Progress
from augkit.core.seeds import derive
from augkit.core.storage import open_storage
from augkit.data.catalogue import CatalogueRow, read_catalogue, usable
from augkit.data.orientation import classify
from augkit.data.pair import Pair, UnpaintedMask
from augkit.gan.generated import Exemplar, GeneratedPhotos, MaskSource, PhotoSource
from augkit.gate.candidate import Candidate, Verdict
from augkit.gate.fit import load_gate
from augkit.gate.judge import Gate, judge_painted
from augkit.shards.codec import decode_photo, encode_mask
from augkit.shards.writer import PairRecord, ShardWriter
from augkit.stages.trainable import TRAINABLE
from augkit.train.checkpoint import digest as file_digest
from augkit.train.model_folder import MODEL, check_parts


class Worker:
    """Keeps loaded models between shards."""

    def __init__(self, job: Job) -> None:
        torch.set_num_threads(job.fan_out.threads)  # the sum order of a product depends on it
        keep_freed_memory()
        self.job = job
        self.storage = open_storage(job.location)
        self.schema = PartSchema.load(job.workspace.schema)
        self._masks: dict[Path, tuple[MaskSource, str]] = {}
        self._photos: dict[Path, tuple[PhotoSource, str]] = {}

    @cached_property
    def rows(self) -> dict[str, CatalogueRow]:
        """The usable rows by id."""
        return {row.id: row for row in usable(read_catalogue(self.job.workspace.require_catalogue()))}

    @cached_property
    def gate(self) -> Gate:
        """As it was fitted before. Raises CheckpointError where it was not, or on other data."""
        return load_gate(self.job.references())

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
        fill = RealPairCopier(self.job, self.schema, self.rows).copy if row.kind == "real" else self._generate
        report = fill(row, writer, progress)
        writer.commit(digest)
        return report

    def _generate(self, row: PlanRow, writer: ShardWriter, progress: Progress) -> ShardReport:
        car_class = CarClass.parse(row.class_name)
        tried, accepted = 0, 0
        reasons: Counter[str] = Counter()
        while accepted < row.want and tried < row.tries:
            seed = derive(self.job.seed, row.shard, car_class.name, tried)
            tried += 1
            mask, verdict = self.draw(car_class, seed)
            reasons.update(verdict.reasons)
            if verdict.reasons:
                writer.reject(self._record(car_class, seed, mask, verdict))
                continue
            painted = self.paint(car_class, seed, mask)
            photo, extension = self.job.format.encode(painted.photos[0])
            # Judged as it is stored, so that it can be judged again.
            candidate = Candidate(Pair(decode_photo(photo), mask, car_class), painted.exemplars[0])
            trained, verdict = judge_painted(self.gate, candidate, verdict)
            reasons.update(verdict.reasons)
            record = self._record(car_class, seed, trained, verdict, candidate.exemplar)
            full = encode_mask(mask) if (trained != mask).any() else None
            writer.add(record, photo, extension, encode_mask(trained), full)
            if not verdict.reasons:
                accepted += 1
                progress(row.shard, accepted, row.want)
        return ShardReport(row.shard, car_class.name, row.want, accepted, tried, dict(reasons))

    def draw(self, car_class: CarClass, seed: int) -> tuple[Mask, Verdict]:
        """The candidate mask of a seed, judged. One that shows the mirror class is flipped: it is as good.

        One at a time: the sums inside a network depend on how many masks it makes at once, and a row is to be a
        function of its seed alone.
        """
        sampler, _ = self._mask_sampler(car_class)
        drawn = sampler.sample(car_class, [derive(seed, "mask")], self.job.format.size)
        mask, removed = self.gate.clean(drawn.masks[0])
        if classify(mask, self.schema).car_class == car_class.mirror:
            mask = self.schema.flip(mask)
        given = drawn.scores[0] | {"specks_removed": removed}
        return mask, self.gate.judge_mask(Candidate(UnpaintedMask(mask, car_class), given=given))

    def paint(self, car_class: CarClass, seed: int, mask: Mask) -> GeneratedPhotos:
        """The photo of a seed and its mask."""
        sampler, _ = self._photo_sampler(car_class)
        exemplar = None if self.exemplar is None else facing(self.exemplar, car_class, self.schema)
        return sampler.paint(mask[None], car_class, [derive(seed, "photo")], exemplar)

    def _record(self, car_class: CarClass, seed: int, mask: Mask, verdict: Verdict, exemplar: str = "") -> PairRecord:
        return PairRecord(
            key=f"{car_class.name}-{seed:016x}",
            split="train",
            source="generated",
            orientation=car_class.orientation,
            doors=car_class.doors,
            seed=seed,
            mask_model=self._mask_sampler(car_class)[1],
            image_model=self._photo_sampler(car_class)[1],
            exemplar=exemplar,
            width=self.job.format.size,
            height=self.job.format.size,
            histogram=histogram(mask, self.schema.channels).tolist(),
            scores=verdict.scores,
            reasons=verdict.reasons,
            accepted=not verdict.reasons,
        )

    def _mask_sampler(self, car_class: CarClass) -> tuple[MaskSource, str]:
        folder = self.job.models[car_class.name].mask
        if folder not in self._masks:
            sampler, about = TRAINABLE["mask"].load(folder)
            check_parts(folder, about, self.schema)
            self.hardness.apply(sampler, folder, about)
            self._masks[folder] = sampler, file_digest(folder / MODEL)
        return self._masks[folder]

    def _photo_sampler(self, car_class: CarClass) -> tuple[PhotoSource, str]:
        folder = self.job.models[car_class.name].image
        if folder not in self._photos:
            sampler, about = TRAINABLE["image"].load(folder, self.job.precision)
            check_parts(folder, about, self.schema)
            self._photos[folder] = sampler, file_digest(folder / MODEL)
        return self._photos[folder]
