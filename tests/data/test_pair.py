from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.parts import IGNORE, PartSchema
from augkit.data.pair import Pair, photo_to_tensor, photos_to_tensor

SCHEMA = PartSchema.from_names(["hood", "left_mirror", "right_mirror"])
IDS = (0, 1, 2, 3, IGNORE)


@st.composite
def pairs(draw: st.DrawFn, square: bool = False) -> Pair:
    height = draw(st.integers(1, 9))
    width = height if square else draw(st.integers(1, 9))
    photo = draw(arrays(np.uint8, (height, width, 3)))
    mask = draw(arrays(np.uint8, (height, width), elements=st.sampled_from(IDS)))
    return Pair(photo, mask, draw(st.sampled_from(ALL_CLASSES)))


@given(pairs())
def test_a_pair_flipped_twice_is_the_pair(pair: Pair) -> None:
    twice = pair.flip(SCHEMA).flip(SCHEMA)
    assert np.array_equal(twice.photo, pair.photo) and np.array_equal(twice.mask, pair.mask)
    assert twice.car_class == pair.car_class


def test_a_flip_mirrors_the_photo_and_swaps_parts_and_class() -> None:
    photo = np.arange(9, dtype=np.uint8).reshape(1, 3, 3)
    flipped = Pair(photo, np.array([[1, 2, IGNORE]], np.uint8), CarClass("A", "5")).flip(SCHEMA)
    assert flipped.photo.tolist() == [[[6, 7, 8], [3, 4, 5], [0, 1, 2]]] and flipped.photo.flags.c_contiguous
    assert flipped.mask.tolist() == [[IGNORE, 3, 1]]  # the left mirror is now the right one
    assert flipped.car_class == CarClass("D", "5")


@given(pairs(square=True), st.integers(1, 12))
def test_a_resized_pair_holds_no_new_ids_and_has_the_size(pair: Pair, size: int) -> None:
    resized = pair.resize(size)
    assert resized.photo.shape == (size, size, 3) and resized.mask.shape == (size, size)
    assert set(np.unique(resized.mask)) <= set(np.unique(pair.mask)) and resized.car_class == pair.car_class


def test_photo_and_mask_are_resized_alike() -> None:
    mask = np.kron(np.array([[1, 2], [3, 0]], np.uint8), np.ones((4, 4), np.uint8))
    small = Pair(np.repeat(mask[..., None] * 60, 3, 2), mask, CarClass("A", "5")).resize(4)
    assert (small.photo == small.mask[..., None] * 60).all() and small.mask[:2, :2].tolist() == [[1, 1], [1, 1]]


@given(pairs())
def test_tensors_hold_the_photo_in_minus_one_to_one_and_the_ids(pair: Pair) -> None:
    photo, mask = pair.to_tensor()
    assert photo.dtype == torch.float32 and photo.shape == (3, *pair.mask.shape)
    assert photo.min() >= -1 and photo.max() <= 1
    torch.testing.assert_close((photo + 1) * 127.5, torch.from_numpy(pair.photo).permute(2, 0, 1).float())
    assert mask.dtype == torch.int64 and mask.tolist() == pair.mask.tolist()


def test_the_ends_of_a_byte_are_the_ends_of_the_range() -> None:
    photo = np.array([[[0, 255, 51]]], np.uint8)
    assert photo_to_tensor(photo).flatten().tolist() == [-1.0, 1.0, pytest.approx(-0.6)]


@given(st.lists(pairs().map(lambda pair: pair.photo), min_size=1, max_size=3))
def test_a_stack_is_the_photos_one_by_one(photos: list[np.ndarray]) -> None:
    photos = [photo for photo in photos if photo.shape == photos[0].shape]
    assert torch.equal(photos_to_tensor(photos), torch.stack([photo_to_tensor(photo) for photo in photos]))


@given(pairs())
def test_a_histogram_sums_to_the_area_that_is_not_ignored(pair: Pair) -> None:
    counts = pair.histogram(SCHEMA.channels)
    assert counts.shape == (SCHEMA.channels,) and counts.sum() == (pair.mask != IGNORE).sum()
    assert counts.tolist() == [int((pair.mask == part).sum()) for part in range(SCHEMA.channels)]
