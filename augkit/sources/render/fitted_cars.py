"""Rendered cars that look like a set's real ones: parameters are kept whose masks lie nearest to a real mask.

Rejection in the manner of approximate Bayesian computation: of many random cars, each real mask keeps its nearest ones;
new cars are these, changed a little.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from augkit.core.classes import CarClass, Orientation
from augkit.core.parts import IGNORE, Mask, PartSchema, without_ignore
from augkit.core.seeds import derive
from augkit.data.crop import canonical_window, cut
from augkit.sources.render.body_styles import USUAL, VARIED
from augkit.sources.render.cars import Rendering, render
from augkit.sources.render.parameters import CarParameters
from augkit.sources.render.rendered_parts import MARGIN, own_parts
from augkit.sources.render.rendered_samples import parameters_of_class
from augkit.sources.render.shape import Proportions

POOL, SIDE, NEAREST = 400, 48, 2
"""Random cars that are tried, the side at which they are compared, and how many of them each real mask keeps."""
FEWEST = 8
"""Kept cars of a class below which those of its end of the car, or else all, are taken for it."""
_SHAKE = 0.3
"""How much kept proportions are changed, as a share of the way towards those of a random car."""
_TURN, _RISE = 4.0, 1.5  # degrees
_ATTEMPTS = 200


@dataclass(frozen=True)
class FittedCars:
    """``kept`` cars, all seen from their left side, with the class that each shows; none: cars are drawn at random."""

    kept: tuple[tuple[CarClass, CarParameters], ...] = ()

    @classmethod
    def to(cls, real: Iterable[tuple[Mask, CarClass]], schema: PartSchema, seed: int) -> FittedCars:
        """Fitted to real masks (S, S) of their classes."""
        pool, own = [], own_parts(schema)
        for number in range(POOL):
            car = _random_car(number, seed)
            drawn = _cut(render(car, 2 * SIDE), own, SIDE)
            pool.append((drawn.car_class, car, drawn.mask))
        kept: list[tuple[CarClass, CarParameters]] = []
        for mask, car_class in real:
            left = car_class.orientation in "AB"
            shown, wanted = (car_class, mask) if left else (car_class.mirror, schema.flip(mask))
            alike = [place for place, entry in enumerate(pool) if entry[0] == shown]
            away = _distances(wanted, [pool[place][2] for place in alike])
            kept += [pool[alike[int(best)]][:2] for best in np.argsort(away, kind="stable")[:NEAREST]]
        return cls(tuple(kept))

    def draw(self, car_class: CarClass, rng: np.random.Generator) -> CarParameters:
        """A car that is to show the class."""
        fresh = parameters_of_class(car_class, rng, VARIED if self.kept else USUAL)
        alike = self._alike(car_class)
        if not alike:
            return fresh
        car = alike[int(rng.integers(len(alike)))]
        off = _off_axis(car.azimuth) + rng.uniform(-_TURN, _TURN)
        if car_class.doors == "unknown":
            off = min(off, 12.0)
        elevation = float(np.clip(car.elevation + rng.uniform(-_RISE, _RISE), 0.0, 60.0))
        return replace(
            fresh, azimuth=_azimuth(float(np.clip(off, 0.5, 89.5)), car_class.orientation), elevation=elevation,
            distance=car.distance, style=car.style, proportions=_between(car.proportions, fresh.proportions),
        )  # fmt: skip

    def _alike(self, car_class: CarClass) -> list[CarParameters]:
        for suits in (
            {car_class, car_class.mirror},
            {c for c, _ in self.kept if (c.orientation in "AD") == (car_class.orientation in "AD")},
        ):
            found = [car for shown, car in self.kept if shown in suits]
            if len(found) >= FEWEST:
                return found
        return [car for _, car in self.kept]


@dataclass(frozen=True)
class RenderedMask:
    """(S, S) part ids, the whole car (S, S) around them, and the class that they show."""

    mask: Mask
    silhouette: NDArray[np.bool_]
    car_class: CarClass


def rendered_mask(car_class: CarClass, seed: int, size: int, own: NDArray[np.uint8], cars: FittedCars) -> RenderedMask:
    """The mask of a seed: cars are drawn until one shows the class. ``own`` as ``own_parts`` gives it."""
    rng = np.random.default_rng(seed)
    for _ in range(_ATTEMPTS):
        drawn = _cut(render(cars.draw(car_class, rng), round(1.25 * size)), own, size)
        if drawn.car_class == car_class:
            return drawn
    raise AssertionError(f"no view of class {car_class.name} in {_ATTEMPTS} attempts")


def _random_car(number: int, seed: int) -> CarParameters:
    """From the left; a third of them so straight from the front or behind that no door is seen."""
    orientation: Orientation = "A" if number % 2 else "B"
    rng, doors = np.random.default_rng(derive(seed, "fit", number)), ("3", "5", "unknown")[number // 2 % 3]
    return parameters_of_class(CarClass(orientation, doors), rng, VARIED)  # type: ignore[arg-type]


def _cut(car: Rendering, own: NDArray[np.uint8], size: int) -> RenderedMask:
    """As imports cut photos."""
    window = canonical_window(car.pair.mask, MARGIN)
    _, mask = cut(car.pair.photo, own[car.pair.mask], window, size)
    _, silhouette = cut(car.pair.photo, car.silhouette, window, size)
    return RenderedMask(without_ignore(mask), silhouette == 1, car.pair.car_class)


def _distances(wanted: Mask, drawn: Sequence[Mask]) -> NDArray[np.float64]:
    """(M,) shares of the pixels of a (S, S) mask, what is ignored left out, that have another part in each of M."""
    small = wanted[_places(len(wanted))][:, _places(len(wanted))]
    seen = small != IGNORE
    return np.array([((mask != small) & seen).sum() / max(1, seen.sum()) for mask in drawn])


def _places(side: int) -> NDArray[np.int64]:
    return (np.arange(SIDE) * side + side // 2) // SIDE


def _off_axis(azimuth: float) -> float:
    """Degrees between 0 and 90 from the view straight from the front or behind."""
    away = abs(azimuth) % 180
    return min(away, 180 - away)


def _azimuth(off: float, orientation: Orientation) -> float:
    return {"A": off, "B": 180 - off, "C": 180 + off, "D": 360 - off}[orientation]


def _between(kept: Proportions, fresh: Proportions) -> Proportions:
    """The kept ones, a little of the way towards the others."""
    mixed = {f.name: (1 - _SHAKE) * getattr(kept, f.name) + _SHAKE * getattr(fresh, f.name) for f in fields(kept)}
    return Proportions(**mixed)
