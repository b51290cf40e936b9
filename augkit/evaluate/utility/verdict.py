"""Do augkit's pairs help? One sentence, on the best arm with them against the best one without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from augkit.evaluate.utility.arms import KINDS, Arm
from augkit.evaluate.utility.figures import OVERALL, TAIL_CLASSES, TAIL_PARTS
from augkit.evaluate.utility.held_out import CHOOSING
from augkit.metrics.intervals import Estimate
from augkit.metrics.sign_flip import sign_flip

Word = Literal["helps", "no difference seen", "hurts", "not asked"]

LEVEL = 0.95
CLAIM = 8
"""Paired seeds below which a difference is a hint: the sign-flip test of seven is never below .015."""


@dataclass(frozen=True)
class Comparison:
    """An arm against another one: by figure, how much more it reads."""

    arm: Arm
    against: Arm
    deltas: dict[str, Estimate]

    @property
    def sign_flip(self) -> float:
        """The p value of the overall difference over seeds."""
        return sign_flip(self.deltas[OVERALL].seeds)


@dataclass(frozen=True)
class Question:
    """The two arms whose difference decides, and the level of its interval.

    Where both were chosen on other photos (``apart``) that is 95 %. Else the best of several pairs of arms is looked
    at, so each interval covers more (Bonferroni), that all of them together cover 95 %.
    """

    arm: Arm
    against: Arm
    apart: bool
    level: float = LEVEL


@dataclass(frozen=True)
class UtilityVerdict:
    """``level`` is that of the interval that decides."""

    word: Word
    sentence: str
    level: float = LEVEL


def question_of(means: Mapping[Arm, float], apart: bool) -> Question | None:
    """The best arm with augkit's pairs and the best one without by ``means``, which were measured ``apart`` from the
    photos of the verdict or on them; None where one side did not take part."""
    ours = [arm for arm in means if KINDS[arm.kind].ours]
    opponents = [arm for arm in means if not KINDS[arm.kind].ours]
    if not ours or not opponents:
        return None
    looks = 1 if apart else len(ours) * len(opponents)
    return Question(
        max(ours, key=means.__getitem__), max(opponents, key=means.__getitem__), apart, 1 - (1 - LEVEL) / looks
    )


def judge_utility(
    question: Question | None, deltas: dict[str, Estimate], values: Mapping[str, Estimate], photos: int
) -> UtilityVerdict:
    """``deltas``: how much more the question's arm reads; ``values``: the overall figure by the arm's name."""
    if question is None:
        ours, opponents = (" or ".join(n for n, kind in KINDS.items() if kind.ours == own) for own in (True, False))
        return UtilityVerdict("not asked", f"No verdict: it needs one of the arms {ours}, and one of {opponents}.")
    low, high = deltas[OVERALL].interval(question.level)
    word: Word = "helps" if low > 0 else "hurts" if high < 0 else "no difference seen"
    return UtilityVerdict(word, _sentence(word, question, deltas, values, photos), question.level)


def _sentence(
    word: Word, question: Question, deltas: dict[str, Estimate], values: Mapping[str, Estimate], photos: int
) -> str:
    delta, arm, other = deltas[OVERALL], question.arm.name, question.against.name
    tail = [f"{name} {points(deltas[name].value)}" for name in (TAIL_PARTS, TAIL_CLASSES) if name in deltas]
    seeds = len(delta.seeds)
    runs = (
        f"{seeds} seeds, sign-flip test p = {sign_flip(delta.seeds):.2g}"
        if seeds > 1
        else "one seed, so that the chance of the training is not counted"
    )
    low, high = delta.interval(question.level)
    between = f"{100 * question.level:.4g} % interval {points(low)} to {points(high)}"
    if not np.isfinite([low, high]).all():
        between = "no interval, since one photo does not tell how photos differ"
    chosen = f"; both chosen on {CHOOSING}" if question.apart else "; both chosen on these photos"
    if not question.apart and question.level == LEVEL:
        chosen = ""  # there was one of each
    return (
        f"{word.capitalize()}: {arm}, the best arm with augkit's pairs, reads {100 * values[arm].value:.1f} mean IoU, "
        f"{other}, the best without, {100 * values[other].value:.1f}; {points(delta.value)} points ({between}; {runs}, "
        f"{photos} held-out {'photo' if photos == 1 else 'photos'}{chosen})"
        + (f"; {', '.join(tail)}." if tail else ".")
        + (f" Fewer than {CLAIM} seeds: a hint, no claim." if seeds < CLAIM and word in {"helps", "hurts"} else "")
    )


def points(value: float) -> str:
    """An IoU difference in points: ``+2.3``."""
    return f"{100 * value:+.1f}"
