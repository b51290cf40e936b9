"""Laying photos onto masks."""

from __future__ import annotations

from unittest import mock

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from augkit.core.parts import IGNORE, Mask
from augkit.data.warp import part_warp as module
from augkit.data.warp.part_warp import part_warp

SIDE = 64


def _boxes(*boxes: tuple[int, int, int, int, int]) -> Mask:
    """Rectangles (part, top, left, height, width), the later ones in front."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for part, top, left, height, width in boxes:
        mask[top : top + height, left : left + width] = part
    return mask


def _photo(seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def test_a_photo_lies_on_its_own_mask_as_it_is() -> None:
    mask = _boxes((1, 10, 10, 30, 40), (2, 20, 15, 8, 8), (2, 20, 40, 8, 8))
    warped = part_warp(_photo(), mask, mask)
    assert np.array_equal(warped.photo, _photo()) and warped.valid.all()


def test_a_part_is_moved_to_its_place() -> None:
    photo = _photo()
    warped = part_warp(photo, _boxes((1, 10, 10, 20, 20)), _boxes((1, 30, 25, 20, 20)))
    assert np.array_equal(warped.photo[30:50, 25:45], photo[10:30, 10:30])


def test_a_part_is_stretched_to_its_size() -> None:
    photo = np.zeros((SIDE, SIDE, 3), np.uint8)
    photo[10:30, 10:20], photo[10:30, 20:30] = 200, 50  # its left half and its right half
    warped = part_warp(photo, _boxes((1, 10, 10, 20, 20)), _boxes((1, 10, 10, 20, 40)))
    assert (warped.photo[12:28, 12:28] == 200).all() and (warped.photo[12:28, 32:48] == 50).all()


def test_pieces_are_matched_from_left_to_right() -> None:
    photo = np.zeros((SIDE, SIDE, 3), np.uint8)
    photo[40:50, 5:15], photo[40:50, 45:55] = 90, 180
    warped = part_warp(
        photo, _boxes((1, 40, 5, 10, 10), (1, 40, 45, 10, 10)), _boxes((1, 44, 12, 10, 10), (1, 38, 38, 10, 10))
    )
    assert (warped.photo[46:52, 14:20] == 90).all() and (warped.photo[40:46, 40:46] == 180).all()


def test_one_piece_of_two_takes_the_nearest() -> None:
    photo = np.zeros((SIDE, SIDE, 3), np.uint8)
    photo[40:50, 5:15], photo[40:50, 45:55] = 90, 180
    source = _boxes((1, 40, 5, 10, 10), (1, 40, 45, 10, 10))
    for left, level in ((8, 90), (40, 180)):
        warped = part_warp(photo, source, _boxes((1, 38, left, 14, 14)))
        assert (warped.photo[40:50, left + 2 : left + 12] == level).all() and warped.valid.all()


def test_two_pieces_of_one_are_both_like_it() -> None:
    photo = np.zeros((SIDE, SIDE, 3), np.uint8)
    photo[40:50, 5:10], photo[40:50, 10:15] = 90, 180
    warped = part_warp(photo, _boxes((1, 40, 5, 10, 10)), _boxes((1, 40, 5, 10, 10), (1, 40, 45, 10, 10)))
    for left in (5, 45):
        assert (warped.photo[42:48, left + 1 : left + 4] == 90).all()
        assert (warped.photo[42:48, left + 6 : left + 9] == 180).all()


def test_what_one_photo_lacks_comes_from_another_in_its_light() -> None:
    target = _boxes((1, 10, 10, 20, 20), (2, 40, 10, 10, 10))
    dark, light = np.full((SIDE, SIDE, 3), 60, np.uint8), np.full((SIDE, SIDE, 3), 160, np.uint8)
    light[40:50, 10:20] = 190
    mine = part_warp(dark, _boxes((1, 10, 10, 20, 20)), target)
    filled = mine.filled(part_warp(light, target, target))
    assert filled.valid.all() and (filled.photo[42:48, 12:18] == 190 - 100).all()
    assert np.array_equal(filled.photo[mine.valid], mine.photo[mine.valid])
    assert mine.filled(mine) is mine


def test_a_missing_part_is_not_known_and_has_the_cars_mean_colour() -> None:
    photo = _photo()
    source = _boxes((1, 10, 10, 20, 20))
    warped = part_warp(photo, source, _boxes((1, 10, 10, 20, 20), (2, 12, 12, 5, 5)))
    assert np.array_equal(warped.valid, _boxes((2, 12, 12, 5, 5)) == 0)
    assert (warped.photo[12:17, 12:17] == photo[source == 1].mean(0).round().astype(np.uint8)).all()


def test_what_is_ignored_is_never_shown() -> None:
    source = _boxes((1, 20, 20, 20, 20))
    source[:12] = IGNORE
    photo = np.full((SIDE, SIDE, 3), 100, np.uint8)
    photo[source == IGNORE] = 255
    target = _boxes((1, 5, 20, 20, 20))
    target[50:] = IGNORE
    warped = part_warp(photo, source, target)
    # The step between ignored and known rows may be sampled between two pixels, never beyond.
    assert (warped.photo == 255).mean() < 0.01 and warped.valid.all()


def test_the_roof_follows_the_car() -> None:
    """What lies between parts, without one of its own, moves with them rather than staying where it was."""
    photo = np.zeros((SIDE, SIDE, 3), np.uint8)
    source = _boxes((1, 30, 5, 20, 20), (1, 30, 39, 20, 20))
    photo[30:50, 25:39] = 150
    target = _boxes((1, 20, 5, 20, 20), (1, 20, 39, 20, 20))
    assert (part_warp(photo, source, target).photo[22:38, 28:36] > 75).all()


rectangles = st.tuples(st.integers(1, 4), *[st.integers(0, 40)] * 2, *[st.integers(3, 24)] * 2)


@settings(max_examples=40, deadline=None)
@given(st.lists(rectangles, max_size=6), st.lists(rectangles, max_size=6))
def test_every_part_shows_its_own_pixels_or_some_right_beside_them(
    source_boxes: list[tuple[int, int, int, int, int]], target_boxes: list[tuple[int, int, int, int, int]]
) -> None:
    source, target = _boxes(*source_boxes), _boxes(*target_boxes)
    rows, columns = np.indices((SIDE, SIDE))
    photo = np.stack([columns * 4, rows * 4, 0 * rows], 2).astype(np.uint8)  # every pixel says where it is
    with mock.patch.object(module, "_mend"):
        warped = part_warp(photo, source, target)
    assert np.array_equal(warped.valid, np.isin(target, np.unique(source)))
    for part in np.unique(target[warped.valid]):
        way = cv2.distanceTransform((source != part).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        column, row = (warped.photo[(target == part) & warped.valid][:, axis] / 4 for axis in (0, 1))
        assert way[row.round().astype(int), column.round().astype(int)].max() <= SIDE / 64 + 1  # a pixel for rounding


def test_a_place_right_beside_the_part_stays_and_one_further_off_does_not() -> None:
    source, target = np.zeros((2, 192, 192), np.uint8)
    source[60:120, 60:120], target[60:120, 57:123] = 1, 1
    places = np.stack(np.meshgrid(np.arange(192.0), np.arange(192.0)), -1).astype(np.float32)
    target[60:120, 50:57] = 1
    valid, torn = module._snap(places, source, target)
    assert valid.all() and np.array_equal(np.unique(np.nonzero(torn)[1]), np.arange(50, 57))  # 192 / 64 is 3
    assert places[90, 57, 0] == 57 and places[90, 56, 0] == 60 and places[90, 122, 0] == 122


def test_the_scene_keeps_its_shape_where_the_photo_reaches() -> None:
    """A car that is twice as wide and as high as the other: what lies about it is scaled alike, feet on feet."""
    rows, columns = np.indices((SIDE, SIDE))
    photo = np.stack([columns * 4, rows * 4, 0 * rows], 2).astype(np.uint8)
    warped = part_warp(photo, _boxes((1, 30, 20, 10, 10)), _boxes((1, 20, 20, 20, 20))).photo
    left, above = 4 * (24.5 + (3 - 29.5) / 2), 4 * (39 + (5 - 39) / 2)
    assert np.abs(warped[5, 3, :2] - [left, above]).max() <= 2
    tall = part_warp(photo, _boxes((1, 45, 12, 10, 40)), _boxes((1, 20, 27, 40, 10))).photo  # the same area
    assert tall[40, 3, 0] - tall[40, 2, 0] == tall[41, 3, 1] - tall[40, 3, 1] == 4


def test_the_scene_is_shown_once_up_to_the_edges_of_the_photo() -> None:
    """A car that is half as wide and as high: the picture shows all of the photo, and nothing of it again."""
    rows, columns = np.indices((SIDE, SIDE))
    photo = np.stack([columns * 4, rows * 4, 0 * rows], 2).astype(np.uint8)
    warped = part_warp(photo, _boxes((1, 20, 20, 20, 20)), _boxes((1, 30, 20, 10, 10))).photo.astype(int)
    assert (np.diff(warped[5, :, 0]) >= 0).all() and (np.diff(warped[:, 5, 1]) >= 0).all()
    assert warped[5, [0, -1], 0].tolist() == warped[[0, -1], 5, 1].tolist() == [0, 4 * (SIDE - 1)]


def test_places_along_a_side_by_hand() -> None:
    """Twice as fast around 50: -50 and 150 at the ends are 0 and 100, and the car's 38 to 62 stay (26 to 74)."""
    with mock.patch.object(module, "_BESIDE", 2 / 101):
        found = module._along(101, 2.0, -50.0, 40, 60)
        np.testing.assert_allclose(found[[0, 19, 38, 45, 50, 62, 81, 100]], [0, 13, 26, 40, 50, 74, 87, 100])
        np.testing.assert_allclose(module._along(101, 0.5, 25.0, 40, 60), 25 + np.arange(101) / 2)


@given(st.floats(0.2, 5), st.floats(-150, 150), st.integers(0, 63), st.integers(0, 63))
def test_places_along_a_side_never_turn_back_nor_leave_the_photo(scale: float, shift: float, a: int, b: int) -> None:
    found = module._along(64, scale, shift, min(a, b), max(a, b))
    assert (np.diff(found) >= -1e-9).all() and found.min() >= 0 and found.max() <= 63


def test_the_teeth_of_a_comb_are_blurred() -> None:
    rows, columns = np.indices((SIDE, SIDE))
    disk = ((rows - 32) ** 2 + (columns - 32) ** 2 <= 20**2).astype(np.uint8)
    box = _boxes((1, 12, 12, 41, 41))
    photo = np.repeat(np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 1), dtype=np.uint8), 3, 2)
    corner, middle = np.s_[13:17, 13:17], np.s_[28:36, 28:36]
    warped = part_warp(photo, disk, box).photo
    assert warped[corner].std() < 0.5 * photo[middle].std()  # outside the disk: its nearest pixels, side by side
    assert np.array_equal(warped[middle], photo[middle])


def test_mending_takes_nothing_from_other_parts() -> None:
    rows, columns = np.indices((SIDE, SIDE))
    disk = ((rows - 32) ** 2 + (columns - 32) ** 2 <= 20**2).astype(np.uint8)
    photo = np.full((SIDE, SIDE, 3), 10, np.uint8)
    photo[disk == 1] = 200
    warped = part_warp(photo, disk, _boxes((1, 12, 12, 41, 41))).photo
    assert (warped[13:16, 13:16] > 150).all()  # a torn corner, all about it background of 10


def test_a_body_goes_with_the_parts_beside_it_however_its_pieces_hang_together() -> None:
    """A roof over a door; here it hangs together with what is behind the door, there it is a piece of its own."""
    photo = np.zeros((SIDE, SIDE, 3), np.uint8)
    photo[..., 0], photo[..., 1] = np.arange(SIDE) * 4, np.arange(SIDE)[:, None] * 4
    source = _boxes((2, 20, 14, 20, 40), (1, 26, 14, 14, 20))
    target = _boxes((2, 20, 22, 6, 20), (1, 26, 22, 14, 20), (2, 28, 44, 12, 18))
    moved = photo[20:26, 14:34].astype(int)
    warped = part_warp(photo, source, target, body=2)
    assert warped.valid.all() and np.abs(warped.photo[20:26, 22:42] - moved).max() <= 4  # one pixel
    assert np.abs(part_warp(photo, source, target).photo[20:26, 22:42] - moved).max() > 12


def test_the_nearest_pixel_of_a_part_is_that_of_the_whole_picture() -> None:
    part = np.random.default_rng(0).random((SIDE, SIDE)) < 0.01
    part[:20], part[:, 44:] = False, False  # looked for in a box that leaves these out
    asked = np.array([0, 30, 63, 21]), np.array([3, 62, 10, 21])
    found = module._nearest_of(part, *asked)
    assert part[found[:, 1].astype(int), found[:, 0].astype(int)].all()
    apart = np.argwhere(part)[:, None] - np.stack(asked, 1)
    least = np.linalg.norm(apart, axis=2).min(0)
    lengths = np.linalg.norm(found[:, ::-1] - np.stack(asked, 1), axis=1)
    assert (lengths <= least * 1.05).all()  # a chamfer distance is that exact


def test_what_is_mended_does_not_depend_on_what_lies_far_away() -> None:
    target, torn = _boxes((1, 20, 20, 24, 24)), np.zeros((SIDE, SIDE), np.bool_)
    torn[30:33, 30:33] = True
    photo, other = _photo(), _photo(1)
    other[15:50, 15:50] = photo[15:50, 15:50]
    module._mend(photo, torn, target)
    module._mend(other, torn, target)
    assert np.array_equal(photo[30:33, 30:33], other[30:33, 30:33])
    own = (target == 1).astype(np.float32)
    blurred = module._blur(_photo() * own[..., None], SIDE / 100) / module._blur(own, SIDE / 100)[..., None].clip(1e-6)
    assert np.array_equal(photo[torn], blurred[torn].round())


def test_the_layout_of_masks_in_memory_does_not_matter() -> None:
    source = _boxes((1, 10, 10, 30, 40), (2, 20, 15, 8, 8), (2, 20, 40, 8, 8))
    target = _boxes((1, 15, 8, 34, 50), (2, 30, 12, 9, 9), (2, 30, 44, 8, 11), (3, 16, 20, 5, 5))
    wanted = part_warp(_photo(), source, target)
    reversed_twice = [np.ascontiguousarray(mask[:, ::-1])[:, ::-1] for mask in (source, target)]
    for masks in ([np.asfortranarray(mask) for mask in (source, target)], reversed_twice):
        found = part_warp(_photo(), *masks)
        assert np.array_equal(found.photo, wanted.photo) and np.array_equal(found.valid, wanted.valid)
