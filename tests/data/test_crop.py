from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from augkit.core.errors import DataError
from augkit.core.parts import IGNORE
from augkit.data.crop import Window, canonical_window, cut, cut_mask, cut_photo, resize_mask, resize_photo


def _mask(width: int, height: int, box: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    left, top, right, bottom = box
    mask[top:bottom, left:right] = 3
    return mask


def test_the_window_is_the_box_with_its_margin() -> None:
    assert canonical_window(_mask(100, 100, (40, 45, 60, 55)), 0.25) == Window(35, 35, 30)


def test_the_window_is_moved_into_the_photo_where_it_fits() -> None:
    assert canonical_window(_mask(100, 100, (0, 70, 20, 90)), 0.25) == Window(0, 65, 30)
    assert canonical_window(_mask(100, 100, (80, 85, 100, 100)), 0.25) == Window(70, 70, 30)


def test_the_window_covers_a_photo_that_is_shorter() -> None:
    window = canonical_window(_mask(100, 40, (10, 0, 90, 40)), 0.0)
    assert (window.x, window.side) == (10, 80)
    assert window.y <= 0 and window.y + window.side >= 40


def test_ignored_pixels_are_no_part() -> None:
    mask = _mask(50, 50, (20, 20, 30, 30))
    mask[0] = IGNORE
    assert canonical_window(mask, 0.0) == Window(20, 20, 10)


@pytest.mark.parametrize("value", [0, IGNORE])
def test_a_mask_without_parts_has_no_window(value: int) -> None:
    with pytest.raises(DataError, match="no part"):
        canonical_window(np.full((8, 8), value, np.uint8), 0.1)


def test_what_lies_outside_the_photo_is_ignored_and_repeats_the_border() -> None:
    photo = np.full((20, 40, 3), 90, np.uint8)
    photo[-1] = 200
    mask = np.ones((20, 40), np.uint8)
    out, labels = cut(photo, mask, Window(0, 0, 40), 40)
    assert (labels[:20] == 1).all() and (labels[20:] == IGNORE).all()
    assert (out[19:] == 200).all() and (out[:19] == 90).all()


def test_an_even_photo_stays_even_at_any_size() -> None:
    photo = np.full((30, 30, 3), 77, np.uint8)
    for size in (16, 30, 48):
        out, labels = cut(photo, np.ones((30, 30), np.uint8), Window(0, 0, 30), size)
        assert out.shape == (size, size, 3) and (out == 77).all() and (labels == 1).all()


def _distance(photo: np.ndarray, other: np.ndarray) -> float:
    return float(np.square(photo.astype(float) - other).mean())


def _lanczos(photo: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(photo).resize((64, 64), Image.Resampling.LANCZOS))


def _means(photo: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.resize(photo, (64, 64), interpolation=cv2.INTER_AREA))


def _blurred_noise(side: int) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.2 if side < 128 else 1.5)


@pytest.mark.parametrize("side", [70, 100, 120, 130, 144, 150])
def test_a_photo_shrunk_a_little_is_nearer_to_lanczos_than_area_means_are(side: int) -> None:
    photo = _blurred_noise(side)
    ideal = _lanczos(photo)
    assert _distance(resize_photo(photo, 64), ideal) < 0.7 * _distance(_means(photo), ideal)


@pytest.mark.parametrize("side", [130, 144, 150, 176, 200, 225, 250])
def test_a_photo_keeps_more_of_its_contrast_than_in_area_means(side: int) -> None:
    photo = _blurred_noise(side)
    least, most = _means(photo).std(), _lanczos(photo).std()
    assert 0.75 * least + 0.25 * most < resize_photo(photo, 64).std() < most


@pytest.mark.parametrize("side", [128, 192, 256, 300])
def test_a_photo_shrunk_by_a_whole_number_or_very_much_is_made_of_area_means(side: int) -> None:
    photo = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
    assert (resize_photo(photo, 64) == _means(photo)).all()


def test_a_cut_photo_is_whole_memory_and_a_cut_mask_may_be_the_source_s_own() -> None:
    photo, mask = np.zeros((30, 40, 3), np.uint8), np.zeros((30, 40), np.uint8)
    window = Window(5, 5, 20)
    assert cut_photo(photo, window, 20).flags.c_contiguous
    assert np.shares_memory(cut_mask(mask, window), mask)
    assert not np.shares_memory(cut(photo, mask, window, 20)[1], mask)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 48), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_any_cut_has_the_size_asked_for_and_only_ids_of_the_source(
    width: int, height: int, size: int, seed: int, margin: float
) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.choice(np.array([0, 2, 7, 255], np.uint8), (height, width))
    mask[rng.integers(height), rng.integers(width)] = 9
    window = canonical_window(mask, margin)
    shown = np.argwhere((mask != 0) & (mask != 255))
    assert window.x <= shown[:, 1].min() and shown[:, 1].max() < window.x + window.side
    assert window.y <= shown[:, 0].min() and shown[:, 0].max() < window.y + window.side
    photo, labels = cut(rng.integers(0, 255, (height, width, 3), np.uint8), mask, window, size)
    assert photo.shape == (size, size, 3) and labels.shape == (size, size)
    assert photo.dtype == labels.dtype == np.uint8
    assert set(np.unique(labels)) <= set(np.unique(mask)) | {255}


def test_a_pixel_takes_the_id_that_covers_most_of_it() -> None:
    mask = np.array([[1, 1, 2, 2], [1, 2, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]], np.uint8)
    assert resize_mask(mask, 2).tolist() == [[1, 2], [3, 4]]


def test_a_tie_goes_to_the_smaller_part() -> None:
    mask = np.array([[1, 2, 1, 1], [1, 2, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]], np.uint8)
    assert resize_mask(mask, 2).tolist() == [[2, 1], [1, 1]]


@given(st.integers(1, 6), st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_a_mask_enlarged_by_a_whole_factor_comes_back(size: int, factor: int, seed: int) -> None:
    mask = np.random.default_rng(seed).integers(0, 4, (size, size), np.uint8)
    assert (resize_mask(np.kron(mask, np.ones((factor, factor), np.uint8)), size) == mask).all()


def _overlap(side: int, size: int) -> np.ndarray:
    """(size, side) how much of each source pixel an output pixel takes on one axis, by the definition."""
    table = np.zeros((size, side), object)
    for j in range(size):
        if side > size:
            for i in range(side):  # in units of 1 / size of a source pixel
                table[j, i] = max(0, min((i + 1) * size, (j + 1) * side) - max(i * size, j * side))
        else:
            centre = min(max((2 * j + 1) * side - size, 0), (side - 1) * 2 * size)  # in 1 / (2 size), from pixel 0's
            for i in range(side):
                table[j, i] = max(0, 2 * size - abs(centre - i * 2 * size))
    return table


@given(st.integers(1, 14), st.integers(1, 14), st.integers(0, 2**32 - 1))
def test_the_vote_is_exact(side: int, size: int, seed: int) -> None:
    mask = np.random.default_rng(seed).choice(np.array([0, 3, 4, 255], np.uint8), (side, side), p=[0.4, 0.3, 0.2, 0.1])
    table = _overlap(side, size)
    areas = np.bincount(mask.ravel(), minlength=256)
    order = sorted(np.unique(mask).tolist(), key=lambda id: (areas[id], id))
    shares = np.stack([table @ (mask == id).astype(object) @ table.T for id in order])
    assert (resize_mask(mask, size) == np.array(order, np.uint8)[shares.astype(float).argmax(axis=0)]).all()


def test_a_vote_of_many_pixels_is_counted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = np.random.default_rng(0).integers(0, 5, (50, 50), np.uint8)
    whole = resize_mask(mask, 31)
    monkeypatch.setattr("augkit.data.crop._VOTES", 100)
    assert (resize_mask(mask, 31) == whole).all()
