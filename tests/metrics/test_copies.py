"""The guard against copying."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import PartSchema
from augkit.metrics.copies import SIDE, KnownMasks, find_copies, judge_copies, nearest_mask

SCHEMA = PartSchema.from_names(["hood", "left_door", "right_door"])


def box(top: int, left: int, part: int = 1, side: int = SIDE) -> NDArray[np.uint8]:
    mask = np.zeros((side, side), np.uint8)
    mask[top : top + 16, left : left + 16] = part
    return mask


def test_the_distance_by_hand() -> None:
    """Two boxes of 16 x 16 that share 8 x 16: 1 - 128 / 384."""
    distances, places = nearest_mask([box(0, 0)], [box(0, 40), box(8, 0)], SCHEMA)
    assert distances.tolist() == pytest.approx([1 - 128 / 384])
    assert places.tolist() == [1]


def test_another_part_on_the_same_place_is_not_the_same() -> None:
    assert nearest_mask([box(0, 0, 1)], [box(0, 0, 2)], SCHEMA)[0].tolist() == [1]


def test_mirror_images_count() -> None:
    made = SCHEMA.flip(box(3, 5, 2))
    distances, places = nearest_mask([made], [box(30, 30), box(3, 5, 2)], SCHEMA)
    assert (distances.tolist(), places.tolist()) == ([0], [1])
    plain_flip = box(3, 5, 2)[:, ::-1]  # left and right parts not swapped: not a mirror image
    assert nearest_mask([plain_flip], [box(3, 5, 2)], SCHEMA)[0].tolist() == [1]


def test_ignored_pixels_and_masks_without_a_car() -> None:
    holed = box(0, 0)
    holed[:8] = 255
    assert nearest_mask([holed], [box(0, 0)], SCHEMA)[0].tolist() == [0]
    assert nearest_mask([box(0, 0) * 0], [box(0, 0) * 0], SCHEMA)[0].tolist() == [0]


def test_counted_distances_are_those_of_the_definition() -> None:
    random = np.random.default_rng(1)
    ids = np.array([0, 1, 2, 3, 255], np.uint8)
    training, masks = (
        [random.choice(ids, (SIDE, SIDE), p=chances) for _ in range(3)]
        for chances in ([0.5, 0.2, 0.1, 0.1, 0.1], [0.1, 0.6, 0.1, 0.1, 0.1])
    )
    for mask in masks:
        for other, both in zip(training, KnownMasks(training, SCHEMA).distances(mask).T, strict=True):
            for known, found in zip((other, SCHEMA.flip(other)), both, strict=True):
                seen = (mask != 255) & (known != 255)
                joint = seen & ((mask > 0) | (known > 0))
                assert found == 1 - (joint & (mask == known)).sum() / joint.sum()


def test_masks_of_other_sizes() -> None:
    large = box(0, 0).repeat(4, axis=0).repeat(4, axis=1)
    assert nearest_mask([large], [box(0, 0)], SCHEMA)[0].tolist() == [0]


def test_copies_are_found_and_new_masks_are_not() -> None:
    random = np.random.default_rng(0)
    cars = [box(*random.integers(0, 48, 2), part) for part in (1, 2, 3) for _ in range(60)]
    random.shuffle(cars)
    training, held_out, new = cars[:80], cars[80:130], cars[130:]
    honest = find_copies(new, held_out, training, SCHEMA)
    assert honest.share < 0.2
    copying = find_copies([*new[:30], *training[:30]], held_out, training, SCHEMA)
    assert copying.share > 0.45
    assert not copying.made[30:].any()


def test_the_bound_is_the_held_out_quantile() -> None:
    held_out = np.linspace(0, 1, 101)
    made = np.array([0.04, 0.06, 0.5, 0.2])
    found = judge_copies(made, np.arange(4), held_out, 0.05)
    assert found.bound == pytest.approx(0.05)
    assert found.share == 0.25


def test_bad_input() -> None:
    with pytest.raises(DataError, match="0 masks, 1 training masks"):
        find_copies([], [box(0, 0)], [box(0, 0)], SCHEMA)
    with pytest.raises(DataError, match="0 held-out"):
        judge_copies(np.ones(2), np.arange(2), np.ones(0))
    with pytest.raises(ConfigError, match="quantile 1"):
        judge_copies(np.ones(2), np.arange(2), np.ones(2), 1)
