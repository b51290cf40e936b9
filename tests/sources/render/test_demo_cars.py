"""The demo's set: few labelled cars, of other bodies than those that a segmenter starts from, seen as snapshots."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from augkit.core.classes import ALL_CLASSES
from augkit.core.parts import BACKGROUND
from augkit.data.orientation import classify
from augkit.data.pair import Pair
from augkit.data.samples import Sample, read_unlabelled
from augkit.sources.render import render_car, render_schema
from augkit.sources.render import rendered_samples as samples_module
from augkit.sources.render.body_styles import USUAL
from augkit.sources.render.demo_cars import STYLES, labelled_cars, unlabelled_cars
from augkit.sources.render.parameters import CarParameters
from augkit.sources.render.rendered_samples import even_counts, rendered_samples
from augkit.sources.render.snapshots import HIDDEN, snapshot

SIDE = 32


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[CarParameters]:
    """The parameters of every car that is drawn."""
    seen: list[CarParameters] = []

    def noted(parameters: CarParameters, size: int) -> Pair:
        seen.append(parameters)
        return render_car(parameters, size)

    monkeypatch.setattr(samples_module, "render_car", noted)
    return seen


def class_of(sample: Sample) -> str:
    assert sample.view is not None
    return sample.view.car_class.name


def test_its_bodies_are_none_of_those_that_a_segmenter_starts_from(drawn: list[CarParameters]) -> None:
    list(labelled_cars(16, 12, SIDE, 0))
    list(unlabelled_cars(12, SIDE, 0))
    own = {car.style for car in drawn}
    assert own == set(STYLES)
    drawn.clear()
    list(rendered_samples(even_counts(32), SIDE, 0))
    start = {car.style for car in drawn}
    assert start == set(USUAL) and not own & start


def test_what_is_learnt_from_is_lopsided_and_what_is_held_out_is_not() -> None:
    cars = list(labelled_cars(24, 24, SIDE, 0))
    train, test = (Counter(class_of(car) for car in cars if car.split == split) for split in ("train", "test"))
    assert len(cars) == 48 and train.total() == test.total() == 24
    assert set(test.values()) == {2} and set(test) == {own.name for own in ALL_CLASSES}
    assert train["front-left-5"] >= 4 and sum(train[name] for name in test if name.endswith("-3")) <= 3
    assert all(train[own.name] or train[own.mirror.name] for own in ALL_CLASSES)
    assert sum(train[name] for name in test if name.startswith("front")) > 12


def test_photos_without_masks_tell_where_the_car_is_and_nothing_else() -> None:
    photos = list(unlabelled_cars(13, SIDE, 0))
    assert len(photos) == 24  # two of each class
    for sample in photos:
        assert sample.mask is None and sample.view is None and sample.doors is None and sample.split is None
        assert not any(word in sample.source_file for word in ("left", "right", "front", "back"))
        photo, _ = read_unlabelled(sample)
        assert sample.car is not None and sample.car.shape == photo.shape[:2]
        left, top, right, bottom = sample.car.box
        assert 0 <= left < right <= photo.shape[1] and 0 <= top < bottom <= photo.shape[0]


def test_no_car_is_drawn_twice() -> None:
    cars: list[Any] = [np.asarray(car.photo).tobytes() for car in labelled_cars(16, 12, SIDE, 0)]
    cars += [read_unlabelled(photo)[0].tobytes() for photo in unlabelled_cars(12, SIDE, 0)]
    assert len(set(cars)) == len(cars) == 40


def pairs(count: int) -> list[tuple[Pair, Pair]]:
    """Cars, and the same as snapshots."""
    cars = rendered_samples(even_counts(count), 48, 5)
    before = [
        Pair(np.asarray(car.photo), np.asarray(car.mask), car.view.car_class) for car in cars if car.view is not None
    ]
    return [(pair, snapshot(pair, np.random.default_rng(number))) for number, pair in enumerate(before)]


def test_a_snapshots_mask_says_what_is_in_sight_and_its_class_stays() -> None:
    hidden = []
    for pair, taken in pairs(40):
        there, left = pair.mask != BACKGROUND, taken.mask != BACKGROUND
        assert np.array_equal(taken.mask[left], pair.mask[left])  # nothing moves, and no part turns into another
        assert taken.car_class == pair.car_class
        assert classify(taken.mask, render_schema()).doors == pair.car_class.doors
        hidden.append(1 - left.sum() / there.sum())
    assert max(hidden) < HIDDEN and 0.2 < np.mean(np.array(hidden) > 0) < 0.9


def test_a_snapshot_differs_from_the_rendered_car_and_repeats() -> None:
    for number, (pair, taken) in enumerate(pairs(8)):
        assert taken.photo.shape == pair.photo.shape and taken.photo.dtype == np.uint8
        assert np.abs(taken.photo.astype(int) - pair.photo).mean() > 8
        again = snapshot(pair, np.random.default_rng(number))
        assert again.photo.tobytes() == taken.photo.tobytes() and again.mask.tobytes() == taken.mask.tobytes()
