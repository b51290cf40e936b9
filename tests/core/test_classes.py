from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augkit.core.classes import ALL_CLASSES, CarClass, orientation_of
from augkit.core.errors import ConfigError

classes = st.sampled_from(ALL_CLASSES)


def test_there_are_four_orientations_and_three_kinds_of_doors() -> None:
    assert len(set(ALL_CLASSES)) == 12
    assert [car_class.number for car_class in ALL_CLASSES] == list(range(12))


@given(classes)
def test_names_are_read_back(car_class: CarClass) -> None:
    assert CarClass.parse(car_class.name) == car_class
    assert CarClass.parse(f"{car_class.orientation}-{car_class.doors}") == car_class


@given(classes)
def test_the_mirror_of_the_mirror_is_the_class(car_class: CarClass) -> None:
    assert car_class.mirror.mirror == car_class != car_class.mirror
    assert car_class.mirror.doors == car_class.doors
    words = car_class.name.split("-")
    assert car_class.mirror.name.split("-")[0] == words[0]  # front stays front
    assert {words[1], car_class.mirror.name.split("-")[1]} == {"left", "right"}


@pytest.mark.parametrize("name", ["", "front-left", "front-left-4", "E-5", "FRONT-LEFT-5"])
def test_an_unknown_name_lists_the_names_there_are(name: str) -> None:
    with pytest.raises(ConfigError, match="front-left-3, front-left-5"):
        CarClass.parse(name)


@pytest.mark.parametrize(
    ("azimuth", "orientation"),
    [(0, "A"), (89.999, "A"), (90, "B"), (179.999, "B"), (180, "C"), (269.999, "C"), (270, "D"), (359.999, "D")],
)
@pytest.mark.parametrize("turns", [-1, 0, 3])
def test_quadrants_begin_at_their_lower_border(azimuth: float, orientation: str, turns: int) -> None:
    assert orientation_of(azimuth + 360 * turns) == orientation


@given(st.floats(0.01, 89.99), st.integers(0, 3))
def test_a_mirrored_azimuth_has_the_mirrored_orientation(angle: float, quadrant: int) -> None:
    azimuth = 90 * quadrant + angle
    assert orientation_of(-azimuth) == CarClass(orientation_of(azimuth), "5").mirror.orientation
