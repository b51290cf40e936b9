"""Data sets of rendered cars: how many of which class, and the samples that an import reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.errors import ConfigError
from augkit.core.seeds import derive
from augkit.data.orientation import CarView
from augkit.data.pair import Pair
from augkit.data.samples import Sample
from augkit.sources.render.body_styles import USUAL
from augkit.sources.render.cars import render_car
from augkit.sources.render.parameters import CarParameters, KnownDoors, random_parameters

_ATTEMPTS = 200
_ROOM = 1.25
"""Pictures are drawn this much larger than the pairs, which are cut from them, so that cutting never enlarges."""

# What a collection of real photos looks like: mostly fronts, hardly a three-door car, many without a door in sight.
_ORIENTATION_SHARES = {"A": 0.36, "D": 0.30, "B": 0.19, "C": 0.15}
_DOORS_SHARES = {"5": 0.60, "unknown": 0.32, "3": 0.08}


def even_counts(count: int) -> dict[CarClass, int]:
    """``count`` cars spread over the eight classes with known doors; the first classes get what does not divide."""
    classes = [car_class for car_class in ALL_CLASSES if car_class.doors != "unknown"]
    return _apportion(dict.fromkeys(classes, 1 / len(classes)), count)


def lopsided_counts(count: int) -> dict[CarClass, int]:
    """``count`` cars with the skew of real data, over all twelve classes."""
    return _apportion({c: _ORIENTATION_SHARES[c.orientation] * _DOORS_SHARES[c.doors] for c in ALL_CLASSES}, count)


def rendered_samples(counts: Mapping[CarClass, int], size: int, seed: int) -> Iterator[Sample]:
    """One sample a car, drawn when it is asked for, with its true class.

    ``size`` is the side of the pairs that will be cut from them. A sample is a function of (seed, class, number), so
    more cars of a class leave those before as they are.
    """
    for car_class, count in counts.items():
        for number in range(count):
            yield rendered_sample(car_class, number, size, seed)


def rendered_sample(car_class: CarClass, number: int, size: int, seed: int) -> Sample:
    """The ``number``-th car of a class."""
    pair = car_of_class(car_class, np.random.default_rng(derive(seed, "render", car_class.name, number)), size)
    return sample_of(pair, f"{car_class.name}-{number:05d}")


def car_of_class(car_class: CarClass, rng: np.random.Generator, size: int, styles: Mapping[str, float] = USUAL) -> Pair:
    """A random car of a class, for a pair of ``size``; ``styles`` as in ``random_parameters``.

    Doors count only where they are in sight, so parameters are drawn again until the mask shows what the class says.
    """
    for _ in range(_ATTEMPTS):
        pair = render_car(parameters_of_class(car_class, rng, styles), round(size * _ROOM))
        if pair.car_class == car_class:
            return pair
    raise AssertionError(f"no view of class {car_class.name} in {_ATTEMPTS} attempts")


def sample_of(pair: Pair, name: str) -> Sample:
    """The pair as a sample whose class is known."""
    view = CarView(pair.car_class.orientation, 1.0, pair.car_class.doors)
    return Sample(name, f"{name}.jpg", pair.photo, pair.mask, view=view)


def parse_counts(texts: list[str]) -> dict[CarClass, int]:
    """``["front-left-5=40", ...]`` -> counts. Raises ConfigError for anything else, and for a class named twice."""
    counts: dict[CarClass, int] = {}
    for text in texts:
        name, _, number = text.partition("=")
        if not number.isdecimal() or int(number) < 1:
            raise ConfigError(f"--class {text!r}", "CLASS=COUNT, for example --class front-left-5=40")
        car_class = CarClass.parse(name)
        if car_class in counts:
            raise ConfigError(f"--class {car_class.name} twice", "each class once", "add the two counts")
        counts[car_class] = int(number)
    return counts


def parameters_of_class(
    car_class: CarClass, rng: np.random.Generator, styles: Mapping[str, float] = USUAL
) -> CarParameters:
    """A random car that is likely to show the class; ``styles`` as in ``random_parameters``."""
    doors: KnownDoors | None = None if car_class.doors == "unknown" else car_class.doors
    parameters = random_parameters(rng, car_class.orientation, doors, styles)
    if car_class.doors != "unknown":
        return parameters
    off_axis = float(rng.uniform(0.5, 12.0))  # only nearly straight views hide every door
    straight = 0.0 if car_class.orientation in "AD" else 180.0
    towards = 1 if car_class.orientation in "AC" else -1
    return replace(parameters, azimuth=(straight + towards * off_axis) % 360)


def _apportion(shares: Mapping[CarClass, float], count: int) -> dict[CarClass, int]:
    """Whole numbers that add up to ``count``, in proportion to the shares (largest remainders), without zeros."""
    exact = {car_class: share * count for car_class, share in shares.items()}
    counts = {car_class: int(value) for car_class, value in exact.items()}
    by_rest = sorted(exact, key=lambda car_class: counts[car_class] - exact[car_class])
    for car_class in by_rest[: count - sum(counts.values())]:
        counts[car_class] += 1
    return {car_class: number for car_class, number in counts.items() if number}
