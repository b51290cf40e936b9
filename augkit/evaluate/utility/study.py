"""The comparison as a whole: arms times seeds trained, measured, and put side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from augkit.core.errors import ConfigError
from augkit.core.progress import Progress, silent
from augkit.core.workspace import Workspace
from augkit.evaluate.utility.arms import DEFAULT, WITH_PSEUDO, Arm, comparisons
from augkit.evaluate.utility.figures import OVERALL, UtilityMeasure
from augkit.evaluate.utility.held_out import SPLITS, HeldOut, held_out
from augkit.evaluate.utility.tail import Tail, tail_of
from augkit.evaluate.utility.trial import Trial
from augkit.evaluate.utility.verdict import Comparison, Question, UtilityVerdict, judge_utility, question_of
from augkit.metrics.intervals import Estimate
from augkit.settings import Settings
from augkit.stages.training_mix import EncodedPairs, is_made, training_mix

RUNS = "training runs"


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

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "verdict": vars(self.verdict), "steps": self.steps, "seeds": self.seeds,
            "held_out": {"split": self.split, "photos": self.photos},
            "tail": {"parts": list(self.tail_parts), "classes": list(self.tail_classes)},
            "arms": [
                {"arm": r.arm.name, "kind": r.arm.kind, "share": r.arm.share, "real": r.real, "made": r.made}
                | {"figures": _plain(r.figures)}
                for r in self.arms
            ],
            "comparisons": [
                {"arm": c.arm.name, "against": c.against.name, "deltas": _plain(c.deltas)} for c in self.comparisons
            ],
        }  # fmt: skip


def default_kinds(workspace: Workspace) -> tuple[str, ...]:
    """The arms that take part where none is named: those of pseudo pairs where there are some."""
    made = set(training_mix(workspace, "all").index["source"].to_pylist())
    return DEFAULT + (WITH_PSEUDO if "pseudo" in made else ())


def compare_arms(
    workspace: Workspace, settings: Settings, arms: Sequence[Arm], seeds: int, steps: int, *,
    progress: Progress = silent, done: Callable[[Trial, float], None] = silent,
) -> Study:  # fmt: skip
    """Trains every arm with seeds 0, 1, ... and measures all on the same held-out pairs.

    Where these are of the split test, the arms of the verdict are chosen on val, by the same runs. Runs are kept in
    ``WORKSPACE/utility``: a finished one is not trained again, an interrupted one goes on. ``done`` hears of each with
    its mean IoU. Raises ShardError, DataError and ConfigError before anything is trained.
    """
    if seeds < 1:
        raise ConfigError(f"{seeds} seeds", "at least 1, better 3")
    held = held_out(workspace, settings.segmenter.size)
    choosing = held_out(workspace, settings.segmenter.size, SPLITS[::-1])
    apart = choosing.split != held.split
    real = training_mix(workspace, "real")
    trials = {
        arm: [Trial.of(workspace, arm, seed, arm.settings(settings, seed, steps)) for seed in range(seeds)]
        for arm in arms
    }
    ruler, judge = UtilityMeasure(held, tail_of(real)), UtilityMeasure(choosing, tail_of(real), draws=1)
    counts: dict[Arm, list[Any]] = {arm: [] for arm in arms}
    means: dict[Arm, list[float]] = {arm: [] for arm in arms}
    in_all, over = len(arms) * seeds, 0
    progress(RUNS, over, in_all)
    for seed in range(seeds):  # all arms of a seed first: an early look compares them all
        for arm in arms:
            trial = trials[arm][seed]
            counts[arm].append(trial.run(workspace, held, progress))
            means[arm].append(judge.mean(trial.run(workspace, choosing) if apart else counts[arm][-1]))
            over += 1
            progress(RUNS, over, in_all)
            done(trial, ruler.mean(counts[arm][-1]))
    pairs = {arm: trials[arm][0].pairs for arm in arms}
    question = question_of({arm: float(np.mean(own)) for arm, own in means.items()}, apart)
    stacked = {arm: np.stack(rows) for arm, rows in counts.items()}
    return conclude(stacked, pairs, ruler, held, tail_of(real), steps, question)


def conclude(  # noqa: PLR0917  # each is a different thing
    counts: dict[Arm, Any],
    pairs: dict[Arm, EncodedPairs],
    ruler: UtilityMeasure,
    held: HeldOut,
    tail: Tail,
    steps: int,
    question: Question | None,
) -> Study:
    """From the (S, pairs, channels, 3) pixels of each arm to what is reported."""
    readings = {arm: ruler.read(own) for arm, own in counts.items()}
    results = []
    for arm, reading in readings.items():
        made = is_made(pairs[arm])
        results.append(ArmResult(arm, ruler.estimates(reading), int((~made).sum()), int(made.sum())))
    asked = [] if question is None else [(question.arm, question.against)]
    compared = {
        (arm, other): Comparison(arm, other, ruler.estimates(readings[arm] - readings[other]))
        for arm, other in [*comparisons(list(counts)), *asked]
    }
    deltas = {} if question is None else compared[question.arm, question.against].deltas
    values = {result.arm.name: result.figures[OVERALL] for result in results}
    return Study(
        steps=steps,
        seeds=len(next(iter(counts.values()))),
        split=held.split,
        photos=dict(zip(ruler.names, ruler.photos, strict=True)),
        tail_parts=tuple(held.schema.names[part] for part in tail.parts),
        tail_classes=tail.classes,
        arms=tuple(results),
        comparisons=tuple(compared.values()),
        verdict=judge_utility(question, deltas, values, len(held.items)),
    )


def _plain(figures: dict[str, Estimate]) -> dict[str, Any]:
    return {name: figure.to_dict() for name, figure in figures.items()}
