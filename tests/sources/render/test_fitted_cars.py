"""Rendered cars that look like given masks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augkit.core.classes import ALL_CLASSES, CarClass, orientation_of
from augkit.core.parts import Mask
from augkit.sources.render import fitted_cars, render_schema
from augkit.sources.render.fitted_cars import FittedCars, rendered_mask
from augkit.sources.render.parameters import CarParameters
from augkit.sources.render.rendered_parts import own_parts
from augkit.sources.render.shape import Proportions

SCHEMA = render_schema()
OWN = own_parts(SCHEMA)
SIDEWAYS = CarClass("A", "5")


def _drawn(cars: FittedCars, car_class: CarClass, seed: int) -> Mask:
    return rendered_mask(car_class, seed, fitted_cars.SIDE, OWN, cars).mask


def test_fitted_cars_are_nearer_to_the_real_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitted_cars, "POOL", 48)
    low = CarParameters(azimuth=80, elevation=4, style="van", proportions=Proportions(height=1.05))
    like = FittedCars(((SIDEWAYS, low),) * fitted_cars.FEWEST)
    real = [_drawn(like, SIDEWAYS, seed) for seed in range(4)]
    cars = FittedCars.to([(mask, SIDEWAYS) for mask in real], SCHEMA, 0)
    mirrored = FittedCars.to([(SCHEMA.flip(mask), SIDEWAYS.mirror) for mask in real], SCHEMA, 0)
    assert cars == mirrored and len(cars.kept) == 4 * fitted_cars.NEAREST
    assert all(shown == SIDEWAYS and car.azimuth > 45 for shown, car in cars.kept)

    def away(source: FittedCars) -> float:
        made = [_drawn(source, SIDEWAYS, seed) for seed in range(6)]
        return float(np.mean([fitted_cars._distances(mask, made) for mask in real]))

    assert away(cars) < 0.8 * away(FittedCars())


@given(st.sampled_from(ALL_CLASSES), st.floats(0, 180), st.integers(0, 99))
def test_kept_cars_serve_every_class(car_class: CarClass, azimuth: float, seed: int) -> None:
    kept = CarParameters(azimuth=azimuth, style="estate", elevation=0.0)
    shown = CarClass(orientation_of(min(azimuth, 179.9)), "3")
    drawn = FittedCars(((shown, kept),)).draw(car_class, np.random.default_rng(seed))
    assert orientation_of(drawn.azimuth) == car_class.orientation and drawn.style == "estate"
    assert car_class.doors in (drawn.doors, "unknown") and 0 <= drawn.elevation <= 60
    if car_class.doors == "unknown":
        assert fitted_cars._off_axis(drawn.azimuth) <= 12


def test_a_class_of_few_takes_those_of_its_end() -> None:
    front, back = (CarClass(orientation, "5") for orientation in ("A", "B"))  # type: ignore[arg-type]
    cars = FittedCars(
        tuple(
            (shown, CarParameters(style=style)) for shown, style in ((front, "van"), (back, "pickup")) for _ in range(9)
        )
    )
    assert {car.style for car in cars._alike(CarClass("D", "3"))} == {"van"}
    assert {car.style for car in replace(cars, kept=cars.kept[5:14])._alike(CarClass("C", "3"))} == {"van", "pickup"}


@pytest.mark.parametrize("name", ["front-right-3", "back-left-unknown"])
def test_masks_show_the_class_and_repeat(name: str) -> None:
    car_class = CarClass.parse(name)
    drawn, again = (rendered_mask(car_class, 7, 48, OWN, FittedCars()) for _ in range(2))
    assert drawn.car_class == car_class and np.array_equal(drawn.mask, again.mask)
    assert drawn.silhouette[drawn.mask > 0].mean() > 0.98 and (drawn.silhouette & (drawn.mask == 0)).any()
