from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augkit.core.classes import CarClass
from augkit.core.parts import Mask, PartSchema
from augkit.data.orientation import CarView, classify

SCHEMA = PartSchema.from_names(
    [
        *("back_bumper", "back_glass", "back_left_door", "back_left_light", "back_right_door", "back_right_light"),
        *(
            "front_bumper",
            "front_glass",
            "front_left_door",
            "front_left_light",
            "front_right_door",
            "front_right_light",
        ),
        *("hood", "left_mirror", "right_mirror", "tailgate", "trunk", "wheel"),
    ]
)
Boxes = dict[str, list[tuple[int, int, int, int]]]

FRONT_LEFT: Boxes = {
    "front_bumper": [(10, 60, 60, 90)],
    "hood": [(14, 44, 66, 60)],
    "front_glass": [(34, 28, 74, 44)],
    "front_left_light": [(48, 56, 64, 64)],
    "front_right_light": [(11, 56, 15, 64)],
    "front_left_door": [(72, 40, 92, 80)],
    "back_left_door": [(92, 42, 106, 76)],
    "wheel": [(62, 68, 74, 100), (106, 66, 112, 86)],
    "left_mirror": [(72, 42, 77, 47)],
}
BACK_LEFT: Boxes = {
    "back_bumper": [(70, 60, 118, 88)],
    "trunk": [(72, 46, 116, 60)],
    "back_glass": [(62, 32, 104, 46)],
    "back_left_light": [(66, 48, 76, 58)],
    "back_left_door": [(40, 40, 58, 80)],
    "front_left_door": [(22, 42, 40, 76)],
    "wheel": [(56, 66, 70, 100), (12, 64, 20, 86)],
}
SIDE_LEFT: Boxes = {
    "front_left_door": [(44, 40, 64, 74)],
    "back_left_door": [(64, 40, 82, 74)],
    "front_left_light": [(8, 50, 14, 55)],
    "back_left_light": [(114, 50, 120, 55)],
    "wheel": [(20, 62, 40, 84), (88, 62, 108, 84)],
}
FRONTAL: Boxes = {
    "front_bumper": [(20, 60, 108, 100)],
    "hood": [(28, 44, 100, 60)],
    "front_glass": [(34, 24, 94, 44)],
    "front_left_light": [(94, 60, 108, 72)],
    "front_right_light": [(20, 60, 34, 72)],
}


def draw(boxes: Boxes, width: int = 128) -> Mask:
    mask = np.zeros((128, width), np.uint8)
    for name, places in boxes.items():
        for left, top, right, bottom in places:
            mask[top:bottom, left:right] = SCHEMA.id_of(name)
    return mask


def without(boxes: Boxes, *names: str) -> Boxes:
    return {name: places for name, places in boxes.items() if name not in names}


def assert_mirrored(mask: Mask) -> None:
    view, mirrored = classify(mask, SCHEMA), classify(SCHEMA.flip(mask), SCHEMA)
    assert mirrored.confidence == view.confidence
    if view.confidence:
        assert mirrored.car_class == view.car_class.mirror


@pytest.mark.parametrize(("boxes", "name"), [(FRONT_LEFT, "front-left-5"), (BACK_LEFT, "back-left-5")])
def test_three_quarter_views_are_sure(boxes: Boxes, name: str) -> None:
    mask = draw(boxes)
    view = classify(mask, SCHEMA)
    assert view.car_class.name == name and view.confidence > 0.9
    assert classify(SCHEMA.flip(mask), SCHEMA) == CarView(
        CarClass.parse(name).mirror.orientation, view.confidence, view.doors
    )


def test_geometry_wins_over_mirrored_labels_at_a_lower_confidence() -> None:
    right, mirrored = draw(FRONT_LEFT), SCHEMA.flip_table[draw(FRONT_LEFT)]
    assert classify(mirrored, SCHEMA).orientation == classify(right, SCHEMA).orientation == "A"
    assert classify(mirrored, SCHEMA).confidence < classify(right, SCHEMA).confidence


def test_side_views_are_left_or_right_but_hardly_front_or_back() -> None:
    view = classify(draw(SIDE_LEFT), SCHEMA)
    assert view.orientation in "AB" and view.confidence < 0.2 and view.doors == "5"


@pytest.mark.parametrize(("near", "orientation"), [(0, "A"), (1, "B")])
def test_the_nearer_wheel_decides_a_side_view(near: int, orientation: str) -> None:
    wheels = [(20, 62, 40, 84), (88, 62, 108, 84)]
    left, top, right, bottom = wheels[near]
    wheels[near] = (left - 2, top, right + 2, bottom + 5)
    assert classify(draw(SIDE_LEFT | {"wheel": wheels}), SCHEMA).orientation == orientation


def test_a_bed_called_trunk_does_not_make_a_side_view_a_back_view() -> None:
    view = classify(draw(SIDE_LEFT | {"trunk": [(84, 44, 120, 62)]}), SCHEMA)
    assert view.confidence < 0.2


def test_frontal_views_are_front_at_low_confidence() -> None:
    nearer = draw(FRONTAL | {"front_left_light": [(92, 60, 109, 73)]})
    view = classify(nearer, SCHEMA)
    assert view.orientation == "A" and 0 < view.confidence < 0.5 and view.doors == "unknown"
    assert_mirrored(nearer)


def test_light_labels_that_contradict_their_places_count_by_place() -> None:
    swapped = FRONTAL | {"front_right_light": [(92, 60, 109, 73)], "front_left_light": [(20, 60, 34, 72)]}
    assert classify(draw(swapped), SCHEMA).orientation == "A"


def test_ties_are_front_left_without_confidence() -> None:
    assert classify(draw(FRONTAL), SCHEMA) == CarView("A", 0.0, "unknown")
    for value in (0, 255):
        assert classify(np.full((64, 64), value, np.uint8), SCHEMA) == CarView("A", 0.0, "unknown")


def test_doors_are_counted_where_they_are_visible() -> None:
    three = without(BACK_LEFT, "back_left_door")
    assert classify(draw(three), SCHEMA).doors == "3"
    assert classify(draw(without(three, "front_left_door")), SCHEMA).doors == "unknown"
    speck = three | {"back_left_door": [(44, 44, 46, 46)]}
    assert classify(draw(speck), SCHEMA).doors == "3"


def test_a_front_door_with_nothing_behind_it_leaves_the_doors_unknown() -> None:
    cropped = without(FRONT_LEFT, "back_left_door") | {"wheel": [(62, 68, 74, 100)]}
    assert classify(draw(cropped), SCHEMA).doors == "unknown"
    assert classify(draw(without(FRONT_LEFT, "back_left_door")), SCHEMA).doors == "3"


def test_ignored_pixels_change_nothing() -> None:
    mask = draw(FRONT_LEFT)
    ignored = mask.copy()
    ignored[:20] = 255
    assert classify(ignored, SCHEMA) == classify(mask, SCHEMA)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.integers(0, 5))
def test_any_mask_mirrors(seed: int, height: int, width: int, blocks: int) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros((height, width), np.uint8)
    for _ in range(blocks):
        (top, bottom), (left, right) = np.sort(rng.integers(0, height + 1, 2)), np.sort(rng.integers(0, width + 1, 2))
        mask[top:bottom, left:right] = rng.choice([0, *range(1, SCHEMA.channels), 255])
    assert_mirrored(mask)
    assert_mirrored(rng.integers(0, SCHEMA.channels, (height, width), np.uint8))


@pytest.mark.parametrize("boxes", [FRONT_LEFT, BACK_LEFT, SIDE_LEFT, FRONTAL])
@given(dx=st.integers(-8, 8), dy=st.integers(-8, 8), scale=st.sampled_from([64, 128, 256]))
def test_place_and_size_of_the_car_hardly_matter(boxes: Boxes, dx: int, dy: int, scale: int) -> None:
    mask = draw(boxes)
    moved = np.roll(mask, (dy, dx), (0, 1))
    resized = cv2.resize(moved, (scale, scale), interpolation=cv2.INTER_NEAREST)
    view, other = classify(mask, SCHEMA), classify(np.asarray(resized, np.uint8), SCHEMA)
    assert other.confidence == pytest.approx(view.confidence, abs=0.15)
    if view.confidence > 0.3:
        assert other.car_class == view.car_class


@pytest.mark.parametrize("names", [["paint"], ["left_door", "right_door"], ["wheel"], ["front", "back"]])
@given(seed=st.integers(0, 2**32 - 1))
def test_any_schema_will_do(names: list[str], seed: int) -> None:
    schema = PartSchema.from_names(names)
    mask = np.random.default_rng(seed).integers(0, schema.channels, (9, 11), np.uint8)
    assert 0 <= classify(mask, schema).confidence <= 1


def test_it_takes_less_than_a_millisecond() -> None:
    mask = draw(FRONT_LEFT)
    times = []
    for _ in range(50):
        start = time.perf_counter()
        classify(mask, SCHEMA)
        times.append(time.perf_counter() - start)
    assert min(times) < 1e-3


@pytest.mark.parametrize("factor", [3, 5])
def test_a_mask_of_more_columns_than_a_byte_counts_has_the_same_view(factor: int) -> None:
    """All figures are ratios of whole numbers, which a whole factor does not change, but for half a column."""
    mask = draw(FRONT_LEFT)
    view, large = classify(mask, SCHEMA), classify(np.kron(mask, np.ones((factor, factor), np.uint8)), SCHEMA)
    assert large.car_class == view.car_class
    assert large.confidence == pytest.approx(view.confidence, abs=0.02)
