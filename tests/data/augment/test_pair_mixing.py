"""Two pairs in one picture: every pixel comes from one of them, and so does its label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError, SchemaError
from augkit.core.parts import IGNORE, PartSchema
from augkit.core.presets import MIXING_STEPS, Recipe, load_recipe
from augkit.data.augment import Augmentation
from augkit.data.augment.pair_mixing import placed, swapped
from augkit.data.augment.steps import AugmentState
from augkit.data.pair import Pair
from augkit.settings import load_settings

SCHEMA = PartSchema.from_names(["hood", "left_mirror", "right_mirror"])
FRONT_LEFT = CarClass("A", "5")
ALWAYS: dict[str, dict[str, object]] = {"CutMix": {"p": 1}, "CopyPaste": {"p": 1}, "PartSwap": {"p": 1}}


def augmentation(*steps: tuple[str, dict[str, object]]) -> Augmentation:
    return Augmentation(Recipe("mine", Path(), steps), SCHEMA)


def pair(blue: int, car_class: CarClass = FRONT_LEFT, shift: int = 0) -> Pair:
    """A photo that says in green what its mask says, and in blue which pair it is of."""
    mask = np.zeros((32, 32), np.uint8)
    mask[4 + shift : 16 + shift, 4:16], mask[20:26, 2:10], mask[0, :] = 1, 2, IGNORE
    photo = np.stack([np.zeros_like(mask), 90 * (mask % IGNORE), np.full_like(mask, blue)], axis=-1)
    return Pair(photo, mask, car_class)


OWN, OTHER = pair(50), pair(200, shift=3)


def other(seed: int, like: CarClass | None) -> Pair:
    del seed, like
    return OTHER


@pytest.mark.parametrize("name", MIXING_STEPS)
def test_labels_go_with_their_pixels(name: str) -> None:
    augment, taken = augmentation((name, ALWAYS[name])), 0
    for seed in range(20):
        mixed = augment(OWN, seed, partner=other)
        assert mixed.car_class == OWN.car_class and mixed.mask.dtype == mixed.photo.dtype == np.uint8
        inside = mixed.mask != IGNORE
        foreign = mixed.photo[..., 2] == 200
        clear = inside & np.isin(mixed.photo[..., 1], (0, 90, 180))  # scaled photos are blurred at outlines
        assert (mixed.photo[clear][:, 1] == 90 * mixed.mask[clear]).all()
        assert (mixed.mask[~foreign] == OWN.mask[~foreign]).all() and clear.mean() > 0.85
        np.testing.assert_array_equal(augment(OWN, seed, partner=other).photo, mixed.photo)
        taken += int(foreign.any())
    assert taken >= 18
    np.testing.assert_array_equal(OWN.mask, pair(50).mask)


def test_the_area_of_a_rectangle() -> None:
    augment = augmentation(("CutMix", {"p": 1, "area": [0.25, 0.25]}))
    shares = [(augment(OWN, seed, partner=other).photo[..., 2] == 200).mean() for seed in range(10)]
    assert all(0.2 < share < 0.3 for share in shares)
    never = augmentation(("CutMix", {"p": 0}))
    assert (never(OWN, 0, partner=other).photo == OWN.photo).all()


def test_one_part_or_all_of_them() -> None:
    one, whole = (augmentation(("CopyPaste", {"p": 1, "whole": w, "shift": 0, "scale": [1, 1]})) for w in (0, 1))
    for seed in range(5):
        taken = [augment(OWN, seed, partner=other).photo[..., 2] == 200 for augment in (one, whole)]
        assert len(np.unique(OTHER.mask[taken[0]])) == 1 and set(np.unique(OTHER.mask[taken[1]])) == {1, 2}


def test_a_part_is_fitted_into_the_place_of_its_own() -> None:
    small = Pair(np.full((32, 32, 3), 200, np.uint8), np.zeros((32, 32), np.uint8), FRONT_LEFT)
    small.mask[20:26, 20:26] = 1
    mixed = swapped(AugmentState(OWN, None), small, 1).pair
    np.testing.assert_array_equal(mixed.mask, OWN.mask)  # a square in a square's place
    np.testing.assert_array_equal(mixed.photo[..., 2] == 200, OWN.mask == 1)
    assert (placed(OWN, (32, 32), 1, 1, np.zeros(2)).photo == OWN.photo).all()


def test_parts_are_swapped_with_cars_seen_from_the_same_side_alone() -> None:
    augment = augmentation(("PartSwap", {"p": 1}))
    mirrored = augment(OWN, 0, partner=lambda seed, like: OTHER.flip(SCHEMA))
    np.testing.assert_array_equal(mirrored.photo, augment(OWN, 0, partner=other).photo)
    behind = augment(OWN, 0, partner=lambda seed, like: pair(200, CarClass("B", "5")))
    np.testing.assert_array_equal(behind.photo, OWN.photo)


def test_the_other_pair_takes_the_steps_before() -> None:
    always = ("Flip", {"p": 1})
    augment = augmentation(always, ("CutMix", {"p": 1, "area": [1, 1]}), ("CutMix", {"p": 0}))
    np.testing.assert_array_equal(augment(OWN, 0, partner=other).mask, OTHER.flip(SCHEMA).mask)
    augment = augmentation(("CutMix", {"p": 1, "area": [1, 1]}), always)
    assert augment(OWN, 0, partner=other).car_class == FRONT_LEFT.mirror


def test_presets_are_joined(tmp_path: Path) -> None:
    joined = load_recipe("strong+cutmix")
    assert joined.steps == load_recipe("strong").steps + load_recipe("cutmix").steps and joined.mixes_pairs
    assert (
        load_settings(None, ["segmenter.augment=torchvision:mild+part-swap"]).segmenter.augment[-14:]
        == "mild+part-swap"
    )
    (tmp_path / "mine.yaml").write_text("- Flip\n- Background: {folder: land}\n")
    own = load_recipe(f"{tmp_path}/mine.yaml+none")
    assert own.steps[1] == ("Background", {"folder": str(tmp_path / "land")})


def test_refusals(tmp_path: Path) -> None:
    for name in MIXING_STEPS:
        with pytest.raises(ConfigError, match=r"without another pair(.|\n)*training of a segmenter"):
            augmentation((name, ALWAYS[name]))(OWN, 0)
    with pytest.raises(ConfigError, match="only segmenters may use them"):
        load_settings(None, ["image.augment=cutmix"])
    with pytest.raises(ConfigError, match="no augmentation preset at stronk"):
        load_recipe("mild+stronk")
    with pytest.raises(ConfigError, match="is no range"):
        augmentation(("CutMix", {"area": [0.5, 0.1]}))
    with pytest.raises(ConfigError, match="other backgrounds and pixels of other pairs"):
        (tmp_path / "scene.png").write_bytes(b"")
        augmentation(("Background", {"folder": str(tmp_path)}), ("CutMix", {}))
    with pytest.raises(SchemaError, match="PartSwap"):
        Augmentation("part-swap", PartSchema.from_names(["left_mirror"]))
