"""The gate in use: the rule on masks, the fitted checks, and the bounds on their scores."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import torch

from augkit.core.parts import IGNORE, Mask, without_ignore
from augkit.gate.bounds import ScoreBounds
from augkit.gate.candidate import Candidate, Sides, Stage, Verdict
from augkit.gate.gate_check import GateCheck, MaskFilter, NetworkCheck
from augkit.gate.mask_rule import MaskRule, RuleLimits
from augkit.gate.reference import ReferenceSet

RULE = "rule"
"""The name of the rule among the checks."""


RULE_SIDES: Sides = dict.fromkeys(
    ("parts_missing", "parts_unexpected", "parts_exclusive", "area_excess"), (False, True)
)
"""Scores of the rule that have bounds; from another view than the asked one nothing is let through."""


AGAINST_READ = frozenset({"photo_distance"})
"""What counts against a real photo that a teacher read: that it is a labelled one. No car in a photo has parts too many
or too large, and what few labels show of a view is no reason to leave out the photos that show more."""


class Gate:
    """Judges pairs one at a time: what it says of a pair depends on that pair alone."""

    def __init__(self, references: ReferenceSet, checks: Mapping[str, GateCheck], bounds: ScoreBounds) -> None:
        self.references, self.checks, self.bounds = references, dict(checks), bounds
        self._rule = cache(self._rule_without)
        own = [bounds.bounds[name].high for name in RULE_SIDES if name in bounds.bounds]
        self._limits = RuleLimits(*own) if own else None

    @property
    def sides(self) -> Sides:
        """The scores that have bounds."""
        return dict(RULE_SIDES) | {n: side for check in self.checks.values() for n, side in check.sides.items()}

    def on(self, device: torch.device) -> Gate:
        """Itself, with the checks' networks there from now on."""
        for check in self.checks.values():
            if isinstance(check, NetworkCheck):
                check.on(device)
        return self

    def clean(self, mask: Mask) -> tuple[Mask, float]:
        """See ``MaskRule.clean``."""
        return self._rule(self.references.folds.count).clean(mask)

    def judge_mask(self, candidate: Candidate) -> Verdict:
        """What can be said before anything is painted: the rule, and the checks on masks."""
        rule, scores = self.rule(candidate), self.scores(candidate, "mask")
        reasons = rule.reasons + self.bounds.reasons(scores)
        return Verdict(dict(candidate.given) | rule.scores | scores, _counting(reasons, candidate))

    def rule(self, candidate: Candidate) -> Verdict:
        """What the rule says. That of a fold may know nothing of a rare class, all of whose pairs are in it."""
        rule = self._rule(self.references.folds.judge(candidate.own))
        if candidate.car_class not in rule.bounds:
            return Verdict(dict.fromkeys(RULE_SIDES, 0.0), [])
        return rule.judge(without_ignore(candidate.mask), candidate.car_class, self._limits)

    def judge_photo(self, candidate: Candidate) -> Verdict:
        """What is to be said of a painted pair on top."""
        scores = self.scores(candidate, "photo")
        return Verdict(scores, _counting(self.bounds.reasons(scores), candidate))

    def judge(self, candidate: Candidate) -> Verdict:
        """Both."""
        first, second = self.judge_mask(candidate), self.judge_photo(candidate)
        return Verdict(first.scores | second.scores, first.reasons + second.reasons)

    def scores(self, candidate: Candidate, stage: Stage) -> dict[str, float]:
        """Scores of the checks of a stage."""
        found: dict[str, float] = {}
        for check in self.checks.values():
            found |= check.score(candidate) if check.stage == stage else {}
        return found

    def training_mask(self, candidate: Candidate) -> tuple[Mask, dict[str, float]]:
        """The mask to train with, in which doubtful pixels are ignored, and the share of the pixels that are.

        Without a check that filters masks it is the pair's own, and there is no such share.
        """
        filters = [check for check in self.checks.values() if isinstance(check, MaskFilter)]
        if not filters:
            return candidate.mask, {}
        mask = candidate.mask
        for check in filters:
            mask = np.where(check.filter(candidate) == IGNORE, IGNORE, mask).astype(np.uint8)
        return mask, {"ignored_share": float(((mask == IGNORE) & (candidate.mask != IGNORE)).mean())}

    def check_of(self, reason: str) -> str:
        """The check that gave a reason."""
        owners = [name for name, check in self.checks.items() if reason in check.sides]
        return owners[0] if owners else RULE

    def _rule_without(self, fold: int) -> MaskRule:
        return MaskRule(self.references.without(fold), self.references.schema, self.references.options.rule)


def _counting(reasons: list[str], candidate: Candidate) -> list[str]:
    return [reason for reason in reasons if reason in AGAINST_READ] if candidate.read else reasons


def real_pair(references: ReferenceSet, place: int) -> Candidate:
    """A real pair, to be judged as if it were new."""
    return Candidate(references.pairs.plain(place), own=references.rows[place].id)


def judge_painted(gate: Gate, candidate: Candidate, before: Verdict) -> tuple[Mask, Verdict]:
    """The mask to train with and the whole verdict of a pair, whose mask was judged ``before``."""
    after, (mask, ignored) = gate.judge_photo(candidate), gate.training_mask(candidate)
    scores = before.scores | after.scores | ignored
    return mask, Verdict(scores, before.reasons + after.reasons)
