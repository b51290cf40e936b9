"""Part targets: how many pairs of which classes lift a part's share of the cars' pixels to what was asked for.

A pair counts with the areas of its parts as shares of the frame, so that pairs of different sizes weigh alike. The
share of a part is its area over that of all parts, summed over the pairs for training: the real ones and the accepted
generated ones. A class whose mean pair shows the area m of the part, and the area M of the car, moves the share s S of
the sums (S of the part, T of all parts) to the target t with n >= (t T - S) / (m - t M) pairs, if m > t M.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError
from augkit.core.nearest import one_of
from augkit.core.parts import PartSchema
from augkit.data.catalogue import CatalogueRow

NEAR = 0.8
"""Classes that gain at least this share of what the best one gains a pair serve a target, in equal numbers."""

MOST = 4
"""Part targets may add this many times the pairs that there are without them."""

_PASSES = 100
"""Times that the targets are gone through, each lifting its part, until all hold."""

Areas = NDArray[np.float64]
"""(K,) areas by part id, background first, as shares of the frame."""


@dataclass(frozen=True)
class Profiles:
    """Real training masks: the sum of their areas, and by class how many there are and what the mean one looks like.

    Each counts for its class and, mirrored, for the mirror class, as every photo is trained on flipped as well.
    """

    total: Areas
    pairs: int
    means: Mapping[CarClass, Areas]

    @classmethod
    def of(cls, rows: Sequence[CatalogueRow], schema: PartSchema) -> Profiles:
        """Those of training rows."""
        swap, found = schema.flip_table[: schema.channels], dict[CarClass, list[Areas]]()
        total = np.zeros(schema.channels)
        for row in rows:
            areas = np.asarray(row.histogram, np.float64) / row.size**2
            total = total + areas
            found.setdefault(row.car_class, []).append(areas)
            found.setdefault(row.car_class.mirror, []).append(areas[swap])
        return cls(total, len(rows), {c: np.mean(values, axis=0) for c, values in found.items()})


@dataclass(frozen=True)
class PartTarget:
    """A part's ``share`` of the cars' pixels to be reached, and the ``classes`` whose pairs show it most."""

    name: str
    part: int
    share: float
    classes: tuple[CarClass, ...]

    def of(self, total: Areas) -> float:
        """The share that sums of areas have."""
        return float(total[self.part] / max(total[1:].sum(), 1e-12))

    def holds(self, total: Areas) -> bool:
        """Whether it is reached."""
        return self.gain(total) >= 0

    def gain(self, mean: Areas) -> float:
        """What areas add to the part beyond the share that was asked for; negative where they thin it."""
        return float(mean[self.part] - self.share * mean[1:].sum())

    def pairs(self, total: Areas, means: Mapping[CarClass, Areas]) -> dict[CarClass, int]:
        """Pairs of the classes, as equal in number as can be, after which it holds; none where no class helps.

        What does not divide goes to the classes that gain most, so that the sum suffices.
        """
        gains = {c: gain for c in self.classes if c in means and (gain := self.gain(means[c])) > 0}
        lacking = -self.gain(total)
        if not gains or lacking <= 0:
            return {}
        needed = lacking / (sum(gains.values()) / len(gains))
        if not math.isfinite(needed):  # a gain of next to nothing: no number of pairs is enough
            return {}
        each, rest = divmod(math.ceil(needed), len(gains))
        best = sorted(gains, key=gains.__getitem__, reverse=True)
        return {c: each + (place < rest) for place, c in enumerate(best)}


@dataclass(frozen=True)
class ExtraPairs:
    """Pairs to add by class, and whether all targets hold with them."""

    pairs: dict[CarClass, int] = field(default_factory=dict)
    reached: bool = True


def lift(targets: Sequence[PartTarget], total: Areas, means: Mapping[CarClass, Areas], most: int) -> ExtraPairs:
    """Goes through the targets, since what lifts one part thins the others, until all hold.

    ``means`` holds the classes that may be added. Nothing is added where that would take more than ``most`` pairs, or
    where no class helps any more.
    """
    added: dict[CarClass, int] = {}
    for _ in range(_PASSES):
        before = total
        for target in targets:
            for car_class, more in target.pairs(total, means).items():
                added[car_class] = added.get(car_class, 0) + more
                total = total + more * means[car_class]
        if sum(added.values()) > most:
            break
        if all(target.holds(total) for target in targets):
            return ExtraPairs(added)
        if total is before:
            break
    return ExtraPairs({}, reached=False)


def part_targets(
    asked: Mapping[str, float], profiles: Profiles, schema: PartSchema, allowed: Collection[CarClass]
) -> tuple[PartTarget, ...]:
    """The targets by name, each with the classes that serve it among the ``allowed`` ones.

    Raises ConfigError for an unknown part, and for a share that no class's real masks reach.
    """
    unknown = [name for name in asked if name not in schema.names[1:]]
    if unknown:
        raise ConfigError(f"--target-part {', '.join(unknown)}: no such part", one_of(unknown[0], schema.names[1:]))
    means = {c: profiles.means[c] for c in allowed if c in profiles.means}
    return tuple(_target(PartTarget(n, schema.id_of(n), share, ()), means) for n, share in asked.items())


def _target(bare: PartTarget, means: Mapping[CarClass, Areas]) -> PartTarget:
    if not means:
        raise ConfigError(f"--target-part {bare.name}: no class to generate", "a class with training pairs")
    gains = {car_class: bare.gain(mean) for car_class, mean in means.items()}
    best = max(gains, key=lambda c: bare.of(means[c]))
    if gains[best] <= 0:
        raise ConfigError(
            f"--target-part {bare.name}={bare.share:.2%}: no class shows that much of it; the mean pair of {best.name} "
            f"shows the most, {bare.of(means[best]):.2%} of its car",
            f"a share below {bare.of(means[best]):.2%}",
        )
    enough = NEAR * max(gains.values())
    return PartTarget(bare.name, bare.part, bare.share, tuple(c for c, gain in gains.items() if gain >= enough))


def parse_targets(texts: Iterable[str]) -> dict[str, float]:
    """``trunk=2%`` or ``trunk=0.02`` -> share by part. Raises ConfigError for anything else, and for a part twice."""
    shares: dict[str, float] = {}
    for text in texts:
        name, _, number = (piece.strip() for piece in text.partition("="))
        share = _share(number)
        if not name or name in shares or not 0 < share < 1:
            found = f"--target-part {text}" + (": a second target for it" if name in shares else "")
            raise ConfigError(found, "PART=SHARE, once a part, more than 0% and less than 100%", "e.g. trunk=2%")
        shares[name] = share
    return shares


def _share(number: str) -> float:
    try:
        return float(number[:-1]) / 100 if number.endswith("%") else float(number)
    except ValueError:
        return math.nan
