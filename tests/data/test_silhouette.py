from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augkit.core.errors import ConfigError, SchemaError
from augkit.core.parts import IGNORE, PartSchema
from augkit.data import silhouette as edits

SCHEMA = PartSchema.from_names(["left_door", "right_door", "hood"])


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Photo, mask and silhouette, which need not agree."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    photo = rng.integers(0, 256, (*shape, 3), np.uint8)
    mask = rng.choice(np.array([0, 1, 2, 3, IGNORE], np.uint8), shape)
    return photo, mask, rng.random(shape) < 0.5


@given(pairs())
def test_the_car_is_silhouette_and_parts_and_nothing_ignored(it: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    _, mask, silhouette = it
    car = edits.car_of(mask, silhouette)
    assert car.dtype == np.bool_ and not car[mask == IGNORE].any()
    assert car[(mask > 0) & (mask < IGNORE)].all()
    np.testing.assert_array_equal(car[mask == 0], silhouette[mask == 0])


@given(pairs())
def test_outside_is_green_to_the_pixel(it: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    photo, _, car = it
    result = edits.green(photo, car)
    assert result.shape == photo.shape and result.dtype == np.uint8
    assert (result[~car] == (51, 255, 51)).all()
    np.testing.assert_array_equal(result[car], photo[car])


@given(pairs())
def test_outside_is_transparent_and_holds_no_background(it: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    photo, _, car = it
    result = edits.transparent(photo, car)
    assert result.shape == (*photo.shape[:2], 4) and result.dtype == np.uint8
    assert (result[~car] == 0).all() and (result[car][:, 3] == 255).all()
    np.testing.assert_array_equal(result[car][:, :3], photo[car])


@given(pairs())
def test_outside_is_kept(it: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    np.testing.assert_array_equal(edits.keep(it[0], it[2]), it[0])


@given(pairs())
def test_the_body_is_the_silhouette_without_parts(it: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    _, mask, silhouette = it
    before = mask.copy()
    result = edits.overlay(mask, silhouette, 4)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result == 4, silhouette & (mask == 0))
    np.testing.assert_array_equal(result[result != 4], mask[result != 4])
    np.testing.assert_array_equal(mask, before)


def test_the_body_is_the_last_part_and_white() -> None:
    schema = edits.with_body(SCHEMA)
    assert schema.parts[:-1] == SCHEMA.parts and schema.swaps == SCHEMA.swaps
    assert (schema.parts[-1].id, schema.parts[-1].name, schema.parts[-1].colour) == (4, "body", (255, 255, 255))


@pytest.mark.parametrize("names", [["hood", "body"], [f"part{i}" for i in range(254)]])
def test_a_schema_without_room_for_the_body(names: list[str]) -> None:
    with pytest.raises(SchemaError, match="--overlay"):
        edits.with_body(PartSchema.from_names(names))


def test_boxes_are_cut_outwards_and_inside_the_picture() -> None:
    picture = np.arange(60, dtype=np.uint8).reshape(6, 10)
    np.testing.assert_array_equal(edits.crop(picture, (2.9, 1.0, 5.1, 3.0)), picture[1:3, 2:6])
    np.testing.assert_array_equal(edits.crop(picture, (-3.0, -0.5, 99.0, 6.2)), picture)
    rgb = np.stack([picture] * 3, axis=2)
    assert edits.crop(rgb, (0, 0, 1, 2)).shape == (2, 1, 3)


def test_an_unknown_recipe() -> None:
    with pytest.raises(ConfigError, match="keep, green, transparent"):
        edits.outside("blue")
