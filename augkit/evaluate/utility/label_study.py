"""Label equivalents: all arms at several numbers of labels, each with subsets of its own for every seed.

All that learns (teacher, generators, gate, segmenters) sees the labels of the subset alone; the other training photos
are there without them. The photos that judge and the tail are those of the whole data, fixed before the first training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import AugkitError, ConfigError
from augkit.core.parts import PartSchema
from augkit.core.progress import Progress, silent
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, read_catalogue
from augkit.evaluate.utility.arms import KINDS, Arm, Choice
from augkit.evaluate.utility.evaluation_sets import EvaluationSets
from augkit.evaluate.utility.figures import OVERALL, TAIL_CLASSES, TAIL_PARTS, ArmFigures
from augkit.evaluate.utility.label_subsets import LabelSubset, labelled_workspace
from augkit.evaluate.utility.label_worth import FEWER, MORE, LabelWorth, label_worth
from augkit.evaluate.utility.study import Reading, Study, conclude, run_trials
from augkit.evaluate.utility.trial import TrialMaker
from augkit.evaluate.utility.tuning import TUNING_SEED, require_test, tuned_arms
from augkit.settings import Settings
from augkit.stages.catalogue_pairs import CataloguePairs

MakePairs = Callable[[Workspace, Settings, Progress], None]
"""Has the main job done in a workspace; it goes on, or ends at once, where it was begun."""

DEFAULT = ("real", "real+classical", "real+cutmix", "real+copy-paste", "real+part-swap", "all")
SUBSETS = "subsets of the labels"


@dataclass(frozen=True)
class LabelPoint:
    """A number of labels as it was ``asked`` (0: all), as it came out in the mean over seeds, and the comparison."""

    asked: int
    labels: float
    study: Study


@dataclass(frozen=True)
class LabelStudy:
    """``worth``: by figure, what each number of labels is worth without augkit; empty where a side is missing."""

    points: tuple[LabelPoint, ...]
    worth: Mapping[str, tuple[LabelWorth, ...]]

    @property
    def sentences(self) -> list[str]:
        """One for each number of labels."""
        fewest, most = (f"{self.points[end].labels:.0f}" for end in (0, -1))
        return [_sentence(own, fewest, most) for own in self.worth.get(OVERALL, ())]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "sentences": self.sentences,
            "worth": {name: [own.to_dict() for own in found] for name, found in self.worth.items()},
            "points": [
                {"asked": point.asked or "all", "labels": point.labels} | point.study.to_dict() for point in self.points
            ],
        }


@dataclass(frozen=True)
class LabelQuestion:
    """What is compared: arms at ``numbers`` of labels (ascending, 0 for all) with so many seeds and steps."""

    arms: tuple[Arm, ...]
    numbers: tuple[int, ...]
    seeds: int
    steps: int
    tuned: bool = False

    @property
    def makes_pairs(self) -> bool:
        """Whether an arm needs the main job."""
        return any(KINDS[arm.kind].ours for arm in self.arms)


def compare_labels(
    workspace: Workspace, settings: Settings, question: LabelQuestion, make_pairs: MakePairs,
    progress: Progress = silent,
) -> LabelStudy:  # fmt: skip
    """Trains every arm at every number of labels with seeds 0, 1, ... in workspaces of their own.

    All is kept in ``WORKSPACE/utility/labels``, so that the same command goes on. Raises ConfigError and DataError
    before anything is trained, and what the main job raises with the subset that it was about.
    """
    if question.seeds < 1:
        raise ConfigError(f"{question.seeds} seeds", "at least 1, better 8")
    sets = EvaluationSets.of_catalogue(workspace, settings.segmenter.size)
    if question.tuned:
        require_test(sets)
    rooms = _Rooms(workspace, settings, question, make_pairs, progress)
    choices: dict[int, Mapping[Arm, Choice]] = {}
    readings: dict[int, list[Reading]] = {number: [] for number in question.numbers}
    for seed in range(question.seeds):
        for number in question.numbers:
            if question.tuned and number not in choices:
                choices[number] = tuned_arms(rooms.open(TUNING_SEED, number), question.arms, sets, progress)
            room = rooms.open(seed, number)
            trials = [room.make(arm, seed, choices.get(number, {}).get(arm)) for arm in question.arms]
            readings[number] += run_trials(trials, sets, progress)
            rooms.done()
    points = tuple(
        LabelPoint(
            number, float(np.mean(rooms.labels[number])), conclude(own, sets, question.steps, choices.get(number, {}))
        )
        for number, own in readings.items()
    )
    return LabelStudy(points, _worth(points, readings, sets))


def open_room(workspace: Workspace, settings: Settings, subset: LabelSubset, steps: int) -> TrialMaker:
    """The trials of the workspace that knows the subset's labels alone."""
    place = labelled_workspace(workspace, subset)
    rows = TrainingRows.of(read_catalogue(place.catalogue)).rows
    real = CataloguePairs(place, rows, PartSchema.load(place.schema)).summed()
    return TrialMaker(place, settings, steps, real)


class _Rooms:
    """The workspaces of a study."""

    def __init__(
        self, workspace: Workspace, settings: Settings, question: LabelQuestion, make_pairs: MakePairs,
        progress: Progress,
    ) -> None:  # fmt: skip
        self.workspace, self.settings, self.question = workspace, settings, question
        self.make_pairs, self.progress = make_pairs, progress
        self.labels: dict[int, list[int]] = {number: [] for number in question.numbers}
        self._done, self._all = 0, question.seeds * len(question.numbers)
        progress(SUBSETS, 0, self._all)

    def open(self, seed: int, number: int) -> TrialMaker:
        """The trials of a subset, its pairs made."""
        subset = LabelSubset(seed, number)
        room = open_room(self.workspace, self.settings, subset, self.question.steps)
        if self.question.makes_pairs:
            try:
                self.make_pairs(room.workspace, self.settings.model_copy(update={"seed": seed}), self.progress)
            except AugkitError as error:
                raise type(error)(
                    f"{subset.name} labels, seed {seed}: {error.found}", error.expected, error.remedy
                ) from error
        if seed != TUNING_SEED and room.real is not None:
            self.labels[number].append(len(room.real))
        return room

    def done(self) -> None:
        """Another subset is over."""
        self._done += 1
        self.progress(SUBSETS, self._done, self._all)


def _worth(
    points: Sequence[LabelPoint], readings: Mapping[int, list[Reading]], sets: EvaluationSets
) -> dict[str, tuple[LabelWorth, ...]]:
    """What the best arm with augkit's pairs at each number is worth on the curve of the best ones without."""
    questions = [point.study.question for point in points]
    if any(question is None for question in questions):
        return {}
    ours, opponent = [], []
    for own, question in zip(readings.values(), questions, strict=True):
        assert question is not None
        ours.append(_figures(own, question.arm, sets))
        opponent.append(_figures(own, question.against, sets))
    labels, found = [point.labels for point in points], {}
    for name in (OVERALL, TAIL_PARTS, TAIL_CLASSES):
        place = sets.ruler.names.index(name)
        if sets.ruler.photos[place]:
            curve = [_with_draws(figures, place) for figures in opponent]
            found[name] = tuple(
                label_worth(k, labels, _with_draws(figures, place), curve) for k, figures in enumerate(ours)
            )
    return found


def _figures(readings: Sequence[Reading], arm: Arm, sets: EvaluationSets) -> ArmFigures:
    return sets.ruler.read(np.stack([reading.counts for reading in readings if reading.trial.arm == arm]))


def _with_draws(figures: ArmFigures, place: int) -> NDArray[np.float64]:
    """(1 + draws, S): one figure of the seeds on all photos, then on the draws of them that show what it is about."""
    return np.concatenate([figures.seeds[None, :, place], figures.drawn[:, :, place]])


def _sentence(own: LabelWorth, fewest: str, most: str) -> str:
    """``With 64 labels and augkit you are where 131 labels without it are (95 % interval 90 to more than 322).``"""
    worth, low, high = (_words(value, fewest, most) for value in (own.worth, own.low, own.high))
    return (
        f"With {own.labels:.0f} labels and augkit you are where {worth} labels without it are "
        f"(95 % interval {low} to {high})."
    )


def _words(value: float, fewest: str, most: str) -> str:
    return {FEWER: f"fewer than {fewest}", MORE: f"more than {most}"}.get(value) or f"{value:.0f}"
