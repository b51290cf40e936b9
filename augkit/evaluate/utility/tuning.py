"""Tuning: each arm gets the same choice of presets, learning rates and lengths, and ``val`` chooses.

What was chosen is kept in ``reports/utility-tuning.json`` and taken from there, as long as the arm, its pairs, the
choice and the photos of ``val`` stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import TypeAlias

from augkit.core.atomic_file import write_json
from augkit.core.errors import DataError
from augkit.core.progress import Progress, silent
from augkit.core.seeds import derive
from augkit.core.typed import read_json
from augkit.core.workspace import Workspace
from augkit.evaluate.utility.arms import FLOOR, KINDS, Arm, Choice
from augkit.evaluate.utility.evaluation_sets import EvaluationSets
from augkit.evaluate.utility.trial import TrialMaker
from augkit.settings.utility import UtilitySettings

FILE = "utility-tuning.json"
TUNING = "tuning runs"
TUNING_SEED = 1_000_000
"""Far from the seeds that are measured."""


@dataclass(frozen=True)
class Attempt:
    """A choice and the mean IoU that it reached on ``val``."""

    choice: Choice
    val: float


@dataclass(frozen=True)
class ArmTuning:
    """What was tried for an arm, and what was chosen; ``about`` is a digest of all that decides it."""

    about: str
    chosen: Choice
    tried: list[Attempt]


@dataclass(frozen=True)
class _Kept:
    """The file."""

    seed: int
    arms: dict[str, ArmTuning] = field(default_factory=dict)


Round: TypeAlias = "Callable[[Choice], list[Choice]]"
"""The best choice so far -> those that are tried next."""


def rounds(arm: Arm, own: UtilitySettings) -> list[Round]:
    """One after the other."""
    presets = own.presets if KINDS[arm.kind].classical else (FLOOR,)
    if own.search == "grid":
        return [lambda _: [Choice(*values) for values in product(presets, own.lr_factors, own.lengths)]]
    return [
        lambda best: [replace(best, preset=preset) for preset in presets],
        lambda best: [replace(best, lr_factor=factor) for factor in own.lr_factors],
        lambda best: [replace(best, length=length) for length in own.lengths],
    ]


def first_of(arm: Arm, own: UtilitySettings) -> Choice:
    """Where the search begins."""
    return Choice(own.presets[0] if KINDS[arm.kind].classical else FLOOR, own.lr_factors[0], own.lengths[0])


def budget(arm: Arm, own: UtilitySettings) -> tuple[int, float]:
    """Trainings that the tuning of an arm takes, and their lengths together."""
    tried: dict[Choice, float] = {}
    for more in rounds(arm, own):
        tried |= dict.fromkeys(more(first_of(arm, own)), 0.0)
    return len(tried), sum(choice.length for choice in tried)


def tune(arm: Arm, own: UtilitySettings, score: Callable[[Choice], float]) -> tuple[Choice, list[Attempt]]:
    """The choice with the highest score, the first of equal ones, and all that were tried."""
    tried: dict[Choice, float] = {}
    best = first_of(arm, own)
    for more in rounds(arm, own):
        for choice in more(best):
            if choice not in tried:
                tried[choice] = score(choice)
        best = max(tried, key=tried.__getitem__)
    return best, [Attempt(choice, value) for choice, value in tried.items()]


def try_choices(trials: TrialMaker, sets: EvaluationSets, arm: Arm) -> None:
    """Trains what the tuning of an arm tries; what was chosen is not kept."""
    tune(
        arm, trials.settings.utility,
        lambda choice: sets.judge.mean(trials.make(arm, TUNING_SEED, choice).run(sets.choosing)),
    )  # fmt: skip


def tuned_arms(
    trials: TrialMaker, arms: Sequence[Arm], sets: EvaluationSets, progress: Progress = silent
) -> dict[Arm, Choice]:
    """For each arm what the photos that choose choose, or chose before."""
    own, file = trials.settings.utility, TuningFile(trials.workspace)
    trainings, done = sum(budget(arm, own)[0] for arm in arms), 0

    def score(arm: Arm, choice: Choice) -> float:
        nonlocal done
        value = sets.judge.mean(trials.make(arm, TUNING_SEED, choice).run(sets.choosing, progress))
        done += 1
        progress(TUNING, done, trainings)
        return value

    progress(TUNING, 0, trainings)
    chosen = {}
    for arm in arms:
        begin = trials.make(arm, TUNING_SEED, first_of(arm, own))
        about = f"{derive(sets.choosing.digest, begin.folder.name, own.model_dump_json()):016x}"
        found = file.frozen(arm, about)
        if found is None:
            best, tried = tune(arm, own, partial(score, arm))
            found = ArmTuning(about, best, tried)
            file.freeze(arm, found)
        else:
            done += budget(arm, own)[0]
        chosen[arm] = found.chosen
    return chosen


def require_test(sets: EvaluationSets) -> None:
    """Raises DataError where the figures would be read on the photos that chose, or nothing could choose."""
    if not sets.apart:
        raise DataError(
            f"--tune with held-out photos of the split {sets.held.split} alone: they would choose the settings "
            "and judge them",
            "real photos of val, which choose, and of test, which nothing else reads",
            "import again with --set data.test_share=0.15, which deals them out by groups of near duplicates, or name "
            "a test part where the data set fixes its splits; then balance again",
        )


class TuningFile:
    """``reports/utility-tuning.json`` of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.path: Path = workspace.reports / FILE

    def frozen(self, arm: Arm, about: str) -> ArmTuning | None:
        """What was chosen for the arm, if all that decides it is as it was."""
        found = self._read().arms.get(arm.name)
        return found if found is not None and found.about == about else None

    def freeze(self, arm: Arm, tuning: ArmTuning) -> None:
        """Keeps it."""
        kept = self._read()
        write_json(self.path, asdict(replace(kept, arms=kept.arms | {arm.name: tuning})))

    def _read(self) -> _Kept:
        if not self.path.is_file():
            return _Kept(TUNING_SEED)
        try:
            return read_json(_Kept, self.path)
        except (OSError, ValueError) as error:
            raise DataError(
                f"{self.path}: {error}", "what --tune wrote", "remove it: the arms are tuned again"
            ) from error
