import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augkit.classes import ALL_CLASSES, CarClass
from augkit.data.augment import PRESETS, Augmentation
from augkit.errors import ConfigError
from augkit.parts import IGNORE, PartSchema

SCHEMA = PartSchema.from_names(["hood", "left_mirror", "right_mirror"])
FRONT_LEFT = CarClass("A", "5")


def pair(seed: int = 0, size: int = 24) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    mask = np.zeros((size, size), np.uint8)
    mask[4:12, 4:12], mask[14:20, 2:8], mask[0, :] = 1, 2, IGNORE
    return rng.integers(0, 255, (size, size, 3), np.uint8), mask


@pytest.mark.parametrize("preset", sorted(PRESETS))
@given(seed=st.integers(0, 2**63 - 1), car_class=st.sampled_from(ALL_CLASSES))
def test_masks_hold_exact_ids_and_seeds_repeat(preset: str, seed: int, car_class: CarClass) -> None:
    augment = Augmentation(preset, SCHEMA)
    photo, mask = pair()
    first, again = (augment(photo, mask, car_class, seed) for _ in range(2))
    assert set(np.unique(first[1]).tolist()) <= {0, 1, 2, 3, IGNORE}
    assert first[0].shape == photo.shape and first[0].dtype == np.uint8
    for a, b in zip(first[:2], again[:2], strict=True):
        np.testing.assert_array_equal(a, b)
    assert first[2] in (car_class, car_class.mirror)
    parts = set(np.unique(first[1]).tolist()) & {2, 3}
    assert parts <= ({2} if first[2] == car_class else {3})  # the left mirror shows on its own side only


def test_a_flip_mirrors_photo_mask_parts_and_class() -> None:
    augment = Augmentation("flip", SCHEMA)
    photo, mask = pair()
    moved, labels, car_class = augment(photo, mask, FRONT_LEFT, seed=1)
    np.testing.assert_array_equal(moved, photo[:, ::-1])
    np.testing.assert_array_equal(labels, SCHEMA.flip(mask))
    assert car_class == CarClass("D", "5")
    kept, _, same = augment(photo, mask, FRONT_LEFT, seed=2)
    np.testing.assert_array_equal(kept, photo)
    assert same == FRONT_LEFT


def test_photo_and_mask_move_together() -> None:
    photo, mask = pair()
    marked = np.where(mask[..., None] == 1, np.uint8(250), np.uint8(0)).repeat(3, 2)
    for seed in range(0, 40, 2):
        moved, labels, _ = Augmentation("mild", SCHEMA)(marked, mask, FRONT_LEFT, seed)
        bright, part = moved[..., 0] > 125, labels == 1
        assert (bright & part).sum() / (bright | part).sum() > 0.8
    assert photo.shape == marked.shape


def test_none_leaves_the_pair_as_it_is() -> None:
    photo, mask = pair()
    moved, labels, car_class = Augmentation("none", SCHEMA)(photo, mask, FRONT_LEFT, seed=1)
    np.testing.assert_array_equal(moved, photo)
    np.testing.assert_array_equal(labels, mask)
    assert car_class == FRONT_LEFT


def test_an_unknown_preset_lists_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"none, flip, mild, strong"):
        Augmentation("wild", SCHEMA)
