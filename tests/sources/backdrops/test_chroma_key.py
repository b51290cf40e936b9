"""The key against mixtures of known shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augkit.core.parts import IGNORE
from augkit.data.silhouette import GREEN
from augkit.sources.backdrops.chroma_key import cut_out, screen_share

SCREEN = np.array(GREEN, np.float64)
SIDE = 48
CAR = np.s_[16:32, 16:32]


def on_green(colour: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A square car of one colour on the screen, and the mask of its upper half."""
    photo = np.full((SIDE, SIDE, 3), GREEN, np.uint8)
    photo[CAR] = colour
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[16:24, 16:32] = 1
    return photo, mask


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), st.floats(0, 1))
def test_the_share_of_a_mixture_is_found(red: int, green: int, blue: int, share: float) -> None:
    """Exactly, for any paint whose green is its red or blue at most where that is its largest channel."""
    paint = np.array([red, min(green, red), min(blue, red)])
    mixed = (1 - share) * paint + share * SCREEN
    expected = share if mixed[0] >= mixed[2] and paint[1] == paint[0] else None
    found = float(screen_share(mixed[None, None], SCREEN)[0, 0])
    if expected is not None:
        assert found == pytest.approx(expected, abs=1e-5)
    else:
        assert found <= share + 1e-5  # what is purple or red is taken for more of the car, never for less


@pytest.mark.parametrize("share", [0.2, 0.4, 0.45])
def test_an_outline_pixel_is_unmixed(share: float) -> None:
    photo, mask = on_green((120, 120, 120))
    mixed = (1 - share) * np.array([120, 120, 120]) + share * SCREEN
    photo[26, 32] = mixed.round()  # beside a row without a part
    cut = cut_out(photo, mask)
    assert cut.opacity[26, 32] == pytest.approx(1 - share, abs=0.01)
    np.testing.assert_allclose(cut.colour[26, 32], (1 - share) * 120, atol=1.5)
    scene = np.full_like(photo, (200, 10, 60))
    np.testing.assert_allclose(cut.over(scene)[26, 32], (1 - share) * 120 + share * scene[0, 0], atol=2)


def test_the_edge_falls_with_the_share_of_the_screen() -> None:
    photo, mask = on_green((90, 90, 90))
    for column, share in ((31, 0.1), (32, 0.4), (33, 0.8)):
        photo[24:32, column] = ((1 - share) * 90 + share * SCREEN).round()
    across = cut_out(photo, mask).opacity[28, 24:40]
    assert (np.diff(across) <= 1e-6).all() and across[0] == 1 and across[-1] == 0
    assert across[7:10] == pytest.approx([0.9, 0.6, 0.2], abs=0.01)


@given(st.integers(0, 2**32 - 1))
def test_pixels_of_parts_are_the_car_whatever_was_painted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    photo = rng.integers(0, 256, (32, 32, 3), np.uint8)
    mask = rng.choice(np.array([0, 3, IGNORE], np.uint8), (32, 32))
    cut = cut_out(photo, mask)
    assert (cut.opacity[mask == 3] == 1).all()
    assert cut.opacity.min() >= 0 and cut.opacity.max() <= 1 and (cut.colour >= 0).all() and (cut.colour <= 255).all()
    scenes = (np.zeros_like(photo), np.full_like(photo, 255))
    np.testing.assert_array_equal(*(cut.over(scene)[mask == 3] for scene in scenes))


def test_a_green_car_stays_whole_inside_its_outline() -> None:
    photo, mask = on_green((30, 110, 40))
    cut = cut_out(photo, mask)
    assert (cut.opacity[19:29, 19:29] == 1).all()
    np.testing.assert_array_equal(cut.colour[20:28, 20:28].round(), photo[20:28, 20:28])


def test_spill_on_a_part_is_taken_away() -> None:
    photo, mask = on_green((100, 100, 100))
    photo[16, 16:32] = (0.5 * 100 + 0.5 * SCREEN).round()
    np.testing.assert_allclose(cut_out(photo, mask).colour[16, 20], 100, atol=1.5)


def test_a_part_painted_as_screen_is_not_green() -> None:
    photo, mask = on_green((100, 100, 100))
    photo[16, 16:32] = GREEN
    assert np.ptp(cut_out(photo, mask).colour[16, 20]) < 1


def test_specks_and_holes_are_seen_through() -> None:
    photo, mask = on_green((100, 100, 100))
    photo[2:6, 2:6] = 0  # hangs together with no part
    photo[26:29, 20:23] = GREEN  # a reflection of the screen
    cut = cut_out(photo, mask)
    assert cut.opacity[:10, :10].max() == 0 and cut.over(np.zeros_like(photo))[:10, :10].max() == 0
    assert cut.opacity[27, 21] == 1


def test_a_screen_that_is_a_little_off_is_measured() -> None:
    photo, mask = on_green((100, 100, 100))
    photo[(photo == GREEN).all(2)] = (70, 230, 60)
    photo[28, 32] = (0.5 * 100 + 0.5 * np.array([70, 230, 60])).round()
    cut = cut_out(photo, mask)
    assert cut.opacity[28, 32] == pytest.approx(0.5, abs=0.01) and cut.opacity[0].max() == 0


@pytest.mark.parametrize("colour", [GREEN, (100, 100, 100)])
def test_pictures_of_one_colour(colour: tuple[int, int, int]) -> None:
    photo, empty = np.full((20, 20, 3), colour, np.uint8), np.zeros((20, 20), np.uint8)
    assert set(np.unique(cut_out(photo, empty).opacity)) == {0.0 if colour == GREEN else 1.0}
