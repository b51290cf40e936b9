"""Figures of part masks on masks small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augkit.core.errors import DataError
from augkit.metrics.masks import (
    adjacency_distance,
    component_distance,
    part_adjacency,
    part_components,
    part_shares,
    presence_differences,
    presence_distance,
    share_distance,
)

LEFT = np.array([[[1, 1, 0, 0], [1, 1, 0, 0]]], np.uint8)
MIXED = np.array([[[1, 0, 0, 1], [2, 2, 0, 0]]], np.uint8)


def test_shares_leave_ignored_pixels_out() -> None:
    mask = np.array([[[1, 255], [0, 0]]], np.uint8)
    assert part_shares(mask, 2).tolist() == [[2 / 3, 1 / 3]]
    assert part_shares(np.full((1, 2, 2), 255, np.uint8), 2).tolist() == [[0, 0]]


def test_share_distance_is_the_share_of_pixels_that_would_change() -> None:
    a, b = part_shares(LEFT, 3), part_shares(MIXED, 3)  # 1/2 1/2 0 against 1/2 1/4 1/4
    assert share_distance(a, b) == pytest.approx(0.25)
    assert share_distance(part_shares(LEFT * 0, 3), part_shares(LEFT * 0 + 1, 3)) == 1


def test_presence_is_a_mean_over_the_parts_shown() -> None:
    a = part_shares(np.concatenate([LEFT, LEFT]), 4)
    b = part_shares(np.concatenate([LEFT, MIXED]), 4)
    assert presence_differences(a, b).tolist() == [0, 0, 0.5, 0]
    assert presence_distance(a, b) == pytest.approx(0.5 / 3)  # part 3 is in neither set


def test_adjacency_shares_out_the_outlines() -> None:
    # columns 0-1, 0-2, 1-2. Edges of MIXED: 1|0, 0|1, 2|0 across; 1/2, 0/2, 1/0 down
    assert part_adjacency(MIXED, 3)[0].tolist() == pytest.approx([3 / 6, 2 / 6, 1 / 6])
    assert part_adjacency(LEFT, 3)[0].tolist() == [1, 0, 0]
    assert part_adjacency(LEFT * 0, 3)[0].tolist() == [0, 0, 0]


def test_an_ignored_pixel_has_no_outline() -> None:
    assert part_adjacency(np.array([[[1, 255, 0]]], np.uint8), 2).tolist() == [[0]]


def test_adjacency_distance() -> None:
    assert adjacency_distance(part_adjacency(LEFT, 3), part_adjacency(MIXED, 3)) == pytest.approx(0.5)


def test_components_count_eight_neighbours() -> None:
    assert part_components(MIXED, 3).tolist() == [[1, 2, 1]]
    diagonal = np.array([[[1, 0], [0, 1]]], np.uint8)
    assert part_components(diagonal, 3).tolist() == [[1, 1, 0]]


def test_component_distance_is_over_masks_that_show_the_part() -> None:
    a = part_components(np.concatenate([LEFT, LEFT * 0]), 3)  # part 1 in one piece where shown
    b = part_components(MIXED, 3)  # in two
    assert component_distance(a, b) == pytest.approx((0 + 1) / 2)  # background and part 1; part 2 is not in a
    assert component_distance(part_components(LEFT * 0, 3), part_components(LEFT * 0 + 2, 3)) == 0


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 6), st.integers(1, 4))
def test_distances_are_symmetric_zero_on_equal_sets_and_at_most_one(seed: int, channels: int, count: int) -> None:
    random = np.random.default_rng(seed)
    a, b = (random.integers(0, channels, (count, 8, 9), dtype=np.uint8) for _ in range(2))
    for describe, distance in (
        (part_shares, share_distance),
        (part_shares, presence_distance),
        (part_adjacency, adjacency_distance),
        (part_components, component_distance),
    ):
        first, second = describe(a, channels), describe(b, channels)
        there, back = distance(first, second), distance(second, first)
        assert there == pytest.approx(back)
        assert there >= 0
        assert distance is component_distance or there <= 1 + 1e-9
        assert distance(first, first[::-1]) == pytest.approx(0)


def test_enlarging_a_mask_changes_no_description() -> None:
    large = MIXED.repeat(3, axis=1).repeat(3, axis=2)
    for describe in (part_shares, part_adjacency, part_components):
        assert describe(large, 3) == pytest.approx(describe(MIXED, 3))


@pytest.mark.parametrize("describe", [part_shares, part_adjacency, part_components])
def test_bad_masks(describe) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError, match=r"part ids \[2\]"):
        describe(MIXED, 2)
    with pytest.raises(DataError, match="at least one mask"):
        describe(MIXED[:0], 3)
    with pytest.raises(DataError, match="shape"):
        describe(MIXED[0], 3)
