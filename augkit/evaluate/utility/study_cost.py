"""What a comparison would cost, told before it is begun: trainings, their steps, and the pace of a short one."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augkit.evaluate.utility.arms import KINDS, Arm
from augkit.evaluate.utility.trial import TrialMaker
from augkit.evaluate.utility.tuning import budget
from augkit.settings import Settings
from augkit.stages.segmenter import fit_segmenter

PROBE = 12
"""Steps of the short training."""


@dataclass(frozen=True)
class StudyCost:
    """``trainings`` of segmenters with at most so many ``steps`` together, ``pace`` seconds each; ``jobs`` runs of the
    main job with ``job_seconds`` each. What was done before is not left out, and reading photos costs little."""

    trainings: int
    steps: int
    pace: float
    jobs: int = 0
    job_seconds: float = 0.0

    @property
    def minutes(self) -> float:
        """Of all together, one after the other."""
        return (self.steps * self.pace + self.jobs * self.job_seconds) / 60

    @property
    def sentence(self) -> str:
        """For people."""
        jobs = f", {self.jobs} runs of `augkit balance` of {self.job_seconds / 60:.1f} min each" if self.jobs else ""
        return (
            f"{self.trainings} trainings of segmenters, at most {self.steps} steps of {1000 * self.pace:.0f} ms{jobs}: "
            f"about {self.minutes:.0f} min on this machine if nothing is there yet."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return vars(self) | {"minutes": self.minutes}


def trainings_of(arms: Sequence[Arm], seeds: int, settings: Settings, *, steps: int, tuned: bool) -> tuple[int, int]:
    """Trainings of one comparison, and their steps: at most, since the lengths are chosen by the tuning."""
    if not tuned:
        return seeds * len(arms), seeds * len(arms) * steps
    own = settings.utility
    budgets = [budget(arm, own) for arm in arms]
    lengths = sum(length for _, length in budgets) + seeds * len(arms) * max(own.lengths)
    return sum(count for count, _ in budgets) + seeds * len(arms), round(lengths * steps)


def pace_of(trials: TrialMaker, arms: Sequence[Arm]) -> float:
    """Seconds of a step, by a short training in another folder: of the last of the arms that need nothing made."""
    arm = [Arm("real"), *(arm for arm in arms if KINDS[arm.kind].source == "real" and not KINDS[arm.kind].rendered)][-1]
    ticks: list[float] = []

    def tick(name: str, done: int, total: int, /) -> None:
        del name, done, total
        ticks.append(time.monotonic())

    settings = arm.settings(trials.settings, 0, PROBE)
    pairs = trials.make(arm, 0).pairs
    with tempfile.TemporaryDirectory(prefix="augkit-pace-") as folder:
        fit_segmenter(
            trials.workspace, settings, pairs, Path(folder) / "segmenter", resume=False, progress=tick
        )  # fmt: skip
    return (ticks[-1] - ticks[0]) / max(1, len(ticks) - 1)
