from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augkit.core.errors import DataError
from augkit.data.importers._outlines import FILLED, PartShape, draw
from augkit.data.plausibility import NO_AREA, UNLIKE_STATED
from augkit.data.reading_way import Overlap
from augkit.data.samples import PartMask
from tests.data.coco_folder import square

HEIGHT, WIDTH = 60, 90
CAR = PartShape(1, "car", [square(10, 10, 40)])
NOTHING: list[Any] = [
    [], None, [[]], [[], []], [[10, 10, 20, 20]], [[5, 5]], [10, 10, 20, 20], "[]", "null", [[7, 7] * 3],
    [square(200, 10, 5)], [square(70, 65, 5)], {"size": [HEIGHT, WIDTH], "counts": [HEIGHT * WIDTH]},
    {"size": [HEIGHT, WIDTH], "counts": []}, {"size": [HEIGHT, WIDTH], "counts": ""},
]  # fmt: skip
NOTHING_NEAR = [shape for shape in NOTHING if shape != [square(200, 10, 5)]]


def _draw(*shapes: PartShape, overlap: Overlap | None = None) -> PartMask:
    return draw(shapes, HEIGHT, WIDTH, overlap)


@pytest.mark.parametrize("nothing", NOTHING_NEAR, ids=str)
def test_a_shape_without_an_area_is_left_out_and_counted(nothing: Any) -> None:
    plain = _draw(CAR)
    assert plain.notes == {} and (plain.ids == 1).sum() == 1600
    found = _draw(PartShape(2, "bad", nothing), CAR, PartShape(3, "bad", nothing))
    assert (found.ids == plain.ids).all() and found.notes == {NO_AREA: 2}
    with pytest.raises(DataError, match="no annotation has an area"):
        _draw(PartShape(2, "bad", nothing))


@given(st.lists(st.sampled_from(NOTHING_NEAR), max_size=4), st.lists(st.sampled_from(NOTHING_NEAR), max_size=4))
def test_shapes_without_an_area_change_nothing(before: list[Any], after: list[Any]) -> None:
    others = [[PartShape(2, "bad", nothing) for nothing in shapes] for shapes in (before, after)]
    found = _draw(*others[0], CAR, *others[1])
    assert (found.ids == _draw(CAR).ids).all()
    assert sum(found.notes.values()) == len(before) + len(after)


def test_a_ring_without_an_area_does_not_lose_its_shape() -> None:
    found = _draw(PartShape(1, "a", [[10, 10, 20, 20], [], square(30, 20, 10)]))
    assert (found.ids == 1).sum() == 100 and found.notes == {NO_AREA: 1}


def test_what_is_no_shape_is_an_error_and_not_left_out() -> None:
    for shape in ([[1, 2, 3]], [[1, 2, 3, float("nan"), 5, 6]], 7, "[[1", {"size": [1, 1], "counts": [1]}):
        with pytest.raises(DataError, match=r"^bad: "):
            _draw(CAR, PartShape(2, "bad", shape))


def _ring(*corners: tuple[float, float]) -> list[float]:
    return [value for corner in corners for value in corner]


HOLE, ISLAND = square(20, 20, 16), square(24, 24, 6)
CRESCENT = _ring((10, 10), (50, 10), (50, 50), (40, 50), (40, 20), (10, 20))


@pytest.mark.parametrize(
    ("rings", "area", "covered", "told"),
    [
        ([square(10, 10, 40), HOLE], 1600 - 256, 1600 - 256, 0),
        ([HOLE, square(10, 10, 40)], 1600 - 256, 1600 - 256, 0),
        ([square(10, 10, 40), HOLE[::-1]], 1600 - 250, 1600 - 256, 0),
        ([square(10, 10, 40), HOLE, ISLAND], 1600 - 256 + 36, 1600 - 256 + 36, 0),
        ([square(10, 10, 40), HOLE, square(60, 10, 20)], 2000 - 256, 2000 - 256, 0),
        ([square(10, 10, 40), HOLE], 1600, 1600, 0),
        ([square(10, 10, 40), HOLE], 1600 + 256, 1600, 0),
        ([square(10, 10, 40), HOLE], 1600 - 128, 1600, 1),
        ([square(10, 10, 40), HOLE], 0, 1600, 1),
        ([square(10, 10, 40), square(10, 10, 40)], 1600, 1600, 0),
        ([square(10, 10, 20), square(60, 10, 20)], 800, 800, 0),
        ([square(10, 10, 40), square(40, 40, 16)], 1500, 1600 + 256 - 100, 0),
        ([CRESCENT, square(15, 30, 10)], 900 - 100, 800, 0),
    ],
)  # fmt: skip
def test_a_ring_within_another_is_a_hole_where_the_area_says_so(
    rings: list[Any], area: float, covered: int, told: int
) -> None:
    found = _draw(PartShape(1, "door", rings, area))
    assert (found.ids == 1).sum() == covered and found.notes == ({FILLED: told} if told else {})


@given(st.floats(8, 30), st.floats(0.2, 0.8), st.booleans(), st.integers(3, 40))
def test_round_holes_are_holes_by_their_area(radius: float, share: float, hole: bool, corners: int) -> None:
    turns = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    outer, inner = (
        [float(v) for turn in turns for v in (45 + size * np.cos(turn), 30 + size * np.sin(turn))]
        for size in (radius, radius * share)
    )
    areas = [abs(np.dot(r[::2], np.roll(r[1::2], 1)) - np.dot(r[1::2], np.roll(r[::2], 1))) / 2 for r in (outer, inner)]
    if areas[0] > 2 * areas[1] > 2:
        found = _draw(PartShape(1, "a", [outer, inner], areas[0] - areas[1] * hole))
        assert found.ids[30, 45] == (0 if hole else 1) and found.notes == {}


SMALL, LARGE = PartShape(1, "small", [square(20, 20, 10)]), PartShape(2, "large", [square(10, 10, 40)])


@pytest.mark.parametrize(
    ("shapes", "overlap", "small"),
    [
        ((SMALL, LARGE), None, 100),
        ((LARGE, SMALL), None, 100),
        ((SMALL, LARGE), "smaller", 100),
        ((SMALL, LARGE), "order", 0),
        ((LARGE, SMALL), "order", 100),
        ((SMALL._replace(z=1), LARGE._replace(z=2)), None, 0),
        ((LARGE._replace(z=2), SMALL._replace(z=1)), None, 0),
        ((LARGE._replace(z=2), SMALL._replace(z=1)), "order", 0),
        ((SMALL._replace(z=1), LARGE._replace(z=2)), "smaller", 100),
        ((SMALL._replace(z=2), LARGE._replace(z=2)), None, 100),
        ((SMALL._replace(z=2), LARGE._replace(z=2)), "order", 0),
    ],
)
def test_what_lies_on_top(shapes: tuple[PartShape, ...], overlap: Overlap | None, small: int) -> None:
    assert (_draw(*shapes, overlap=overlap).ids == 1).sum() == small


def test_an_order_among_some_leaves_the_others_to_their_area() -> None:
    third = PartShape(3, "third", [square(0, 0, 55)], z=-1)
    ids = _draw(LARGE, SMALL, third).ids
    assert [(ids == part).sum() for part in (1, 2, 3)] == [100, 1500, 55 * 55 - 1600]


def test_outlines_unlike_what_is_stated_are_told() -> None:
    stated = PartShape(1, "a", [square(10, 10, 40)], 100, (50, 40, 10, 10))
    assert _draw(stated).notes == {UNLIKE_STATED: 1}
    assert _draw(stated._replace(area=1600)).notes == {}


def test_units_count_only_where_they_are_in_doubt() -> None:
    tiny = [PartShape(1, "a", [[0.1, 0.1, 0.9, 0.1, 0.9, 0.9]])]
    with pytest.raises(DataError, match="shares"):
        draw(tiny, 60, 90)
    with pytest.raises(DataError, match="no annotation has an area"):
        draw(tiny, 60, 90, scaled=True)


def test_a_segmentation_may_be_text() -> None:
    assert (_draw(CAR._replace(segmentation=json.dumps(CAR.segmentation))).ids == _draw(CAR).ids).all()
