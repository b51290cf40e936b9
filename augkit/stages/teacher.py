"""The teacher: segmenters that read photos which nobody labelled, trained in rounds.

Labelled training photos are dealt into folds, near duplicates together. The segmenter of a fold learns from the others,
so it is judged, and its thresholds are set, on labels that it has not seen. In the next round each is taught by what it
read of the unlabelled photos itself, beside its labelled ones: so a fold stays unseen through all rounds. Rounds go on
as long as the agreement with unseen labels rises. What is used is the mean of all segmenters of the best round.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from augkit.core.atomic_file import write_json
from augkit.core.errors import ConfigError, DataError
from augkit.core.memory import release_memory
from augkit.core.parts import Mask, PartSchema
from augkit.core.progress import Progress, renamed, silent
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.canonical_pairs import CanonicalPairs
from augkit.data.catalogue import Catalogue, TrainingRows
from augkit.data.readings import ReadingFolder
from augkit.metrics.overlap import TRUTH, iou, overlap
from augkit.settings import SegmenterSettings, Settings
from augkit.sources.render.rendered_parts import not_drawn
from augkit.sources.teacher.car_finder import find_car
from augkit.sources.teacher.car_reader import CarReader, Chances
from augkit.sources.teacher.thresholds import PartThresholds, SeenPixels
from augkit.stages.photo_readings import PhotoReader, PhotoReadings, ReadingRule
from augkit.stages.segmenter import load_segmenter
from augkit.stages.stage_training import trained_by
from augkit.stages.teacher_model import STAGE, TEACHER_FILE, load_teacher, open_reader, read_teacher, teacher_task
from augkit.stages.trainable import TRAINABLE, StageRun, TrainableStage
from augkit.train.fingerprint import CODE, pairs_digest, photo_names
from augkit.train.machine import resolve_precision
from augkit.train.model_folder import is_finished

FEWEST = 4
"""Labelled groups of near duplicates a fold, below which nothing is learnt."""
_UNUSUAL = 0.01  # of labelled photos: what is less of a car than these, or less sure, and by a margin, is none
_MARGIN = 0.8

_log = logging.getLogger(__name__)

OnRound = Callable[[int, PhotoReader, float], None]


@dataclass(frozen=True)
class TeacherRound:
    """What came of a round: its agreement (mean IoU over parts) with labels that its segmenters have not seen."""

    number: int
    agreement: float


class Teacher:
    """The teacher of a workspace. Raises DataError where there are too few labelled photos.

    ``on_round`` is told of each round's number, of its segmenters together as a reader, and of its agreement.
    """

    def __init__(
        self, workspace: Workspace, settings: Settings, progress: Progress = silent, on_round: OnRound = silent
    ) -> None:
        self.workspace, self.settings, self.own, self.progress = workspace, settings, settings.teacher, progress
        self.on_round = on_round
        self.schema = PartSchema.load(workspace.schema)
        self.folder = workspace.model(STAGE, "all")
        catalogue = Catalogue(workspace.require_catalogue())
        self.rows = TrainingRows.of(catalogue).rows
        self.photos = sorted(catalogue.unlabelled(), key=lambda row: row.id)
        self.readings = PhotoReadings(workspace, self.schema, catalogue)

    @cached_property
    def segmenter(self) -> SegmenterSettings:
        """The settings of its segmenters: without rendered cars where these lack parts of the workspace."""
        own = self.own.segmenter
        lacking = not_drawn(self.schema) if own.rendered_steps else []
        if not lacking:
            return own
        _log.info("the teacher starts without rendered cars, which lack the parts %s", ", ".join(lacking))
        return own.model_copy(update={"rendered_steps": 0})

    @cached_property
    def folds(self) -> dict[str, int]:
        """Fold numbers by row id; near duplicates share one, and each class is dealt out evenly."""
        groups: dict[str, int] = {}
        for row in self.rows:
            groups[row.group or row.id] = min(row.car_class.number, groups.get(row.group or row.id, 255))
        if len(groups) < FEWEST * self.own.folds:
            raise DataError(
                f"{len(groups)} different labelled training photos (near duplicates count once)",
                f"at least {FEWEST * self.own.folds}, from which a teacher learns and is judged",
                "label more photos, or lower teacher.folds",
            )
        order = sorted(groups, key=lambda group: (groups[group], derive(self.settings.seed, STAGE, group)))
        dealt = {group: place % self.own.folds for place, group in enumerate(order)}
        return {row.id: dealt[row.group or row.id] for row in self.rows}

    @cached_property
    def key(self) -> str:
        """Names all that the teacher and its readings depend on."""
        told = {
            "teacher": self.own.model_dump(mode="json"), "seed": self.settings.seed, "schema": self.schema.digest,
            "pairs": pairs_digest(self.rows), "code": CODE, "photos": derive(0, *(row.id for row in self.photos)),
            "size": self.settings.data.size, "margin": self.settings.data.margin,
            "groups": derive(0, *(row.group for row in self.rows)),
        }  # fmt: skip
        return f"{derive(0, json.dumps(told, sort_keys=True)):016x}"

    def is_ready(self) -> bool:
        """Whether it is trained on these pairs with these settings, and has read these photos."""
        return self.is_trained() and (not self.photos or self.workspace_readings_key() == self.key)

    def is_trained(self) -> bool:
        """Whether it is trained on these pairs, beside these photos, with these settings."""
        return read_teacher(self.folder).get("key") == self.key

    def workspace_readings_key(self) -> str:
        """What the readings in the workspace were made for."""
        return ReadingFolder(self.workspace.readings).key()

    def train(self, fresh: bool = False) -> list[TeacherRound]:
        """Trains round after round; goes on where it was interrupted. Returns the rounds."""
        known = read_teacher(self.folder)
        if fresh or known.get("begun", known.get("key", self.key)) != self.key:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self.is_trained():
            return [TeacherRound(**known) for known in read_teacher(self.folder)["rounds"]]
        write_json(self.folder / TEACHER_FILE, {"begun": self.key})
        rounds: list[TeacherRound] = []
        best: tuple[TeacherRound, ReadingRule] | None = None
        while len(rounds) < (self.own.rounds if self.photos else 1):
            result, rule = self._round(len(rounds))
            rounds.append(result)
            if self.on_round is not silent:
                together = self._reader([self._place(result.number, fold) for fold in range(self.own.folds)])
                self.on_round(result.number, self._photo_reader(together, rule), result.agreement)
            if best is not None and result.agreement <= best[0].agreement:
                break
            best = result, rule
            if len(rounds) < self.own.rounds and self.photos:
                self._teach(result.number, rule)
        assert best is not None
        self._finish(rounds, *best)
        return rounds

    def read(self) -> None:
        """Reads all unlabelled photos into the workspace, where that was not done yet."""
        if not self.photos or self.workspace_readings_key() == self.key:
            return
        shutil.rmtree(self.workspace.readings, ignore_errors=True)
        reader = load_teacher(self.workspace, self.settings)
        self.readings.write(self.photos, [(reader, self.workspace.readings)], self.key, self.progress)

    def _round(self, number: int) -> tuple[TeacherRound, ReadingRule]:
        """Trains the segmenters of a round, and judges each on its fold."""
        for fold in range(self.own.folds):
            self._fit(number, fold)
        release_memory()
        counts = np.zeros((self.schema.channels, 3), np.int64)
        shares, confidences, seen = list[float](), list[float](), list[SeenPixels]()
        for chances, mask in self._unseen(number):
            counts += overlap(chances.read, mask, self.schema.channels)
            found = find_car(chances.read)
            if found is not None:
                shares.append(float(found.piece.mean()))
                confidences.append(float(chances.confidence[found.piece].mean()))
            seen.append(SeenPixels.of(chances, mask))
        occurs = counts[1:, TRUTH] > 0
        agreement = float(iou(counts[1:])[occurs].mean()) if occurs.any() else 0.0
        thresholds = PartThresholds.fit(seen, self.schema.channels, self.own.right, self.own.least_kept)
        rule = ReadingRule(thresholds, _least(shares), _least(confidences), self.own.least_sure)
        return TeacherRound(number, agreement), rule

    def _unseen(self, number: int) -> Iterator[tuple[Chances, Mask]]:
        """What each segmenter reads of the labelled photos of its fold, and their masks."""
        size = self.segmenter.size
        pairs = CanonicalPairs(self.workspace, self.rows, self.schema, size)
        readers = [self._reader([self._place(number, fold)]) for fold in range(self.own.folds)]
        for place, row in enumerate(self.rows):
            pair = pairs.plain(place)
            yield readers[self.folds[row.id]].chances(pair.photo), pair.mask
            self.progress(f"teacher: round {number + 1} judged", place + 1, len(self.rows))

    def _fit(self, number: int, fold: int) -> None:
        rows = [row for row in self.rows if self.folds[row.id] != fold]
        before = self._place(number - 1, fold) / "read" if number else None
        start = {"readings": before} if before is not None and before.is_dir() else {}
        fingerprint = self.segmenter.description() | {
            "seed": self._seed(fold), "precision": resolve_precision(self.settings.precision),
            "pairs": pairs_digest(rows), "schema": self.schema.digest, "code": CODE, "teacher": self.key,
        }  # fmt: skip
        folder = self._place(number, fold)
        if is_finished(folder):
            return
        title = f"teacher: round {number + 1}, segmenter {fold + 1} of {self.own.folds}"
        TRAINABLE[STAGE].train(
            StageRun(
                model=folder.name, title=title, workspace=self.workspace, rows=TrainingRows.of(rows),
                schema=self.schema, settings=self.segmenter, precision=self.settings.precision, folder=folder,
                seed=self._seed(fold), fingerprint=fingerprint, start=start, photos=tuple(photo_names(rows)),
                resume=True, progress=renamed(self.progress, title),
            )
        )  # fmt: skip

    def _seed(self, fold: int) -> int:
        """The same in every round: students begin where their teachers did."""
        return derive(self.settings.seed, STAGE, fold)

    def _teach(self, number: int, rule: ReadingRule) -> None:
        """What each segmenter of a round reads by itself, of photos that the next round learns from."""
        chosen = sorted(self.photos, key=lambda row: derive(self.settings.seed, "student", row.id))
        readers = [
            (self._photo_reader(self._reader([place]), rule), place / "read")
            for place in (self._place(number, fold) for fold in range(self.own.folds))
        ]
        told = renamed(self.progress, f"teacher: round {number + 1} reads")
        self.readings.write(chosen[: self.own.photos], readers, self.key, told)

    def _finish(self, rounds: Sequence[TeacherRound], best: TeacherRound, rule: ReadingRule) -> None:
        for folder in self.folder.glob("round-*/fold-*/read"):
            shutil.rmtree(folder)
        for result in rounds:
            if result.number != best.number:
                shutil.rmtree(self._place(result.number, 0).parent)
        write_json(
            self.folder / TEACHER_FILE,
            {
                "key": self.key, "schema": self.schema.to_dict(), "round": best.number, "folds": self.own.folds,
                "rounds": [asdict(result) for result in rounds], "scales": list(self.own.scales),
                "thresholds": rule.thresholds.to_list(), "least_car": rule.least_car,
                "least_confidence": rule.least_confidence, "least_sure": rule.least_sure,
            },
        )  # fmt: skip

    def _place(self, number: int, fold: int) -> Path:
        return self.folder / f"round-{number}" / f"fold-{fold}"

    def _reader(self, folders: Sequence[Path]) -> CarReader:
        return open_reader(folders, self.schema, self.own.scales)

    def _photo_reader(self, reader: CarReader, rule: ReadingRule) -> PhotoReader:
        return PhotoReader(reader, rule, self.settings.data.size, self.settings.data.margin)


def _least(values: Sequence[float]) -> float:
    return _MARGIN * float(np.quantile(values, _UNUSUAL)) if values else 0.0


def ready_teacher(workspace: Workspace, settings: Settings, progress: Progress = silent, train: bool = True) -> None:
    """Has unlabelled photos read by a teacher of the present pairs and settings; does nothing where there are none.

    Raises ConfigError where that is to be done first and must not be (``train``).
    """
    if next(Catalogue(workspace.require_catalogue()).unlabelled(), None) is None:
        return
    teacher = Teacher(workspace, settings, progress)
    if teacher.is_ready():
        return
    if not train:
        raise ConfigError(
            f"--no-train, but {len(teacher.photos)} photos without masks are not read by a teacher of these pairs and "
            "settings", "photos that were read", "run augkit train teacher, or say --sources generated",
        )  # fmt: skip
    teacher.train()
    teacher.read()


TRAINABLE.register(STAGE)(
    TrainableStage(
        lambda settings: settings.teacher.segmenter, trained_by(teacher_task), load_segmenter, prepare=ready_teacher
    )
)
