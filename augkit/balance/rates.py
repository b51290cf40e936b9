"""How often candidates of a class are accepted, as far as is known, and how many candidates a number of pairs takes.

The estimate is a Beta distribution. All classes together start from ``PRIOR`` (one candidate in four is accepted). A
class starts from the rate of all of them, which weighs ``WEIGHT`` candidates; its own candidates move it from there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from scipy.special import betaincc

PRIOR = (1.0, 3.0)
"""Accepted and rejected candidates that all classes together are taken to have had before the first one."""

WEIGHT = 8.0
"""Candidates that the rate of all classes counts for in the estimate of one."""

DOUBT = 0.01
"""A class is hopeless where the chance that its rate is high enough falls below this."""


@dataclass(frozen=True)
class Tally:
    """Candidates of a class: ``tried``, and ``accepted`` among them."""

    accepted: int = 0
    tried: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.accepted + other.accepted, self.tried + other.tried)


@dataclass(frozen=True)
class Rate:
    """What is known of an accept rate: Beta(alpha, beta)."""

    alpha: float
    beta: float

    @property
    def mean(self) -> float:
        """alpha / (alpha + beta)."""
        return self.alpha / (self.alpha + self.beta)

    def chance_above(self, rate: float) -> float:
        """The probability that the accept rate is higher than ``rate``."""
        return float(betaincc(self.alpha, self.beta, rate))

    def after(self, tally: Tally) -> Rate:
        """The estimate with more candidates seen."""
        return Rate(self.alpha + tally.accepted, self.beta + tally.tried - tally.accepted)


@dataclass(frozen=True)
class Rates:
    """The estimates of all classes."""

    tallies: Mapping[str, Tally]

    @property
    def pooled(self) -> Rate:
        """That of all classes together."""
        return Rate(*PRIOR).after(sum(self.tallies.values(), Tally()))

    def of(self, name: str) -> Rate:
        """That of one class: for accepted a of n tried and the pooled mean m, Beta(a + w m, n - a + w (1 - m))."""
        mean = self.pooled.mean
        return Rate(WEIGHT * mean, WEIGHT * (1 - mean)).after(self.tallies.get(name, Tally()))


def candidates(want: int, rate: float, deviations: float = 2.0) -> int:
    """Candidates that suffice for ``want`` accepted ones at a rate in (0, 1], but for bad luck.

    The number that it takes has the mean want / rate and the standard deviation sqrt(want (1 - rate)) / rate (negative
    binomial); this is the mean and so many ``deviations``, rounded up.
    """
    return math.ceil((want + deviations * math.sqrt(want * (1 - rate))) / rate)
