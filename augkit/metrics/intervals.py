"""How sure a mean over training runs is, that was measured on so many photos.

A figure of segmenters has two sources of chance: the training (its seed) and the photos that it is measured on. Over S
seeds and n photos the variance of the mean is estimated as

    s^2 / S  +  v

s^2 is the variance of the S figures, all measured on the same photos; v the variance of their mean when the photos are
drawn again (bootstrap over photos, all seeds on the same draw, times n / (n - 1)). What seed and photos do together is
in both, so the sum is rather too large than too small. The interval is Student's, with the degrees of freedom of the
sum after Satterthwaite (1946): with three seeds that differ much it is wide, as it should be. A difference between two
arms is a figure too: its runs are paired by seed and both sides see the same draws of photos.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from augkit.core.seeds import derive

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """``value``: the mean over seeds; ``seeds``: each one's figure; ``error``: its standard error, with ``freedom``
    degrees of freedom. ``error`` is NaN where there are fewer than two photos."""

    value: float
    seeds: tuple[float, ...]
    error: float
    freedom: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Both ends."""
        reach = float(stats.t.ppf(0.5 + level / 2, self.freedom)) * self.error if self.error > 0 else self.error
        return self.value - reach, self.value + reach

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; what is not defined is null."""
        plain = {"value": self.value, "interval": list(self.interval()), "error": self.error, "seeds": list(self.seeds)}
        return {name: _plain(value) for name, value in plain.items()}


def photo_draws(photos: int, draws: int, seed: int = 0) -> Values:
    """(draws, photos): how often each bootstrap sample holds each photo."""
    random = np.random.default_rng(derive(seed, "photos"))
    return random.multinomial(photos, np.full(photos, 1 / photos), size=draws).astype(float)


def estimate(seeds: Values, drawn: Values, photos: int) -> Estimate:
    """``seeds`` (S,): the figure of each seed; ``drawn`` (draws, S): the same on draws of the photos, NaN where a draw
    holds none that the figure needs; ``photos``: how many those are.

    With a single seed the interval covers the choice of photos alone.
    """
    between = float(seeds.var(ddof=1)) / len(seeds) if len(seeds) > 1 else 0.0
    within = _variance_of_mean(drawn) * photos / (photos - 1) if photos > 1 else float("nan")
    total = between + within
    if not total > 0:
        return Estimate(float(seeds.mean()), _tuple(seeds), total, float("inf"))
    freedom = total**2 / (between**2 / max(1, len(seeds) - 1) + within**2 / (photos - 1))
    return Estimate(float(seeds.mean()), _tuple(seeds), total**0.5, freedom)


def _variance_of_mean(drawn: Values) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # draws without any value
        return float(np.nanvar(drawn.mean(1)))


def _tuple(values: Values) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value if np.isfinite(value) else None
