"""Data sets of rendered cars, and the verb that writes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from augkit.cli._app import run
from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.errors import ConfigError
from augkit.core.workspace import Workspace
from augkit.data.catalogue import count_classes, read_catalogue
from augkit.data.orientation import classify
from augkit.sources.render import render_schema
from augkit.sources.render.rendered_samples import (
    even_counts,
    lopsided_counts,
    parse_counts,
    rendered_sample,
    rendered_samples,
)


@pytest.mark.parametrize("count", [1, 7, 8, 200, 1001])
def test_counts_add_up(count: int) -> None:
    for counts in (even_counts(count), lopsided_counts(count)):
        assert sum(counts.values()) == count
        assert min(counts.values()) > 0
    assert max(even_counts(count).values()) - min(even_counts(count).values()) <= 1


def test_lopsided_is_lopsided() -> None:
    counts = lopsided_counts(500)
    assert counts[CarClass.parse("front-left-5")] > 8 * counts[CarClass.parse("back-right-3")]


@pytest.mark.parametrize("car_class", ALL_CLASSES, ids=lambda c: c.name)
def test_a_sample_shows_what_its_class_says(car_class: CarClass) -> None:
    sample = rendered_sample(car_class, 0, 64, seed=1)
    assert sample.view is not None
    assert sample.view.car_class == car_class
    assert sample.view.confidence == 1.0
    assert isinstance(sample.mask, np.ndarray)
    assert classify(sample.mask, render_schema()).doors == car_class.doors


def test_more_cars_leave_the_first_ones_alone() -> None:
    car_class = CarClass.parse("front-left-5")
    few = list(rendered_samples({car_class: 1}, 32, 3))
    many = list(rendered_samples({car_class: 2}, 32, 3))
    assert isinstance(few[0].photo, np.ndarray)
    assert isinstance(many[0].photo, np.ndarray)
    assert few[0].photo.tobytes() == many[0].photo.tobytes()
    assert len({sample.id for sample in many}) == 2


@pytest.mark.parametrize("texts", [["front-left-5"], ["x=3"], ["A-5=0"], ["A-5=-2"], ["A-5=1", "front-left-5=2"]])
def test_counts_that_cannot_be(texts: list[str]) -> None:
    with pytest.raises(ConfigError):
        parse_counts(texts)


def test_the_verb_fills_a_workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["render", "-w", str(tmp_path), "--class", "A-5=2", "--class", "C-3=1", "--size", "64", "--json"]
    assert run(command) == 0
    assert json.loads(capsys.readouterr().out)["pairs"] == 3
    rows = read_catalogue(Workspace(tmp_path).catalogue)
    assert {c.name: n for c, n in count_classes(rows).items()} == {"front-left-5": 2, "back-right-3": 1}
    assert all(row.confidence == 1.0 and row.size == 64 and not row.problem for row in rows)
    assert all(Workspace(tmp_path).photo(row.id).is_file() for row in rows)


def test_options_without_effect_are_refused(tmp_path: Path) -> None:
    assert run(["render", "-w", str(tmp_path), "--class", "A-5=2", "--lopsided"]) == 2
    assert run(["render", "-w", str(tmp_path), "--class", "A-5=2", "--count", "3"]) == 2
