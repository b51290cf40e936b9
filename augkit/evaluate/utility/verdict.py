"""Do generated pairs help? One sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from augkit.evaluate.utility.arms import Arm
from augkit.evaluate.utility.figures import OVERALL, TAIL_CLASSES, TAIL_PARTS
from augkit.metrics.intervals import Estimate

Word = Literal["helps", "no difference seen", "hurts", "not asked"]

QUESTIONS = (("real+classical+generated", "real+classical"), ("real+generated", "real"))
"""Kinds whose difference answers it; the first pair that took part counts: classical augmentation costs nothing."""

LEVEL = 0.95


@dataclass(frozen=True)
class Comparison:
    """An arm against another one: by figure, how much more it reads."""

    arm: Arm
    against: Arm
    deltas: dict[str, Estimate]


@dataclass(frozen=True)
class UtilityVerdict:
    """``level`` is that of the interval that decides: with several ratios the best one is looked at, so each interval
    covers more than 95 % (Bonferroni), that all of them together cover 95 %."""

    word: Word
    sentence: str
    level: float = LEVEL


def judge_utility(comparisons: Sequence[Comparison], values: dict[str, Estimate], photos: int) -> UtilityVerdict:
    """``values``: the overall figure by the arm's name. Of all ratios the best one decides."""
    asked = next((found for kinds in QUESTIONS if (found := _about(comparisons, kinds))), [])
    if not asked:
        pairs = " or ".join(f"{arm} and {against}" for arm, against in QUESTIONS)
        return UtilityVerdict("not asked", f"No verdict: it needs the arms {pairs}.")
    level = 1 - (1 - LEVEL) / len(asked)
    best = max(asked, key=lambda comparison: comparison.deltas[OVERALL].value)
    delta = best.deltas[OVERALL]
    low, high = delta.interval(level)
    word: Word = "helps" if low > 0 else "hurts" if high < 0 else "no difference seen"
    return UtilityVerdict(word, _sentence(word, best, values, photos, level), level)


def _about(comparisons: Sequence[Comparison], kinds: tuple[str, str]) -> list[Comparison]:
    return [c for c in comparisons if (c.arm.kind, c.against.kind) == kinds]


def _sentence(word: Word, best: Comparison, values: dict[str, Estimate], photos: int, level: float) -> str:
    delta = best.deltas[OVERALL]
    tail = [f"{name} {points(best.deltas[name].value)}" for name in (TAIL_PARTS, TAIL_CLASSES) if name in best.deltas]
    seeds = len(delta.seeds)
    runs = f"{seeds} seeds" if seeds > 1 else "one seed, so that the chance of the training is not counted"
    low, high = delta.interval(level)
    between = f"{100 * level:g} % interval {points(low)} to {points(high)}"
    if not np.isfinite([low, high]).all():
        between = "no interval, since one photo does not tell how photos differ"
    start = {"helps": "Helps", "hurts": "Hurts", "no difference seen": "No difference seen", "not asked": ""}[word]
    return (
        f"{start}: {best.arm.name} reads {100 * values[best.arm.name].value:.1f} mean IoU, {best.against.name} "
        f"{100 * values[best.against.name].value:.1f}; {points(delta.value)} points ({between}; {runs}, "
        f"{photos} held-out {'photo' if photos == 1 else 'photos'})" + (f"; {', '.join(tail)}." if tail else ".")
    )


def points(value: float) -> str:
    """An IoU difference in points: ``+2.3``."""
    return f"{100 * value:+.1f}"
