"""Label equivalents: all arms at several numbers of labels, each with subsets of its own for every seed.

All that learns (teacher, generators, gate, segmenters) sees the labels of the subset alone; the other training photos
are there without them. The photos that judge and the tail are those of the whole data, fixed before the first training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import AugkitError, ConfigError
from augkit.core.parts import PartSchema
from augkit.core.progress import Progress, prefixed, silent
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, read_catalogue
from augkit.evaluate.utility.arms import KINDS, Arm, Choice
from augkit.evaluate.utility.evaluation_sets import EvaluationSets
from augkit.evaluate.utility.figures import MEANS, OVERALL, ArmFigures
from augkit.evaluate.utility.label_subsets import LabelSubset, labelled_workspace
from augkit.evaluate.utility.label_worth import FEWER, MORE, LabelWorth, label_worth
from augkit.evaluate.utility.side_by_side import side_by_side
from augkit.evaluate.utility.study import RUNS, Reading, Study, conclude, run_trials, train_one
from augkit.evaluate.utility.trial import TrialMaker
from augkit.evaluate.utility.tuning import TUNING, TUNING_SEED, require_test, try_choices, tuned_arms
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
        return any(KINDS[arm.kind].balanced for arm in self.arms)


def compare_labels(
    workspace: Workspace, settings: Settings, question: LabelQuestion, make_pairs: MakePairs, *, jobs: int = 1,
    progress: Progress = silent,
) -> LabelStudy:  # fmt: skip
    """Trains every arm at every number of labels with seeds 0, 1, ... in workspaces of their own.

    All is kept in ``WORKSPACE/utility/labels``, so that the same command goes on. ``jobs`` are worked on at a time, for
    which ``make_pairs`` must be a function of a module. Raises ConfigError and DataError before anything is trained,
    and what the main job raises with the subset that it was about.
    """
    if question.seeds < 1:
        raise ConfigError(f"{question.seeds} seeds", "at least 1, better 8")
    sets = EvaluationSets.of_catalogue(workspace, settings.segmenter.size)
    if question.tuned:
        require_test(sets)
    work = LabelWork(workspace, settings, question, make_pairs, sets)
    choices = _work_ahead(work, jobs, progress)
    labels: dict[int, list[int]] = {number: [] for number in question.numbers}
    readings: dict[int, list[Reading]] = {number: [] for number in question.numbers}
    for done, own in enumerate(work.subsets):
        progress(SUBSETS, done, len(work.subsets))
        work.prepare(own, progress)
        room = work.room(own)
        labels[own.asked].append(len(TrainingRows.of(read_catalogue(room.workspace.catalogue))))
        trials = [room.make(arm, own.seed, choices[own.asked].get(arm)) for arm in question.arms]
        readings[own.asked] += run_trials(trials, sets, prefixed(progress, f"{own.name} labels, "))
    progress(SUBSETS, len(work.subsets), len(work.subsets))
    points = tuple(
        LabelPoint(number, float(np.mean(labels[number])), conclude(found, sets, question.steps, choices[number]))
        for number, found in readings.items()
    )
    return LabelStudy(points, _worth(points, readings, sets))


def open_room(workspace: Workspace, settings: Settings, subset: LabelSubset, steps: int) -> TrialMaker:
    """The trials of the workspace that knows the subset's labels alone."""
    place = labelled_workspace(workspace, subset)
    rows = TrainingRows.of(read_catalogue(place.catalogue)).rows
    real = CataloguePairs(place, rows, PartSchema.load(place.schema)).summed()
    return TrialMaker(place, settings, steps, real)


@dataclass(frozen=True)
class LabelWork:
    """The parts of a study that can be done in any process, once what comes before them is done."""

    workspace: Workspace
    settings: Settings
    question: LabelQuestion
    make_pairs: MakePairs
    sets: EvaluationSets

    @property
    def subsets(self) -> list[LabelSubset]:
        """All, without those of the tuning."""
        return [LabelSubset(seed, number) for seed in range(self.question.seeds) for number in self.question.numbers]

    def room(self, own: LabelSubset) -> TrialMaker:
        """The trials of a subset."""
        return open_room(self.workspace, self.settings, own, self.question.steps)

    def prepare(self, own: LabelSubset, progress: Progress = silent) -> None:
        """Has the pairs of a subset made."""
        place = labelled_workspace(self.workspace, own)
        if not self.question.makes_pairs:
            return
        try:
            self.make_pairs(place, self.settings.model_copy(update={"seed": own.seed}), progress)
        except AugkitError as error:
            found = f"{own.name} labels, seed {own.seed}: {error.found}"
            raise type(error)(found, error.expected, error.remedy) from error

    def choices(self, number: int, progress: Progress = silent) -> Mapping[Arm, Choice]:
        """What is chosen for each arm at a number of labels, by a subset of its own; nothing where none is to be."""
        if not self.question.tuned:
            return {}
        own = LabelSubset(TUNING_SEED, number)
        self.prepare(own, progress)
        return tuned_arms(self.room(own), self.question.arms, self.sets, progress)

    def try_arm(self, asked: tuple[int, Arm]) -> None:
        """Trains what the tuning of an arm tries at a number of labels."""
        number, arm = asked
        try_choices(self.room(LabelSubset(TUNING_SEED, number)), self.sets, arm)

    def train(self, choices: Mapping[int, Mapping[Arm, Choice]], asked: tuple[LabelSubset, Arm]) -> None:
        """Trains an arm on a subset."""
        own, arm = asked
        train_one(self.room(own), self.sets, (arm, own.seed, choices[own.asked].get(arm)))


def _work_ahead(work: LabelWork, jobs: int, progress: Progress) -> dict[int, Mapping[Arm, Choice]]:
    """What is chosen for each arm by number of labels; with several jobs all is done side by side first."""
    own = work.question
    tuning = [LabelSubset(TUNING_SEED, number) for number in own.numbers if own.tuned]
    side_by_side(jobs, work.prepare, [*tuning, *work.subsets], SUBSETS, progress)
    tried = [(number, arm) for number in own.numbers for arm in own.arms if own.tuned]
    side_by_side(jobs, work.try_arm, tried, TUNING, progress)
    choices = {number: work.choices(number, progress) for number in own.numbers}
    asked = [(subset, arm) for subset in work.subsets for arm in own.arms]
    side_by_side(jobs, partial(work.train, choices), asked, RUNS, progress)
    return choices


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
    for name in MEANS:
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
