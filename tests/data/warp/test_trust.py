"""How sure a warp is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from augkit.core.classes import CarClass
from augkit.core.parts import IGNORE, Mask
from augkit.data.pair import Pair
from augkit.data.warp.cycle_warp import cycle_warp
from augkit.data.warp.part_warp import part_warp
from augkit.data.warp.trust import rigidity

SIDE = 64


def _places(matrix: list[list[float]]) -> NDArray[np.float32]:
    rows, columns = np.indices((12, 12), np.float32)
    return (np.stack([columns, rows], -1) @ np.array(matrix, np.float32).T).astype(np.float32)


def _box(part: int, top: int, left: int, height: int, width: int) -> Mask:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[top : top + height, left : left + width] = part
    return mask


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([[1, 0], [0, 1]], 1.0),
        ([[-1, 0], [0, 1]], 1.0),  # the mirror image
        ([[0.6, -0.8], [0.8, 0.6]], 1.0),  # turned
        ([[0.5, 0], [0, 1]], 0.5),  # drawn out to twice its width
        ([[1, 0], [0, 3]], 1 / 3),  # squeezed to a third of its height
        ([[0.5, 0], [0, 3]], 1 / 6),
        ([[0, 0], [0, 0]], 0.0),  # one pixel everywhere
        ([[1, 1], [0, 1]], ((5**0.5 - 1) / 2) ** 2),  # sheared: singular values phi and 1 / phi
    ],
)
def test_rigidity_is_that_of_the_jacobian(matrix: list[list[float]], expected: float) -> None:
    np.testing.assert_allclose(rigidity(_places(matrix)), np.full((12, 12), expected), atol=1e-5)


def test_rigidity_is_small_at_a_tear_and_nowhere_else() -> None:
    places = _places([[1, 0], [0, 1]])
    places[:, 6:, 1] += 40
    found = rigidity(places)
    assert (found[:, 5:7] < 0.1).all() and (found[:, :5] == 1).all() and (found[:, 7:] == 1).all()


def test_a_photo_on_its_own_mask_is_sure_and_what_it_lacks_is_not() -> None:
    mask, photo = _box(1, 10, 10, 30, 40), np.zeros((SIDE, SIDE, 3), np.uint8)
    assert (part_warp(photo, mask, mask).trust == 1).all()
    lacking = np.where(_box(2, 12, 12, 5, 5) > 0, 2, mask).astype(np.uint8)
    warped = part_warp(photo, mask, lacking)
    assert np.array_equal(warped.trust > 0, warped.valid)


def test_a_stretched_part_is_half_as_sure_and_there_and_back_half_of_that() -> None:
    photo, small, large = np.zeros((SIDE, SIDE, 3), np.uint8), _box(1, 10, 10, 20, 20), _box(1, 10, 10, 20, 40)
    inner = np.s_[14:26, 16:24]  # away from the seams
    np.testing.assert_allclose(part_warp(photo, small, large).trust[14:26, 20:40], 0.5, atol=0.01)
    np.testing.assert_allclose(part_warp(photo, large, small).trust[inner], 0.5, atol=0.01)
    back = cycle_warp(Pair(photo, small, CarClass("A", "5")), large)
    np.testing.assert_allclose(back.trust[inner], 0.25, atol=0.01)


def test_what_comes_from_another_car_is_half_as_sure() -> None:
    both = np.where(_box(2, 40, 10, 10, 10) > 0, 2, _box(1, 10, 10, 20, 20)).astype(np.uint8)
    photo = np.zeros((SIDE, SIDE, 3), np.uint8)
    mine, other = part_warp(photo, _box(1, 10, 10, 20, 20), both), part_warp(photo, both, both)
    filled = mine.filled(other).trust
    assert (filled[both == 2] == 0.5).all() and np.array_equal(filled[both != 2], mine.trust[both != 2])


def test_what_is_ignored_is_not_sure() -> None:
    mask = _box(1, 10, 10, 20, 20)
    mask[50:] = IGNORE
    warped = cycle_warp(Pair(np.zeros((SIDE, SIDE, 3), np.uint8), mask, CarClass("A", "5")), _box(1, 10, 10, 20, 20))
    assert np.array_equal(warped.trust > 0, mask != IGNORE)
