"""Backgrounds of made photos."""

from __future__ import annotations

import numpy as np
import torch

from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.data.silhouette import GREEN
from augkit.gan.photo_background import CompositeBackground, PhotoBackground
from augkit.sources.backdrops import ANY

SIDE = 32
CLASS = CarClass("A", "5")
OTHER_DOORS, ELSEWHERE = CarClass("A", "3"), CarClass("C", "5")


def scenes(classes: list[int], holes: np.ndarray | None = None) -> CompositeBackground:
    """Scene number n is of the colour (n, n, n)."""
    count = len(classes)
    photos = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, SIDE, SIDE, 3), np.uint8)
    empty = np.zeros((count, SIDE, SIDE), np.bool_)
    return CompositeBackground.of(photos, empty if holes is None else holes, np.array(classes, np.int64))


def cars(count: int) -> tuple[np.ndarray, np.ndarray]:
    photos = np.full((count, SIDE, SIDE, 3), GREEN, np.uint8)
    masks = np.zeros((count, SIDE, SIDE), np.uint8)
    masks[:, 8:24, 8:24] = 1
    photos[masks == 1] = (180, 90, 60)
    return photos, masks


def drawn(pasted: CompositeBackground, car_class: CarClass, seeds: list[int]) -> set[int]:
    photos, masks = cars(len(seeds))
    return {int(photo[0, 0, 0]) for photo in pasted(photos, masks, car_class, seeds)}


def test_learnt_backgrounds_stay() -> None:
    photos, masks = cars(2)
    assert PhotoBackground()(photos, masks, CLASS, [0, 1]) is photos


def test_the_car_is_before_a_scene_and_the_seed_alone_picks_it() -> None:
    pasted = scenes([ANY] * 20)
    photos, masks = cars(6)
    made = pasted(photos, masks, CLASS, list(range(6)))
    np.testing.assert_array_equal(made[masks == 1], photos[masks == 1])
    assert (made[:, 0] == made[:, :1, 0]).all() and len({int(photo[0, 0, 0]) for photo in made}) > 2
    np.testing.assert_array_equal(pasted(photos[:1], masks[:1], CLASS, [4])[0], made[4])


def test_scenes_of_the_class_come_first() -> None:
    kinds = [ELSEWHERE.number, OTHER_DOORS.number, CLASS.number, ANY]
    seeds = list(range(40))
    assert drawn(scenes(kinds), CLASS, seeds) == {2, 3}
    assert drawn(scenes(kinds[:2]), CLASS, seeds) == {1}
    assert drawn(scenes(kinds[:1]), CLASS, seeds) == {0}
    assert len(ALL_CLASSES) > len(kinds)


def test_a_hole_that_the_car_covers_is_preferred() -> None:
    holes = np.zeros((30, SIDE, SIDE), np.bool_)
    holes[:, 10:20, 10:20] = True
    holes[CompositeBackground.CHOICE :, :4] = True
    assert drawn(scenes([CLASS.number] * 30, holes), CLASS, list(range(80))) == set(range(CompositeBackground.CHOICE))


def test_scenes_of_another_size_are_fitted() -> None:
    pasted = CompositeBackground(
        torch.full((1, 8, 8, 3), 7, dtype=torch.uint8), torch.zeros(1, 8, 8, dtype=torch.bool), torch.tensor([ANY])
    )
    photos, masks = cars(1)
    assert (pasted(photos, masks, CLASS, [0])[0, 0] == 7).all()
