from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.errors import ConfigError, RegistryError, SchemaError
from augkit.core.part_names import PartOverride
from augkit.core.parts import BACKGROUND, IGNORE, Part, PartSchema
from augkit.core.presets import Recipe, augment_presets, load_recipe
from augkit.data.augment import Augmentation
from augkit.data.pair import Pair
from augkit.settings import load_settings
from tests.spellings import PARTS, SPELLINGS, Spelling

SCHEMA = PartSchema.from_names(["hood", "left_mirror", "right_mirror"])
FRONT_LEFT = CarClass("A", "5")
PRESETS = [name for name in augment_presets() if name != "background" and not load_recipe(name).mixes_pairs]
ON_TORCHVISION = [f"torchvision:{name}" for name in PRESETS if name not in {"photometric", "rendered"}]
TORCHVISION: dict[str, dict[str, object]] = {
    "Affine": {"rotate": [-20, 20], "scale": [0.8, 1.2], "shear": [-5, 5], "translate_percent": [-0.1, 0.1]},
    "Rotate": {"limit": [-30, 30]},
    "Perspective": {},
    "ElasticTransform": {"alpha": 20, "sigma": 4},
    "GridDistortion": {},
}
TORCHVISION_COLOURS = ("ColorJitter", "RandomGamma", "GaussNoise", "GaussianBlur")
GEOMETRIC: dict[str, dict[str, object]] = {
    "Affine": {"rotate": [-20, 20], "scale": [0.8, 1.2]},
    "Rotate": {},
    "SafeRotate": {"limit": 20},
    "Perspective": {},
    "ElasticTransform": {"alpha": 20, "sigma": 4},
    "GridDistortion": {},
    "OpticalDistortion": {},
    "ThinPlateSpline": {},
    "CropAndPad": {"percent": [-0.1, -0.1]},
    "RandomRotate90": {},
}
OCCLUDING: dict[str, dict[str, object]] = {
    "CoarseDropout": {"fill_mask": 255},
    "GridDropout": {},
    "XYMasking": {"num_masks_x": 1, "num_masks_y": 1, "mask_x_length": 5, "mask_y_length": 5},
    "RandomGridShuffle": {},
    "MaskDropout": {},
}
PHOTOMETRIC = (
    "ColorJitter",
    "RandomGamma",
    "GaussNoise",
    "MotionBlur",
    "CLAHE",
    "RandomShadow",
    "ToGray",
    "MedianBlur",
)


def recipe(*steps: tuple[str, dict[str, object]], backend: str = "albumentations") -> Recipe:
    return Recipe("mine", Path(), steps, backend)


def pair(car_class: CarClass = FRONT_LEFT, size: int = 32) -> Pair:
    mask = np.zeros((size, size), np.uint8)
    mask[4:16, 4:16], mask[18:26, 2:10], mask[0, :] = 1, 2, IGNORE
    return Pair(np.random.default_rng(0).integers(0, 255, (size, size, 3), np.uint8), mask, car_class)


def painted(mask: np.ndarray) -> np.ndarray:
    """A photo that says what its mask says."""
    return np.array([0, 90, 180], np.uint8)[np.where(mask == IGNORE, 0, mask)][..., None].repeat(3, 2)


AUGMENTATIONS = {name: Augmentation(name, SCHEMA) for name in [*PRESETS, *ON_TORCHVISION]}
AUGMENTATIONS |= {
    f"torchvision:{name}": Augmentation(
        recipe((name, {**TORCHVISION.get(name, {}), "p": 1}), backend="torchvision"), SCHEMA
    )
    for name in (*TORCHVISION, *TORCHVISION_COLOURS)
}
MOVING = [*GEOMETRIC, *(f"torchvision:{name}" for name in (*TORCHVISION, "geometric", "mild")), "geometric", "mild"]
COLOURING = [*PHOTOMETRIC, *(f"torchvision:{name}" for name in TORCHVISION_COLOURS), "photometric"]
AUGMENTATIONS |= {
    name: Augmentation(recipe((name, {**arguments, "p": 1})), SCHEMA)
    for name, arguments in {**GEOMETRIC, **OCCLUDING, **{name: {} for name in PHOTOMETRIC}}.items()
}


@pytest.mark.parametrize("name", AUGMENTATIONS)
@settings(max_examples=25)
@given(seed=st.integers(0, 2**63 - 1), car_class=st.sampled_from(ALL_CLASSES))
def test_masks_hold_exact_ids_and_seeds_repeat(name: str, seed: int, car_class: CarClass) -> None:
    augment = AUGMENTATIONS[name]
    given = pair(car_class)
    first, again = (augment(given, seed) for _ in range(2))
    np.testing.assert_array_equal(first.photo, again.photo)
    np.testing.assert_array_equal(first.mask, again.mask)
    assert (first.photo.shape, first.photo.dtype) == (given.photo.shape, np.uint8)
    assert (first.mask.shape, first.mask.dtype) == (given.mask.shape, np.uint8)
    before = given.flip(SCHEMA) if augment.mirrors(seed) else given  # the left mirror shows on its own side only
    assert first.car_class == before.car_class
    assert set(np.unique(first.mask).tolist()) <= {*np.unique(before.mask).tolist(), BACKGROUND, IGNORE}
    np.testing.assert_array_equal(pair().photo, given.photo)  # the given arrays stay as they are
    np.testing.assert_array_equal(pair().mask, given.mask)


@pytest.mark.parametrize("name", [name for name in MOVING if name != "RandomRotate90"])
def test_nothing_is_filled_in(name: str) -> None:
    plain = Pair(np.full((32, 32, 3), 200, np.uint8), np.full((32, 32), 1, np.uint8), FRONT_LEFT)
    for seed in range(8):
        moved = AUGMENTATIONS[name](plain, seed)
        assert (moved.mask == 1).all() and (moved.photo == 200).all()


@pytest.mark.parametrize("name", MOVING)
def test_photo_and_mask_move_by_the_same_map(name: str) -> None:
    mask = np.kron(pair().mask, np.ones((3, 3), np.uint8))
    changed = False
    for seed in range(6):
        moved = AUGMENTATIONS[name](Pair(painted(mask), mask, FRONT_LEFT), seed)
        read = np.abs(moved.photo[..., :1].astype(int) - [0, 90, 180]).argmin(2)
        truth = np.where(moved.mask == IGNORE, 0, np.where(moved.mask == 3, 2, moved.mask))
        assert (read == truth).mean() > 0.96  # pixels of an edge are mixed
        changed |= bool((moved.mask != mask).any())
    assert changed


@pytest.mark.parametrize("name", COLOURING)
def test_photometric_transforms_leave_the_mask_bit_for_bit(name: str) -> None:
    results = [AUGMENTATIONS[name](pair(), seed) for seed in range(20)]
    assert all((moved.mask == pair().mask).all() and moved.car_class == FRONT_LEFT for moved in results)
    assert any((moved.photo != pair().photo).any() for moved in results)


def test_a_flip_mirrors_photo_mask_parts_and_class() -> None:
    augment = Augmentation("flip", SCHEMA)
    flips = [augment.mirrors(seed) for seed in range(400)]
    assert 160 < sum(flips) < 240
    moved = augment(pair(), flips.index(True))
    np.testing.assert_array_equal(moved.photo, pair().photo[:, ::-1])
    np.testing.assert_array_equal(moved.mask, SCHEMA.flip(pair().mask))
    assert moved.car_class == CarClass("D", "5")
    kept = augment(pair(), flips.index(False))
    np.testing.assert_array_equal(kept.photo, pair().photo)
    assert kept.car_class == FRONT_LEFT


@given(SPELLINGS, st.integers(0, 99))
def test_flips_agree_on_every_spelling_of_the_parts(spelling: Spelling, seed: int) -> None:
    """No pixel of a part with a side has another label than under the canonical names."""
    rng = np.random.default_rng(seed)
    mask = rng.integers(0, len(PARTS) + 1, (6, 6), np.uint8)
    photo = rng.integers(0, 256, (6, 6, 3), np.uint8)
    schemas = [PartSchema.from_names(names) for names in (PARTS, [spelling(name) for name in PARTS])]
    canonical, own = (Augmentation("flip", schema)(Pair(photo, mask, FRONT_LEFT), seed) for schema in schemas)
    np.testing.assert_array_equal(own.mask, canonical.mask)
    assert own.car_class == canonical.car_class


@pytest.mark.parametrize("preset", ["flip", "mild", "strong", recipe(("Flip", {}))])
def test_a_flip_refuses_a_side_without_its_counterpart(preset: str | Recipe) -> None:
    schema = PartSchema.from_names(["hood", "left_mirror"])
    with pytest.raises(SchemaError, match=r"left_mirror \(no right_mirror\)(.|\n)*--parts") as error:
        Augmentation(preset, schema)
    assert "left_mirror: {mirror: left_mirror}" in error.value.remedy


def test_a_flip_takes_a_person_s_word_for_it() -> None:
    told = PartSchema((Part(1, "left_mirror", (1, 1, 1), PartOverride(mirror="left_mirror")),))
    mask = np.array([[1, 0]], np.uint8)
    flip = Augmentation(recipe(("Flip", {"p": 1.0})), told)
    assert flip(Pair(mask[..., None].repeat(3, 2), mask, FRONT_LEFT), 0).mask.tolist() == [[0, 1]]
    Augmentation(recipe(("Flip", {"p": 0.0})), PartSchema.from_names(["left_mirror"]))  # never flips


@pytest.mark.parametrize(("p", "share"), [(0.0, 0.0), (1.0, 1.0)])
def test_a_flips_probability(p: float, share: float) -> None:
    augment = Augmentation(recipe(("Flip", {"p": p})), SCHEMA)
    assert np.mean([augment.mirrors(seed) for seed in range(20)]) == share


def test_transforms_draw_on_their_own() -> None:
    """With one seed for each, two transforms of p 0.5 would act together or not at all."""
    steps = recipe(("InvertImg", {"p": 0.5}), ("Rotate", {"limit": [90, 90], "p": 0.5}))
    augment = Augmentation(steps, SCHEMA)
    given, seen = pair(), set()
    for seed in range(40):
        moved = augment(given, seed)
        inverted = (moved.photo.mean() > 128) != (given.photo.mean() > 128)
        seen.add((bool(inverted), bool((moved.mask != given.mask).any())))
    assert len(seen) == 4


def test_none_leaves_the_pair_as_it_is() -> None:
    kept = Augmentation("none", SCHEMA)(pair(), seed=1)
    np.testing.assert_array_equal(kept.photo, pair().photo)
    np.testing.assert_array_equal(kept.mask, pair().mask)
    assert kept.car_class == FRONT_LEFT


@pytest.mark.parametrize("name", [*PRESETS, *ON_TORCHVISION])
def test_an_augmentation_travels_to_other_processes(name: str) -> None:
    there: Augmentation = pickle.loads(pickle.dumps(AUGMENTATIONS[name]))
    np.testing.assert_array_equal(AUGMENTATIONS[name](pair(), 5).photo, there(pair(), 5).photo)


def test_coarse_labels_round_corners_and_lose_thin_parts() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 16:48], mask[2, :], mask[60:] = 1, 2, 255
    photo = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    fine = Pair(photo, mask, FRONT_LEFT)
    item = Augmentation(recipe(("LabelCoarsen", {"side": 16, "p": 1})), SCHEMA)(fine, 1)
    assert np.array_equal(item.photo, photo)
    coarse = item.mask
    assert not (coarse == 2).any() and (coarse[24:40, 24:40] == 1).all() and (coarse[62:] == 255).all()
    assert coarse[16, 16] == 0 and coarse[16, 32] == 1  # a corner is cut, an edge stays
    never = Augmentation(recipe(("LabelCoarsen", {"side": 16, "p": 0})), SCHEMA)(fine, 1)
    assert np.array_equal(never.mask, mask)


def test_a_label_warp_moves_the_mask_alone() -> None:
    moved = Augmentation(recipe(("LabelWarp", {"alpha": 60, "sigma": 4, "p": 1})), SCHEMA)(pair(), 3)
    np.testing.assert_array_equal(moved.photo, pair().photo)
    assert (moved.mask != pair().mask).mean() > 0.02


@pytest.mark.parametrize(
    ("step", "texts"),
    [
        (("Afine", {}), ["no such transform", "did you mean", "Affine"]),
        (("MixUp", {}), ["no such transform"]),
        (("Compose", {}), ["no such transform"]),
        (("Affine", {"rotatee": 3}), ["rotatee", "rotate"]),
        (("Affine", {"scale": "large"}), ["scale"]),
        (("Flip", {"p": 2}), ["p: ", "got 2"]),
        (("Flip", {"q": 1}), ["q: ", "arguments among p"]),
        (("LabelWarp", {"alpha": -1}), ["alpha"]),
        (("HorizontalFlip", {}), ["left and right", "use Flip"]),
        (("D4", {}), ["left and right"]),
        (("Affine", {"mask_interpolation": 1}), ["mixes part ids", "nearest"]),
        (("Affine", {"border_mode": 0, "fill_mask": 3}), ["fill_mask", "draws a part"]),
        (("PixelDropout", {"mask_drop_value": 2}), ["mask_drop_value", "draws a part"]),
        (("Normalize", {}), ["float32", "uint8"]),
        (("ToFloat", {}), ["float32"]),
        (("RandomCrop", {"height": 20, "width": 20}), ["(20, 20, 3)", "Affine with scale"]),
        (("Resize", {"height": 20, "width": 20}), ["(20, 20, 3)"]),
        (("Mosaic", {}), ["mosaic_metadata"]),
        (("FDA", {}), ["fda_metadata"]),
        (("GridElasticDeform", {"num_grid_xy": [3, 3], "magnitude": 3}), ["dark wedges", "use ElasticTransform"]),
        (("Morphological", {}), ["order of their ids"]),
        (("OneOf", {"transforms": [{"Normalize": {}}]}), ["Normalize", "float32"]),
        (("OneOf", {"transforms": ["Flip"]}), ["Flip inside another step"]),
        (("OneOf", {}), ["a list of transforms"]),
    ],
)
def test_what_could_spoil_a_pair_is_refused_when_it_is_read(
    step: tuple[str, dict[str, object]], texts: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        Augmentation(recipe(step), SCHEMA)
    assert caught.value.expected and caught.value.remedy
    assert all(text in str(caught.value) for text in ["mine: ", *texts]), str(caught.value)


@pytest.mark.parametrize(
    ("step", "texts"),
    [
        (("CLAHE", {}), ["torchvision backend has no such transform", "Affine"]),
        (("Afine", {}), ["did you mean Affine?"]),
        (("Affine", {"rotate": 3}), ["rotate", "got 3"]),
        (("OneOf", {"transforms": ["Flip"]}), ["Flip inside another step"]),
        (("OneOf", {"transforms": [{"Affine": {"p": 0}}]}), ["p above 0"]),
    ],
)
def test_what_torchvision_does_not_do_is_refused(step: tuple[str, dict[str, object]], texts: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        Augmentation(recipe(step, backend="torchvision"), SCHEMA)
    assert caught.value.expected and caught.value.remedy
    assert all(text in str(caught.value) for text in ["mine: ", *texts]), str(caught.value)


def test_a_preset_names_its_backend(tmp_path: Path) -> None:
    usual, other = load_recipe("mild"), load_recipe("torchvision:mild")
    assert (usual.backend, other.backend) == ("albumentations", "torchvision") and usual.steps == other.steps
    assert usual.digest != other.digest  # other pixels: other models
    assert usual.digest.startswith("499b95e2")  # as in models of all versions
    with pytest.raises(RegistryError, match="kornia"):
        Augmentation("kornia:mild", SCHEMA)
    with pytest.raises(ConfigError, match="no augmentation preset at torchvision:wild"):
        load_recipe("torchvision:wild")
    (tmp_path / "a:b").write_text("- Flip")
    assert load_recipe(tmp_path / "a:b").backend == "albumentations"  # a file, not a backend


@pytest.mark.parametrize(
    ("step", "arguments", "expected"),
    [
        ("Affine", {"translate_percent": [0.25, 0.25]}, lambda m: np.pad(m, ((8, 0), (8, 0)), "symmetric")[:32, :32]),
        ("Rotate", {"limit": [90, 90]}, lambda m: np.rot90(m, -1)),
        ("Affine", {"rotate": [180, 180]}, lambda m: m[::-1, ::-1]),
    ],
)
def test_torchs_maps_are_exact_where_that_can_be_told(step: str, arguments: dict[str, object], expected: Any) -> None:
    """To the pixel: no half-pixel shift, borders mirrored."""
    augment = Augmentation(recipe((step, {**arguments, "p": 1}), backend="torchvision"), SCHEMA)
    given = pair()
    moved = augment(given, 0)
    np.testing.assert_array_equal(moved.mask, expected(given.mask))
    np.testing.assert_array_equal(moved.photo, np.stack([expected(given.photo[..., n]) for n in range(3)], -1))


def test_one_of_torchs_transforms_is_chosen_by_its_p() -> None:
    turn = {"Rotate": {"limit": [90, 90], "p": 0.5}}
    choice: dict[str, object] = {"transforms": [{"Affine": {"rotate": [180, 180], "p": 0}}, turn], "p": 1}
    augment = Augmentation(recipe(("OneOf", choice), backend="torchvision"), SCHEMA)
    for seed in range(8):
        np.testing.assert_array_equal(augment(pair(), seed).mask, np.rot90(pair().mask, -1))


@pytest.mark.parametrize("text", ["3", "Affine: {p: 1}", "- {Affine: 3}", "- {A: {}, B: {}}", "- 3", "- [Flip]", "- ["])
def test_files_that_hold_no_list_of_transforms_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=str(path)):
        load_recipe(path)


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("- Flip: {p: 1}\n- SomeOf: {n: 1, transforms: [InvertImg: {p: 1}]}\n")
    moved = Augmentation(str(path), SCHEMA)(pair(), 0)
    np.testing.assert_array_equal(moved.photo, 255 - pair().photo[:, ::-1])


def test_an_unknown_preset_lists_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"background, copy-paste, cutmix, flip, .*, strong, warp"):
        Augmentation("wild", SCHEMA)


@pytest.mark.parametrize("section", ["mask", "image", "segmenter"])
def test_settings_take_a_name_or_a_path(section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.yaml").write_text("- Flip")
    monkeypatch.chdir(tmp_path)
    assert getattr(load_settings("smoke", [f"{section}.augment=flip"]), section).augment == "flip"
    for backend in ("", "torchvision:"):
        found = getattr(load_settings("smoke", [f"{section}.augment={backend}mine.yaml"]), section).augment
        assert found == f"{backend}{tmp_path / 'mine.yaml'}"  # so that it is found from another folder
    with pytest.raises(ConfigError, match=rf"{section}.augment: (.|\n)*no augmentation preset at wild"):
        load_settings("smoke", [f"{section}.augment=wild"])


def test_only_stage_two_may_warp_labels() -> None:
    assert load_settings("smoke", ["image.augment=warp"]).image.augment == "warp"
    for section in ("mask", "segmenter"):
        with pytest.raises(ConfigError, match=rf"{section}\.augment: (.|\n)*only stage II"):
            load_settings("smoke", [f"{section}.augment=warp"])
