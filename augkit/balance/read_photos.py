"""Photos that a teacher read, as pairs of shards: which there are, and how they are judged and written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from augkit.balance.judged_pairs import add_judged
from augkit.balance.plan import PlanRow, digest_of
from augkit.balance.real_copies import stored_files
from augkit.balance.shard_job import Job, ShardReport
from augkit.core.classes import CarClass
from augkit.core.parts import Mask, PartSchema, histogram
from augkit.core.progress import Progress
from augkit.core.workspace import Workspace
from augkit.data.catalogue import Catalogue
from augkit.data.pair import Pair, UnpaintedMask
from augkit.data.pair_files import read_mask, read_photo
from augkit.data.readings import PhotoReading, ReadingFolder
from augkit.gate.candidate import Candidate, Verdict
from augkit.gate.judge import Gate
from augkit.shards.writer import PairRecord, ShardWriter

CONFIDENCE, KEPT = "reading_confidence", "reading_kept"
"""Scores that come with a reading: the mean chance of what was read on the car, and the share of it that is sure."""


EXEMPLAR_KEPT, EXEMPLARS = 0.9, 100
"""The share of a car that has to be sure where its photo is an exemplar, and how many photos of a class are at most."""


@dataclass(frozen=True)
class ReadPhotos:
    """The pairs that a workspace's teacher made, as far as their photos are still in the catalogue."""

    rows: tuple[PhotoReading, ...] = ()
    key: str = ""

    @classmethod
    def of(cls, workspace: Workspace) -> ReadPhotos:
        """None where nothing was read."""
        folder = ReadingFolder(workspace.readings)
        rows = folder.pairs()
        present = {row.id for row in Catalogue(workspace.require_catalogue()).unlabelled()} if rows else set()
        return cls(tuple(row for row in rows if row.id in present), folder.key())

    def by_class(self) -> dict[str, tuple[str, ...]]:
        """Ids by class name, in order of worth: the surest first, but one of each group of near duplicates before any
        second one."""
        order = sorted(self.rows, key=lambda row: (-row.kept * row.confidence, row.id))
        seen: Counter[str] = Counter()
        placed = []
        for row in order:
            placed.append((seen[row.group], row))
            seen[row.group] += 1
        found: dict[str, tuple[str, ...]] = {}
        for _, row in sorted(placed, key=lambda pair: pair[0]):
            found[row.car_class.name] = (*found.get(row.car_class.name, ()), row.id)
        return found

    def sure(self) -> tuple[str, ...]:
        """Ids of those that are exemplars as well, the best of each class."""
        sure = {row.id for row in self.rows if row.kept >= EXEMPLAR_KEPT}
        return tuple(id for ids in self.by_class().values() for id in [id for id in ids if id in sure][:EXEMPLARS])

    @property
    def facts(self) -> Mapping[str, object]:
        """What the bytes of shards depend on; nothing where there is none."""
        if not self.rows:
            return {}
        return {"pseudo": digest_of({"key": self.key, "rows": [vars(row) for row in self.rows]})}


class ReadPhotoMaker:
    """Fills shards with photos that were read: scored as generated ones are, and rejected as real ones are."""

    def __init__(self, job: Job, schema: PartSchema, gate: Gate) -> None:
        self.job, self.schema, self.gate = job, schema, gate
        self.folder = ReadingFolder(job.workspace.readings)
        self.key = self.folder.key()
        self.rows = {row.id: row for row in self.folder.pairs()}

    def exemplars(self) -> list[Pair]:
        """The job's, at the size of its pairs."""
        rows = [self.rows[id] for id in self.job.exemplars]
        files = [(read_photo(self.folder.photo(row.id)), read_mask(self.folder.mask(row.id))) for row in rows]
        return [Pair(*both, row.car_class).resize(self.job.format.size) for row, both in zip(rows, files, strict=True)]

    def fill(self, row: PlanRow, writer: ShardWriter, progress: Progress) -> ShardReport:
        """Tries the plan row's photos, until as many are accepted as it wants."""
        tried, accepted = 0, 0
        reasons: Counter[str] = Counter()
        for key in row.keys:
            if accepted == row.want:
                break
            tried += 1
            verdict = self._try(self.rows[key], CarClass.parse(row.class_name), writer)
            reasons.update(verdict.reasons)
            if not verdict.reasons:
                accepted += 1
                progress(row.shard, accepted, row.want)
        return ShardReport(row.shard, row.class_name, row.want, accepted, tried, dict(reasons), kind="pseudo")

    def _try(self, reading: PhotoReading, car_class: CarClass, writer: ShardWriter) -> Verdict:
        photo, extension, _, mask = stored_files(
            self.folder.photo(reading.id), self.folder.mask(reading.id), reading.size, reading.car_class,
            self.job.format,
        )  # fmt: skip
        given = {CONFIDENCE: reading.confidence, KEPT: reading.kept}
        before = self.gate.judge_mask(Candidate(UnpaintedMask(mask, car_class), given=given, read=True))
        return add_judged(
            writer, self.gate, (photo, extension), mask, car_class, before=before,
            record_of=partial(self._record, reading), read=True,
        )  # fmt: skip

    def _record(self, reading: PhotoReading, mask: Mask, verdict: Verdict) -> PairRecord:
        size = self.job.format.size
        return PairRecord(
            key=reading.id, split="train", source="pseudo", orientation=reading.orientation, doors=reading.doors,
            seed=0, mask_model=self.key, image_model="", width=size, height=size,
            histogram=histogram(mask, self.schema.channels).tolist(), scores=verdict.scores, reasons=verdict.reasons,
            accepted=not verdict.reasons,
        )  # fmt: skip


def pseudo_by_class(reports: Iterable[ShardReport]) -> Counter[str]:
    """Accepted pairs that a teacher read, by class name."""
    found: Counter[str] = Counter()
    for report in reports:
        if report.kind == "pseudo":
            found[report.class_name] += report.accepted
    return found
