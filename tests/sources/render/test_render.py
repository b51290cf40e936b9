"""Rendered cars: geometry, masks, determinism, errors."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from augkit.core.classes import ORIENTATIONS, orientation_of
from augkit.core.errors import ConfigError
from augkit.sources.render import (
    CarParameters,
    Rendering,
    random_parameters,
    render,
    render_car,
    render_schema,
    render_silhouette,
)
from augkit.sources.render.body_styles import STYLES
from augkit.sources.render.scene import BACKGROUNDS

SCHEMA = render_schema()
SIZE = 64


@cache
def view(azimuth: float, style: str = "hatchback", doors: str = "5") -> Rendering:
    return render(CarParameters(azimuth=azimuth, style=style, doors=doors), SIZE)


def shares(mask: NDArray[np.uint8]) -> dict[str, float]:
    """Share of the labelled car that each part covers."""
    counts = np.bincount(mask.ravel(), minlength=SCHEMA.channels)
    return {name: counts[i] / counts[1:].sum() for i, name in enumerate(SCHEMA.names) if i}


def test_the_schema_is_that_of_the_real_data() -> None:
    assert len(SCHEMA.parts) == 18
    assert SCHEMA.names[1] == "back_bumper"
    assert SCHEMA.names[18] == "wheel"
    assert len(SCHEMA.swaps) == 5


@pytest.mark.parametrize("size", [16, 33, 64, 256])
def test_shapes(size: int) -> None:
    result = render(CarParameters(), size)
    assert result.pair.photo.shape == (size, size, 3)
    assert result.pair.mask.shape == result.silhouette.shape == (size, size)
    assert {result.pair.photo.dtype, result.pair.mask.dtype, result.silhouette.dtype} == {np.dtype(np.uint8)}


def test_the_same_parameters_give_the_same_bytes() -> None:
    parameters = random_parameters(np.random.default_rng(5))
    assert parameters == random_parameters(np.random.default_rng(5))
    one, again = render_car(parameters, SIZE), render_car(parameters, SIZE)
    assert one.photo.tobytes() == again.photo.tobytes()
    assert one.mask.tobytes() == again.mask.tobytes()
    assert render_silhouette(parameters, SIZE).any()


def test_the_seed_changes_the_photo_and_not_the_mask() -> None:
    one, other = render_car(CarParameters(seed=1), SIZE), render_car(CarParameters(seed=2), SIZE)
    assert (one.photo != other.photo).any()
    assert (one.mask == other.mask).all()


@given(azimuth=st.floats(0, 360, exclude_max=True), seed=st.integers(0, 50), style=st.sampled_from(sorted(STYLES)))
@settings(max_examples=15, deadline=None)
def test_the_mirrored_car_has_the_mirrored_masks(azimuth: float, seed: int, style: str) -> None:
    parameters = replace(random_parameters(np.random.default_rng(seed)), azimuth=azimuth, style=style)
    here, there = render(parameters, SIZE), render(parameters.mirrored, SIZE)
    assert (SCHEMA.flip(here.pair.mask) != there.pair.mask).mean() < 0.01
    assert (here.silhouette[:, ::-1] != there.silhouette).mean() < 0.004


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_random_cars_fill_their_frame_and_have_no_holes(seed: int) -> None:
    parameters = random_parameters(np.random.default_rng(seed))
    result = render(parameters, SIZE)
    SCHEMA.check(result.pair.mask, "rendered")
    assert not (result.pair.mask[result.silhouette == 0]).any()
    rows, columns = np.nonzero(result.silhouette)
    extent = max(np.ptp(rows), np.ptp(columns)) + 1
    assert abs(extent - parameters.fill * SIZE) <= 3
    assert (result.pair.mask > 0).sum() > 0.45 * result.silhouette.sum()
    within = result.silhouette[:, 1:-1] == 0
    walled = (result.silhouette[:, :-2] == 1) & (result.silhouette[:, 2:] == 1)
    assert (within & walled).sum() <= 14


def test_every_part_appears_from_somewhere() -> None:
    seen: set[int] = set()
    for style in ("sedan", "hatchback"):
        for azimuth in range(0, 360, 45):
            seen |= set(np.unique(view(azimuth, style).pair.mask).tolist())
    assert seen == set(range(SCHEMA.channels))


@pytest.mark.parametrize("style", sorted(STYLES))
@pytest.mark.parametrize("azimuth", [25, 60, 130, 155, 205, 230, 300, 335])
def test_sides_and_ends_agree_with_the_azimuth(azimuth: int, style: str) -> None:
    part = shares(view(azimuth, style).pair.mask)
    left = {"A": True, "B": True, "C": False, "D": False}[orientation_of(azimuth)]
    front = {"A": True, "B": False, "C": False, "D": True}[orientation_of(azimuth)]
    near, far = ("left", "right") if left else ("right", "left")
    assert part[f"front_{near}_door"] + part[f"back_{near}_door"] > 0.03
    assert part[f"front_{far}_door"] + part[f"back_{far}_door"] < 0.02
    ahead, behind = ("front", "back") if front else ("back", "front")
    assert part[f"{ahead}_bumper"] > part[f"{behind}_bumper"]
    assert part[f"{ahead}_{near}_light"] > 0
    assert part[f"{ahead}_glass"] > 0.02


def test_seen_from_the_front_the_left_side_is_on_the_right() -> None:
    mask = view(0).pair.mask
    for near, far in (("front_left_light", "front_right_light"), ("left_mirror", "right_mirror")):
        left = np.nonzero(mask == SCHEMA.id_of(near))[1].mean()
        right = np.nonzero(mask == SCHEMA.id_of(far))[1].mean()
        assert left > SIZE / 2 > right


@pytest.mark.parametrize("style", sorted(STYLES))
def test_three_door_cars_have_no_rear_doors(style: str) -> None:
    for azimuth in range(15, 360, 60):
        part = shares(view(azimuth, style, "3").pair.mask)
        assert part["back_left_door"] == part["back_right_door"] == 0
    assert shares(view(90, style, "3").pair.mask)["front_left_door"] > 0.1


@pytest.mark.parametrize(("style", "shown", "absent"), [("sedan", "tailgate", "trunk"), ("suv", "trunk", "tailgate")])
def test_lids_are_named_as_in_the_real_data(style: str, shown: str, absent: str) -> None:
    part = shares(view(180, style).pair.mask)
    assert part[shown] > 0.1
    assert part[absent] == 0


def test_orientation_and_doors_can_be_asked_for() -> None:
    rng = np.random.default_rng(0)
    for orientation in ORIENTATIONS:
        for doors in ("3", "5"):
            parameters = random_parameters(rng, orientation, doors)
            assert orientation_of(parameters.azimuth) == orientation
            assert parameters.doors == doors


@pytest.mark.parametrize("kind", sorted(BACKGROUNDS))
def test_backgrounds_leave_the_car_alone(kind: str) -> None:
    car = render_car(CarParameters(background=kind, noise=0.0, blur=0.0), SIZE)
    plain = render_car(CarParameters(background="plain", noise=0.0, blur=0.0), SIZE)
    hood = car.mask == SCHEMA.id_of("hood")
    assert np.abs(car.photo[hood].astype(int) - plain.photo[hood]).mean() < 3


def test_colours_show() -> None:
    red, black = render_car(CarParameters(colour="red"), SIZE), render_car(CarParameters(colour="black"), SIZE)
    door = red.mask == SCHEMA.id_of("front_left_door")
    assert red.photo[door][:, 0].mean() > red.photo[door][:, 2].mean() + 20
    assert black.photo[door].mean() < red.photo[door].mean()


@pytest.mark.parametrize(
    "wrong",
    [
        {"style": "hovercraft"},
        {"colour": "octarine"},
        {"background": "moon"},
        {"doors": "4"},
        {"elevation": 80.0},
        {"distance": 1.0},
        {"fill": 1.5},
        {"azimuth": float("nan")},
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        render(replace(CarParameters(), **wrong), SIZE)


def test_too_small_a_picture_is_refused() -> None:
    with pytest.raises(ConfigError, match="16"):
        render(CarParameters(), 8)
