"""The comparison as a whole: arms times seeds trained, measured, and put side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import ConfigError
from augkit.core.progress import Progress, silent
from augkit.core.workspace import Workspace
from augkit.evaluate.utility.arms import DEFAULT, WITH_PSEUDO, WITH_RENDERED, Arm, Choice, comparisons
from augkit.evaluate.utility.evaluation_sets import EvaluationSets
from augkit.evaluate.utility.figures import OVERALL
from augkit.evaluate.utility.side_by_side import side_by_side
from augkit.evaluate.utility.trial import Trial, TrialMaker
from augkit.evaluate.utility.tuning import TUNING, first_of, require_test, try_choices, tuned_arms
from augkit.evaluate.utility.verdict import Comparison, Question, UtilityVerdict, judge_utility, question_of
from augkit.metrics.intervals import Estimate
from augkit.settings import Settings
from augkit.sources.render.rendered_parts import not_drawn
from augkit.stages.training_mix import is_made, training_mix

RUNS = "training runs"


@dataclass(frozen=True)
class Reading:
    """A trial, the (pairs, channels, 3) pixels of the photos of the verdict, and the mean IoU on those that choose."""

    trial: Trial
    counts: NDArray[np.int64]
    mean: float


@dataclass(frozen=True)
class ArmResult:
    """An arm's figures by name, and the numbers of real and of made pairs that it was trained on."""

    arm: Arm
    figures: dict[str, Estimate]
    real: int
    made: int


@dataclass(frozen=True)
class Study:
    """What was found. ``photos``: by figure, how many held-out pairs it is about."""

    steps: int
    seeds: int
    split: str
    photos: dict[str, int]
    tail_parts: tuple[str, ...]
    tail_classes: tuple[str, ...]
    arms: tuple[ArmResult, ...]
    comparisons: tuple[Comparison, ...]
    verdict: UtilityVerdict
    question: Question | None = None
    tuned: Mapping[str, Choice] = field(default_factory=dict)
    """By the arm's name, what was chosen for it on val."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "verdict": vars(self.verdict) | self._asked, "steps": self.steps, "seeds": self.seeds,
            "tuned": {name: vars(choice) for name, choice in self.tuned.items()},
            "held_out": {"split": self.split, "photos": self.photos},
            "tail": {"parts": list(self.tail_parts), "classes": list(self.tail_classes)},
            "arms": [
                {"arm": r.arm.name, "kind": r.arm.kind, "share": r.arm.share, "real": r.real, "made": r.made}
                | {"figures": _plain(r.figures)}
                for r in self.arms
            ],
            "comparisons": [
                {"arm": c.arm.name, "against": c.against.name, "deltas": _plain(c.deltas), "sign_flip": c.sign_flip}
                for c in self.comparisons
            ],
        }  # fmt: skip

    @property
    def _asked(self) -> dict[str, str]:
        return {} if self.question is None else {"arm": self.question.arm.name, "against": self.question.against.name}


def default_kinds(workspace: Workspace) -> tuple[str, ...]:
    """The arms that take part where none is named: those of pseudo pairs where there are some, that of rendered cars
    where these have the parts."""
    pairs = training_mix(workspace, "all")
    made = set(pairs.index["source"].to_pylist())
    rendered = (WITH_RENDERED,) if not not_drawn(pairs.schema) else ()
    return DEFAULT + (WITH_PSEUDO if "pseudo" in made else ()) + rendered


def compare_arms(
    workspace: Workspace, settings: Settings, arms: Sequence[Arm], seeds: int, steps: int, *,
    tuned: bool = False, jobs: int = 1, progress: Progress = silent, done: Callable[[Trial, float], None] = silent,
) -> Study:  # fmt: skip
    """Trains every arm with seeds 0, 1, ... and measures all on the same held-out pairs.

    Where these are of the split test, the arms of the verdict are chosen on val, by the same runs; and so are the
    settings of each arm, where they are to be ``tuned``. Runs are kept in ``WORKSPACE/utility``: a finished one is not
    trained again, an interrupted one goes on. ``done`` hears of each with its mean IoU. Raises ShardError, DataError
    and ConfigError before anything is trained.
    """
    if seeds < 1:
        raise ConfigError(f"{seeds} seeds", "at least 1, better 8")
    sets, maker = EvaluationSets.of(workspace, settings.segmenter.size), TrialMaker(workspace, settings, steps)
    if tuned:
        require_test(sets)
    for arm in arms:
        maker.make(arm, 0, first_of(arm, settings.utility) if tuned else None)
    if tuned:
        side_by_side(jobs, partial(try_choices, maker, sets), arms, TUNING, progress)
    choices = tuned_arms(maker, arms, sets, progress) if tuned else {}
    # All arms of a seed first: an early look compares them all.
    asked = [(arm, seed, choices.get(arm)) for seed in range(seeds) for arm in arms]
    side_by_side(jobs, partial(train_one, maker, sets), asked, RUNS, progress)
    trials = [maker.make(*own) for own in asked]
    return conclude(run_trials(trials, sets, progress, done), sets, steps, choices)


def train_one(maker: TrialMaker, sets: EvaluationSets, asked: tuple[Arm, int, Choice | None]) -> None:
    """Trains and reads a trial; its folder keeps both."""
    trial = maker.make(*asked)
    for held in (sets.held, sets.choosing) if sets.apart else (sets.held,):
        trial.run(held)


def run_trials(
    trials: Sequence[Trial], sets: EvaluationSets, progress: Progress, done: Callable[[Trial, float], None] = silent
) -> list[Reading]:
    """Each trained, or read where it was, and measured."""
    readings = []
    progress(RUNS, 0, len(trials))
    for trial in trials:
        counts = trial.run(sets.held, progress)
        mean = sets.judge.mean(trial.run(sets.choosing)) if sets.apart else sets.ruler.mean(counts)
        readings.append(Reading(trial, counts, mean))
        progress(RUNS, len(readings), len(trials))
        done(trial, sets.ruler.mean(counts))
    return readings


def conclude(readings: Sequence[Reading], sets: EvaluationSets, steps: int, chosen: Mapping[Arm, Choice]) -> Study:
    """From the pixels of each arm and seed to what is reported."""
    by_arm = {reading.trial.arm: [r for r in readings if r.trial.arm == reading.trial.arm] for reading in readings}
    ruler, held = sets.ruler, sets.held
    figures = {arm: ruler.read(np.stack([reading.counts for reading in own])) for arm, own in by_arm.items()}
    question = question_of(
        {arm: float(np.mean([reading.mean for reading in own])) for arm, own in by_arm.items()}, sets.apart
    )
    asked = [] if question is None else [(question.arm, question.against)]
    compared = {
        (arm, other): Comparison(arm, other, ruler.estimates(figures[arm] - figures[other]))
        for arm, other in [*comparisons(list(by_arm)), *asked]
    }
    results = tuple(_result(arm, own[0].trial, ruler.estimates(figures[arm])) for arm, own in by_arm.items())
    deltas = {} if question is None else compared[question.arm, question.against].deltas
    values = {result.arm.name: result.figures[OVERALL] for result in results}
    return Study(
        steps=steps,
        seeds=len(readings) // len(by_arm),
        split=held.split,
        photos=dict(zip(ruler.names, ruler.photos, strict=True)),
        tail_parts=tuple(held.schema.names[part] for part in sets.tail.parts),
        tail_classes=sets.tail.classes,
        arms=results,
        comparisons=tuple(compared.values()),
        verdict=judge_utility(question, deltas, values, len(held.items)),
        question=question,
        tuned={arm.name: choice for arm, choice in chosen.items()},
    )


def _result(arm: Arm, trial: Trial, figures: dict[str, Estimate]) -> ArmResult:
    made = is_made(trial.pairs)
    return ArmResult(arm, figures, int((~made).sum()), int(made.sum()))


def _plain(figures: dict[str, Estimate]) -> dict[str, Any]:
    return {name: figure.to_dict() for name, figure in figures.items()}
