"""Made pictures compared with real ones, every figure beside what two real sets give at the same size.

Most figures depend on how many pictures they see (a Frechet distance between two halves of one data set is far from
0), so a figure alone says little. Here each is computed at one size n, ten times over random draws, and so is its
floor:

- ``against``, where ``reference`` is given, e.g. the pictures a generator was trained on, with held-out ones as
  ``real``: n = the smallest of the three sets. In each draw n made and n reference pictures are compared with the same
  n real ones. A ratio of 1 says: the made pictures are as near to unseen real ones as the training pictures are. This
  is the one to ask of a generator: all held-out pictures take part. A generator that copies its training pictures
  has the ratio 1 too: ask ``copies``.
- ``halves``, without a reference: n = half of the real pictures (or the number of made ones, if smaller). In each
  draw n made pictures, and n of the other real ones, are compared with the same n real ones.

The draws overlap, so the floor's deviation tells how much the choice of pictures matters, not how much another data
set would.

The interval is a bootstrap without replacement: half of the real and half of the made pictures of a draw are compared,
many times. A figure of n / 2 out of n pictures, drawn without replacement, deviates from its mean like one of n
pictures does over new data; drawing with replacement would repeat pictures, which moves a Frechet distance upwards and
ruins every nearest neighbour. The interval is the value with these deviations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import ConfigError, DataError
from augkit.core.seeds import derive
from augkit.evaluate.features import PictureFeatures
from augkit.metrics.metric import METRICS, Metric

DRAWS = 10
RESAMPLES = 100
ROUNDING = 1e-9
"""Deviations below this share of the floor are rounding: every draw held all pictures."""

FEW = 30
"""Pictures a side below which a figure cannot tell much."""

DEFAULT = {
    "photos": ("frechet", "kernel", "precision", "recall", "density", "coverage"),
    "masks": (
        "frechet", "kernel", "precision", "recall", "density", "coverage",
        "part-shares", "part-presence", "part-adjacency", "part-components",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Floor:
    """What real pictures get when compared with real ones: mean and standard deviation over the draws.

    ``kind``: ``halves`` or ``against``.
    """

    kind: str
    mean: float
    std: float


@dataclass(frozen=True)
class Figure:
    """One figure of made pictures, at ``size`` pictures a side.

    ``ratio``: value over the floor's mean; None where that means nothing (a floor of 0, or around 0). ``worse_by``:
    how many standard deviations of the floor it is worse than the floor; None where the floor does not vary.
    ``interval``: 95 %; None where there are too few pictures to halve. ``error``: the standard error, by the same
    resamples. ``n_real``, ``n_made``: pictures at hand.
    """

    name: str
    value: float
    interval: tuple[float, float] | None
    error: float | None
    floor: Floor
    ratio: float | None
    worse_by: float | None
    lower_is_better: bool
    size: int
    n_real: int
    n_made: int
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def compare(
    real: PictureFeatures,
    made: PictureFeatures,
    metrics: Sequence[str] = (),
    *,
    reference: PictureFeatures | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    resamples: int = RESAMPLES,
) -> list[Figure]:
    """The figures named (all that fit the kind of pictures unless given), as the module's text defines them.

    Raises DataError for sets that must not be compared, for less than 2 pictures a side, for fewer than a figure needs
    (``enough`` says which do), and where all real pictures are blank or alike; ConfigError for a figure that these
    pictures do not have, and for less than 2 draws or resamples.
    """
    if draws < 2 or resamples < 2:
        raise ConfigError(f"{draws} draws, {resamples} resamples", "at least 2 of each")
    for other in (made, *([] if reference is None else [reference])):
        real.check_comparable(other)
    size = size_of(len(real), len(made), None if reference is None else len(reference))
    _refuse(real, size, len(made))
    chosen = [METRICS[name] for name in metrics or enough(DEFAULT[real.kind], size)]
    for name, metric in zip(metrics, chosen, strict=False):
        if size < metric.fewest:
            raise DataError(f"{name} of {size} pictures a side", f"at least {metric.fewest}", "leave it out")
    plan = [_draw(derive(seed, "judge", n), real, made, reference, size) for n in range(draws)]
    drawn = _DrawnSets(real, made, reference, plan, [derive(seed, "interval", n) for n in range(resamples)])
    return [drawn.figure(metric) for metric in chosen]


def compare_defined(
    names: Sequence[str], real: PictureFeatures, made: PictureFeatures, reference: PictureFeatures
) -> list[Figure]:
    """Those of the figures named that are defined for so many pictures. Raises what ``compare`` does."""
    size = size_of(len(real), len(made), len(reference))
    return compare(real, made, enough(names, size), reference=reference)


def size_of(n_real: int, n_made: int, n_reference: int | None = None) -> int:
    """Pictures a side in every comparison; the second form of the floor has no reference."""
    return min(n_real // 2, n_made) if n_reference is None else min(n_real, n_made, n_reference)


def enough(names: Sequence[str], size: int) -> tuple[str, ...]:
    """Those figures that are defined for ``size`` pictures a side."""
    return tuple(name for name in names if METRICS[name].fewest <= size)


def label(metric: Metric, extractor: str) -> str:
    """``FD-lite0``, ``KD-lite0``; FID and KID are names of the official Inception's figures alone."""
    if metric.reads != "features":
        return metric.label
    if extractor == "inception":
        return {"FD": "FID", "KD": "KID"}.get(metric.label, metric.label)
    return f"{metric.label}-{extractor}"


@dataclass(frozen=True)
class _Draw:
    """Places of n pictures each in the real, the made and the reference set (with halves: in the real set again)."""

    real: NDArray[np.intp]
    made: NDArray[np.intp]
    reference: NDArray[np.intp]


def _draw(
    seed: int, real: PictureFeatures, made: PictureFeatures, reference: PictureFeatures | None, size: int
) -> _Draw:
    random = np.random.default_rng(seed)
    order = random.permutation(len(real))
    other = order[size : 2 * size] if reference is None else random.permutation(len(reference))[:size]
    return _Draw(order[:size], random.permutation(len(made))[:size], other)


@dataclass(frozen=True)
class _DrawnSets:
    """The sets, the draws of the figures, and the seeds of the interval's resamples."""

    real: PictureFeatures
    made: PictureFeatures
    reference: PictureFeatures | None
    plan: Sequence[_Draw]
    seeds: Sequence[int]

    @property
    def size(self) -> int:
        return len(self.plan[0].real)

    def figure(self, metric: Metric) -> Figure:
        real, made = self.real.table(metric), self.made.table(metric)
        kind, third = ("halves", self.real) if self.reference is None else ("against", self.reference)
        other = third.table(metric)
        value = float(np.mean([metric.compare(real[d.real], made[d.made]) for d in self.plan]))
        floors = [metric.compare(real[d.real], other[d.reference]) for d in self.plan]
        floor = Floor(kind, float(np.mean(floors)), float(np.std(floors, ddof=1)))
        sign = 1 if metric.lower_is_better else -1
        moves = self._deviations(metric, real, made)
        low, high = np.quantile(moves, [0.025, 0.975]) if len(moves) else (0.0, 0.0)
        return Figure(
            name=label(metric, self.real.extractor),
            value=value,
            interval=(value + float(low), value + float(high)) if len(moves) else None,
            error=float(np.std(moves, ddof=1)) if len(moves) else None,
            floor=floor,
            ratio=value / floor.mean if floor.mean > 0 and not metric.centred else None,
            worse_by=sign * (value - floor.mean) / floor.std if floor.std > ROUNDING * abs(floor.mean) else None,
            lower_is_better=metric.lower_is_better,
            size=self.size,
            n_real=len(self.real),
            n_made=len(self.made),
            warnings=_notes(self.real, self.made, self.size) + _rank_note(metric, self.size, real.shape[1]),
        )

    def _deviations(self, metric: Metric, real: NDArray[Any], made: NDArray[Any]) -> NDArray[np.float64]:
        """Of the resamples from their mean; empty where there are too few pictures to halve."""
        half = self.size // 2
        if half < max(2, metric.fewest):
            return np.empty(0)
        found = []
        for number, seed in enumerate(self.seeds):
            draw, random = self.plan[number % len(self.plan)], np.random.default_rng(seed)
            pick_real, pick_made = (random.choice(side, half, replace=False) for side in (draw.real, draw.made))
            found.append(metric.compare(real[pick_real], made[pick_made]))
        return np.asarray(found, np.float64) - float(np.mean(found))


def _refuse(real: PictureFeatures, size: int, n_made: int) -> None:
    if size < 2:
        raise DataError(
            f"{len(real)} real and {n_made} made pictures: {size} a side",
            "at least 2 a side (real ones are halved where no reference is given)",
            "add pictures, or leave this class out",
        )
    if real.blank.all():
        raise DataError(f"all {len(real)} real pictures are of a single colour", "pictures of cars", "look at them")
    features = real.tables.get("features")
    if features is not None and not np.ptp(features, axis=0).any():
        raise DataError(f"all {len(real)} real pictures have the same features", "different pictures", "look at them")


def _notes(real: PictureFeatures, made: PictureFeatures, size: int) -> tuple[str, ...]:
    found = []
    if size < FEW:
        found.append(f"only {size} pictures a side: differences between models will hardly show")
    for name, own in (("real", real), ("made", made)):
        if own.blank.any():
            found.append(f"{own.blank.sum()} of {len(own)} {name} pictures are of a single colour")
    features = made.tables.get("features")
    if features is not None and len(made) > 1 and not np.ptp(features, axis=0).any():
        found.append(f"all {len(made)} made pictures have the same features")
    return tuple(found)


def _rank_note(metric: Metric, size: int, width: int) -> tuple[str, ...]:
    if metric.label != "FD" or size > width:
        return ()
    return (f"{size} pictures span at most {size - 1} of {width} dimensions: read the ratio, not the value",)
