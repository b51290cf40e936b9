"""Whether two rendered cars stand alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from augkit.core.parts import Mask, PartSchema
from augkit.sources.render import CarParameters, render_car, render_schema
from augkit.stages.singan.pose import pose_differences, wheels_of

SCHEMA = render_schema()
CAR = CarParameters()


def seen_from(azimuth: float, **other: object) -> Mask:
    return render_car(replace(CAR, azimuth=azimuth, **other), 96).mask  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def front_left() -> Mask:
    return seen_from(50)


@pytest.mark.parametrize(
    ("azimuth", "other"), [(50, {}), (54, {"style": "sedan"}), (47, {"elevation": 13.0}), (50, {"fill": 0.7})]
)
def test_cars_in_one_pose_are_alike(azimuth: float, other: dict[str, object], front_left: Mask) -> None:
    assert pose_differences(front_left, seen_from(azimuth, **other), SCHEMA) == []


@pytest.mark.parametrize(
    ("azimuth", "told"),
    [(90, "distance of the wheels"), (5, "wheel"), (135, "lower"), (230, "back-right"), (310, "lower")],
)
def test_another_pose_is_told(azimuth: float, told: str, front_left: Mask) -> None:
    assert any(told in difference for difference in pose_differences(front_left, seen_from(azimuth), SCHEMA))


def test_wheels_are_measured_in_widths_of_the_car() -> None:
    """A car of 20 x 10 px with two wheels of 4 x 4, 12 px apart, and a speck that is none."""
    schema = PartSchema.from_names(["hood", "wheel"])
    mask = np.zeros((16, 30), np.uint8)
    mask[2:12, 5:25] = 1
    mask[8:12, 6:10] = mask[8:12, 18:22] = 2
    mask[3, 15] = 2
    left, right = wheels_of(mask, schema)
    assert (left.x, left.y) == pytest.approx((2.5 / 20, 7.5 / 20)) and right.x - left.x == pytest.approx(12 / 20)
    assert left.roundness == right.roundness == 1 and left.clear and right.clear
    mask[8:12, 6:10] = 1
    only, lost = mask.copy(), mask.copy()
    lost[8:12, 18:22] = 1
    lost[3, 15] = 1
    assert len(wheels_of(only, schema)) == 1 and wheels_of(lost, schema) == []
    assert "the photo shows one wheel, the painting no wheel" in pose_differences(only, lost, schema)
