"""Parts that exclude each other: learnt from what masks show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from augkit.data.exclusive_parts import exclusive_parts


def _masks(*kinds: tuple[int, int, tuple[int, ...]]) -> tuple[NDArray[np.bool_], NDArray[np.int_]]:
    """``(how many, from which view, the parts that they show)`` -> (M, 4) and (M,)."""
    shows, views = [], []
    for count, view, parts in kinds:
        shows += [[part in (0, *parts) for part in range(4)]] * count
        views += [view] * count
    return np.array(shows), np.array(views)


def _pairs(*kinds: tuple[int, int, tuple[int, ...]]) -> set[tuple[int, int]]:
    found = exclusive_parts(*_masks(*kinds))
    assert (found == found.T).all() and not found.diagonal().any() and not found[0].any()
    return {(int(a), int(b)) for a, b in np.argwhere(np.triu(found))}


def test_parts_that_never_meet_where_they_should_exclude_each_other() -> None:
    """32 and 32 of 64 masks: 32 * 32 / 64 = 16 are expected to show both, and that is just enough."""
    assert _pairs((32, 0, (1, 3)), (32, 0, (2, 3))) == {(1, 2)}
    assert _pairs((31, 0, (1, 3)), (32, 0, (2, 3))) == set()  # 15.7


def test_what_meets_by_an_error_of_a_label_still_does() -> None:
    """101 of each in 201 masks: 50.8 are expected, of which one in 50 may meet; of 102 in 202 each 51.5."""
    assert _pairs((100, 0, (1,)), (100, 0, (2,)), (1, 0, (1, 2))) == {(1, 2)}
    assert _pairs((100, 0, (1,)), (100, 0, (2,)), (2, 0, (1, 2))) == set()


def test_parts_of_different_views_are_not_meant() -> None:
    """They never meet, but nobody expected them to: each view is asked for itself, and what is expected adds up."""
    assert _pairs((500, 0, (1,)), (500, 1, (2,))) == set()
    assert _pairs((16, 0, (1,)), (16, 0, (2,)), (16, 1, (1,)), (16, 1, (2,))) == {(1, 2)}


def test_parts_that_always_meet_exclude_nothing() -> None:
    assert _pairs((200, 0, (1, 2, 3))) == set()
