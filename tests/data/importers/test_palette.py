from __future__ import annotations

import pickle
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augkit.core.errors import DataError
from augkit.core.parts import IGNORE, Colour
from augkit.data.importers._palette import Palette, _memo

COLOURS: tuple[tuple[Colour, int], ...] = (((0, 0, 0), 0), ((250, 149, 10), 1), ((19, 98, 19), 2), ((200, 149, 10), 3))
PALETTE = Palette(COLOURS)


def _by_the_definition(rgb: np.ndarray) -> tuple[np.ndarray, float, float]:
    """The nearest colour of the list, the first among equals, by plain arithmetic."""
    known = np.array([colour for colour, _ in COLOURS], float)
    distances = np.sqrt(((rgb.reshape(-1, 1, 3).astype(float) - known) ** 2).sum(axis=2))
    least = distances.min(axis=1)
    ids = np.array([id for _, id in COLOURS])[distances.argmin(axis=1)]
    ids[least > 48] = IGNORE
    return ids.reshape(rgb.shape[:-1]), float((least > 0).mean()), float((least > 48).mean())


@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 20, 60, 255]))
def test_any_colour_counts_as_the_nearest_up_to_the_limit(seed: int, spread: int) -> None:
    rng = np.random.default_rng(seed)
    exact = np.array([colour for colour, _ in COLOURS])[rng.integers(0, 4, (5, 7))]
    rgb = np.clip(exact + rng.integers(-spread, spread + 1, (5, 7, 3)), 0, 255).astype(np.uint8)
    found = PALETTE.match(rgb)
    ids, inexact, unknown = _by_the_definition(rgb)
    assert found.ids.dtype == np.uint8 and (found.ids == ids).all()
    assert (found.inexact, found.unknown) == pytest.approx((inexact, unknown))


def test_the_limit_itself_is_near_enough() -> None:
    colours = np.array([[250, 149, 10 + 48], [250, 149, 10 + 49], [225, 149, 10], [224, 149, 10]], np.uint8)
    assert PALETTE.match(colours).ids.tolist() == [1, IGNORE, 1, 3]  # (225, 149, 10) is 25 from both, the first wins


def test_what_was_seen_before_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (20, 20, 3), np.uint8)
    first = PALETTE.match(rgb)
    PALETTE.match(rng.integers(0, 256, (50, 50, 3), np.uint8))
    again = PALETTE.match(rgb)
    _memo.cache_clear()
    fresh = PALETTE.match(rgb)
    for other in (again, fresh):
        assert (other.ids == first.ids).all() and other.inexact == first.inexact and other.unknown == first.unknown


def test_two_palettes_do_not_mix() -> None:
    rgb = np.array([[250, 149, 10]], np.uint8)
    assert PALETTE.match(rgb).ids.tolist() == [1]
    assert Palette((((250, 149, 10), 7),)).match(rgb).ids.tolist() == [7]


def test_one_colour_for_two_parts_is_refused_and_two_colours_for_one_are_not() -> None:
    with pytest.raises(DataError, match="hood and trunk have one colour, #0a0b0c"):
        Palette.of([((10, 11, 12), 1, "hood"), ((10, 11, 12), 2, "trunk")])
    both = Palette.of([((10, 11, 12), 1, "hood"), ((20, 11, 12), 1, "hood")])
    assert both.match(np.array([[10, 11, 12], [20, 11, 12]], np.uint8)).ids.tolist() == [1, 1]


def test_a_colour_two_steps_off_is_the_same_and_three_steps_off_is_not() -> None:
    assert PALETTE.same((250, 150, 10)) == PALETTE.same((252, 147, 12)) == 1
    assert PALETTE.same((253, 149, 10)) is None


def test_a_palette_is_small_where_it_goes_to_other_processes() -> None:
    PALETTE.match(np.zeros((4, 4, 3), np.uint8))
    assert len(pickle.dumps(PALETTE)) < 500


def test_colours_are_looked_up_and_not_compared() -> None:
    """Comparing each pixel with each of 200 colours would take a hundred times as long as this."""
    many = Palette(tuple(((n, 255 - n, n // 2), n) for n in range(200)))
    rgb = np.array([colour for colour, _ in many.colours], np.uint8)[np.arange(512 * 512).reshape(512, 512) % 200]
    many.match(rgb)
    took = []
    for _ in range(3):
        start = time.perf_counter()
        assert (many.match(rgb).ids == np.arange(512 * 512).reshape(512, 512) % 200).all()
        took.append(time.perf_counter() - start)
    assert min(took) < 0.1
