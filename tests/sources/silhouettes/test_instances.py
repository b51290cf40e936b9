from __future__ import annotations

import numpy as np

from augkit.core.parts import IGNORE
from augkit.sources.silhouettes import MIN_SCORE
from augkit.sources.silhouettes._instances import Cars, Detector, choose

Place = tuple[slice, slice]
LEFT, RIGHT, ALL = np.s_[2:8, 0:5], np.s_[2:8, 5:10], np.s_[0:10, 0:10]


def cars(*found: tuple[float, Place]) -> Cars:
    masks = np.zeros((len(found), 10, 10), bool)
    for mask, (_, place) in zip(masks, found, strict=True):
        mask[place] = True
    boxes = [[place[1].start, place[0].start, place[1].stop, place[0].stop] for _, place in found]
    return Cars(np.array([score for score, _ in found]), np.array(boxes).reshape(-1, 4), masks)


def parts(place: Place | None = None) -> np.ndarray:
    mask = np.zeros((10, 10), np.uint8)
    if place is not None:
        mask[place] = 3
    return mask


def test_the_car_that_covers_most_of_the_parts() -> None:
    found = choose(cars((0.99, LEFT), (0.91, RIGHT)), parts(np.s_[3:6, 4:9]), 0.9)
    assert found is not None and found.box == (5.0, 2.0, 10.0, 8.0) and found.score == 0.91
    assert found.mask.sum() == 30 and found.mask[RIGHT].all()


def test_the_surer_of_two_that_cover_the_same() -> None:
    for order in (((0.92, LEFT), (0.97, ALL)), ((0.97, ALL), (0.92, LEFT))):
        found = choose(cars(*order), parts(np.s_[3:6, 0:4]), 0.9)
        assert found is not None and found.score == 0.97


def test_without_parts_the_largest() -> None:
    found = choose(cars((0.99, LEFT), (0.91, ALL)), parts(), 0.9)
    assert found is not None and found.mask.all()


def test_a_car_below_the_score_is_taken_only_where_there_is_no_other() -> None:
    found = choose(cars((0.89, RIGHT), (0.95, ALL)), parts(np.s_[3:6, 5:9]), 0.9)
    assert found is not None and found.score == 0.95
    found = choose(cars((0.3, RIGHT), (0.6, ALL)), parts(np.s_[3:6, 5:9]), 0.9)
    assert found is not None and found.score == 0.6
    at_the_score = choose(cars((0.9, RIGHT), (0.5, ALL)), parts(np.s_[3:6, 5:9]), 0.9)
    assert at_the_score is not None and at_the_score.score == 0.9


def test_another_car_is_not_the_car_of_the_parts() -> None:
    assert choose(cars((0.99, LEFT)), parts(np.s_[3:6, 6:9]), 0.9) is None
    assert choose(cars(), parts(LEFT), 0.9) is None


def test_ignored_pixels_belong_to_no_car() -> None:
    mask = parts(np.s_[3:6, 3:9])
    mask[:, 7:] = IGNORE
    found = choose(cars((0.99, ALL)), mask, 0.9)
    assert found is not None and found.mask.sum() == 70 and not found.mask[:, 7:].any()
    everything = np.full((10, 10), IGNORE, np.uint8)
    assert choose(cars((0.99, ALL)), everything, 0.9) is None


def test_the_network_is_loaded_once_and_only_when_it_is_needed() -> None:
    loaded: list[int] = []

    def load() -> object:
        loaded.append(1)
        return lambda photo: cars((0.95, ALL))

    detector = Detector(load)  # type: ignore[arg-type]
    assert detector.min_score == MIN_SCORE == 0.9 and loaded == []
    for _ in range(2):
        assert detector(np.zeros((10, 10, 3), np.uint8), parts(LEFT)) is not None
    assert loaded == [1]
    assert Detector(load, 0.0).min_score == 0.0  # type: ignore[arg-type]
