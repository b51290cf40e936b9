from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from augkit.data.crop import Photo, canonical_window, cut
from augkit.data.near_duplicates import (
    MAX_DISTANCE,
    correlation,
    find_groups,
    hash_bits,
    near_pairs,
    perceptual_hash,
    thumb,
)
from augkit.sources.render.rendered_samples import even_counts, rendered_samples

CHANGES: dict[str, Callable[[Photo], Photo]] = {
    "compressed": lambda p: cv2.imdecode(cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 1),
    "smaller": lambda p: cv2.resize(p, (48, 48), interpolation=cv2.INTER_AREA),
    "darker": lambda p: (p * 0.7).astype(np.uint8),
    "brighter": lambda p: np.clip(p * 1.2, 0, 255).astype(np.uint8),
    "blurred": lambda p: cv2.GaussianBlur(p, (0, 0), 0.8),
    "grainy": lambda p: np.clip(p + np.random.default_rng(0).normal(0, 6, p.shape), 0, 255).astype(np.uint8),
}


@pytest.fixture(scope="module")
def photos() -> list[Photo]:
    """32 cars on plain ground, four of each class."""
    found = []
    for sample in rendered_samples(even_counts(32), 64, 0):
        assert isinstance(sample.photo, np.ndarray) and isinstance(sample.mask, np.ndarray)
        found.append(cut(sample.photo, sample.mask, canonical_window(sample.mask, 0.06), 64)[0])
    return found


def _groups(photos: list[Photo]) -> NDArray[np.int64]:
    hashes = [perceptual_hash(photo) for photo in photos]
    return find_groups(
        np.array([f"{n}" for n in range(len(photos))], "S64"),
        np.array([hash_bits(hash) for hash in hashes], np.uint64),
        np.array([bool(hash) for hash in hashes]),
        lambda place: thumb(photos[place]),
    )


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_and_other_cars_are_not(photos: list[Photo], change: str) -> None:
    groups = _groups([*photos, *(CHANGES[change](photo) for photo in photos)])
    assert (groups[:32] == groups[32:]).mean() >= 0.95
    assert len(set(groups[:32])) == 32  # nobody's neighbour, nor chained to it by a copy


def test_the_bits_are_those_of_imagehash() -> None:
    """A value of its phash 4.3.2, so that catalogues of all versions can be compared."""
    rows, columns = np.mgrid[:32, :32]
    grey = ((rows * columns * 7 + rows**2) % 251).astype(np.uint8)
    assert perceptual_hash(grey[..., None].repeat(3, 2)) == "8a01150c2b7f3f3fd75540597f626a68"


def test_the_second_half_is_the_hash_of_the_mirror_image(photos: list[Photo]) -> None:
    for photo in photos:
        mirrored = perceptual_hash(np.ascontiguousarray(photo[:, ::-1]))
        assert perceptual_hash(photo) == mirrored[16:] + mirrored[:16]


@pytest.mark.parametrize("shape", [(512, 512), (1024, 700), (1030, 1026), (513, 600)])
def test_a_large_photo_has_the_thumb_of_its_area_means(shape: tuple[int, int]) -> None:
    """Halving rounds, so a grey level may be another."""
    photo = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    small = cv2.cvtColor(cv2.resize(photo, (32, 32), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    assert np.abs(thumb(photo).astype(int) - small).max() <= 2


def test_photos_without_contrast_have_no_hash_and_stay_alone() -> None:
    flat = [np.full((64, 64, 3), value, np.uint8) for value in (0, 90, 91, 255)]
    assert [perceptual_hash(photo) for photo in flat] == [""] * 4
    assert len(set(_groups(flat).tolist())) == 4
    assert correlation(thumb(flat[0]), thumb(flat[1])) == 0.0


def both_ways(*hashes: int) -> NDArray[np.uint64]:
    """The hashes, each with one of a mirror image that is near none of them."""
    far = np.random.default_rng(9).integers(2**63, 2**64 - 1, len(hashes), np.uint64)
    return np.stack([np.array(hashes, np.uint64), far], axis=1)


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_in_the_mirror_is_found(photos: list[Photo], change: str) -> None:
    groups = _groups([*photos, *(np.ascontiguousarray(CHANGES[change](photo)[:, ::-1]) for photo in photos)])
    assert (groups[:32] == groups[32:]).mean() >= 0.95
    assert len(set(groups[:32])) == 32


@pytest.mark.parametrize("near", [0, 1])
def test_a_mirrored_copy_is_found_from_either_side(near: int) -> None:
    """The hash of one photo may be near that of the other's mirror image, and not the other way round."""
    picture = np.random.default_rng(0).integers(0, 255, (32, 32), np.uint8)
    pictures, hashes = [picture, picture[:, ::-1]], np.array([[1, 2**50], [2**30, 2**60]], np.uint64)
    hashes[1 - near, 1] = hashes[near, 0]
    groups = find_groups(np.array(["a", "b"], "S64"), hashes, np.ones(2, np.bool_), lambda place: pictures[place])
    assert groups[0] == groups[1]


def test_a_photo_is_no_mirrored_copy_of_itself() -> None:
    symmetric = np.random.default_rng(0).integers(0, 255, (2, 32, 16), np.uint8)
    pictures = np.concatenate([symmetric, symmetric[:, :, ::-1]], axis=2)
    hashes = np.array([[1, 1], [2**40, 2**40]], np.uint64)
    groups = find_groups(np.array(["a", "b"], "S64"), hashes, np.ones(2, np.bool_), lambda place: pictures[place])
    assert groups[0] != groups[1]


def test_a_near_hash_alone_makes_no_group() -> None:
    random = np.random.default_rng(0)
    pictures = random.integers(0, 255, (3, 32, 32), np.uint8)
    pictures[2] = pictures[0]
    sha256, known = np.array(["a", "b", "c"], "S64"), np.ones(3, np.bool_)
    hashes = both_ways(5, 4, 7)
    groups = find_groups(sha256, hashes, known, lambda place: pictures[place])
    assert groups[0] == groups[2] != groups[1]
    groups = find_groups(sha256, both_ways(5, 5, 5), known, lambda place: pictures[place])
    assert groups[0] == groups[2] != groups[1]
    nobody = find_groups(sha256, hashes, np.zeros(3, np.bool_), lambda place: pictures[place])
    assert len(set(nobody.tolist())) == 3


def test_one_photo_is_one_group_without_a_look() -> None:
    def look(place: int) -> NDArray[np.uint8]:
        raise AssertionError(place)

    sha256 = np.array(["a", "b", "a", "a"], "S64")
    groups = find_groups(sha256, both_ways(1, 2**40, 1, 1), np.array([1, 0, 1, 1], np.bool_), look)
    assert groups[0] == groups[2] == groups[3] != groups[1]


@given(st.integers(0, 2**32 - 1), st.integers(0, 120), st.integers(0, MAX_DISTANCE), st.booleans())
def test_near_pairs_are_all_and_only_those(seed: int, count: int, distance: int, sliced: bool) -> None:
    random = np.random.default_rng(seed)
    hashes = random.integers(0, 2**63, max(1, count // 8), np.uint64)
    bits, flipped = random.integers(0, 64, (count, 6), np.uint64), random.integers(0, 2, (count, 6), np.uint64)
    flips = np.bitwise_xor.reduce(flipped << bits, axis=1)
    hashes = np.unique(random.choice(hashes, count) ^ flips).astype(np.uint64)
    table = np.bitwise_count(hashes[:, None] ^ hashes[None]) <= distance
    with pytest.MonkeyPatch.context() as patch:
        if sliced:  # as where they are too many to be compared each with each
            patch.setattr("augkit.data.near_duplicates._BLOCK", 16)
        found = near_pairs(hashes, distance)
    np.testing.assert_array_equal(found, np.argwhere(np.triu(table, 1)))


def test_large_buckets_are_compared_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("augkit.data.near_duplicates._BLOCK", 64)
    hashes = np.arange(100, dtype=np.uint64)
    table = np.bitwise_count(hashes[:, None] ^ hashes[None]) <= 2
    assert (near_pairs(hashes, 2) == np.argwhere(np.triu(table, 1))).all()
