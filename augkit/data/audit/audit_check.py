"""What a check is, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from augkit.core.registry import Registry

if TYPE_CHECKING:
    from augkit.data.audit.measurements import AuditedPair, Measurements

Severity = Literal["fatal", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""Worst first. Fatal: training on it is surely wrong. Warning: a person should look. Note: good to know."""

Figures = Mapping[str, float | str]
"""What is kept of one pair: a few numbers or short texts by name; the same names for every pair."""


@dataclass(frozen=True)
class Hit:
    """A row that a finding names. The higher the score, the worse; ``remark`` says what is wrong with this one."""

    id: str
    score: float
    remark: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: a message with its figures, what the user can do, and the rows, the worst first."""

    check: str
    severity: Severity
    message: str
    remedy: str
    hits: tuple[Hit, ...] = ()


Judge = Callable[["Measurements"], Iterable[Finding]]
Measure = Callable[["AuditedPair"], Figures]


def no_figures(audited: AuditedPair) -> Figures:
    """The measure of a check that reads the catalogue alone."""
    del audited
    return {}


@dataclass(frozen=True)
class AuditCheck:
    """``measure`` looks at one pair at a time, ``judge`` at what was measured of all of them.

    ``guards`` marks checks with fatal findings: training is refused on them, so they run before it and must be quick.
    ``excludes`` marks those whose rows an import may as well leave out (``--exclude``).
    """

    name: str
    about: str
    judge: Judge
    measure: Measure
    guards: bool
    excludes: bool = False

    @property
    def reads_pairs(self) -> bool:
        """Whether the pairs have to be decoded for it."""
        return self.measure is not no_figures


CHECKS: Registry[AuditCheck] = Registry("check", "augkit.data.audit.checks")


def check(
    name: str, about: str, measure: Measure = no_figures, guards: bool = False, excludes: bool = False
) -> Callable[[Judge], AuditCheck]:
    """Decorator that makes a check of a judging function, and registers it.

    ``about`` says in a few words what it looks for; help and pages show it.
    """

    def add(judge: Judge) -> AuditCheck:
        return CHECKS.register(name)(AuditCheck(name, about, judge, measure, guards, excludes))

    return add


def worst_first(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """In the order of their scores; rows with the same score keep theirs."""
    return tuple(sorted(hits, key=lambda hit: -hit.score))
