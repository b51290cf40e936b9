from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import IGNORE, PartSchema
from augkit.core.presets import Recipe
from augkit.core.workspace import Workspace
from augkit.data.augment import Augmentation
from augkit.data.augment.background import coverage, landscapes_in
from augkit.data.catalogue import TrainingRows, read_catalogue
from augkit.data.dataset import PairDataset
from augkit.data.draws import Draw
from augkit.data.pair import Pair

SCHEMA = PartSchema.from_names(["hood", "left_mirror", "right_mirror"])
ONLY = Recipe("mine", Path(), (("Background", {"p": 1}),))
GREEN = (10, 200, 30)
FRONT_LEFT = CarClass("A", "5")


def _black(size: int) -> Pair:
    """A pair that shows nothing."""
    return Pair(np.zeros((size, size, 3), np.uint8), np.zeros((size, size), np.uint8), FRONT_LEFT)


@pytest.fixture
def landscapes(tmp_path: Path) -> Path:
    folder = tmp_path / "landscapes" / "abroad"
    folder.mkdir(parents=True)
    Image.new("RGB", (80, 50), GREEN).save(folder / "a meadow.png")
    (folder / "notes.txt").write_text("no picture")
    return folder.parent


def test_the_edge_is_a_ramp_of_its_width() -> None:
    """The outline lies between the last pixel of the car and the first beside it: centres are half a pixel away."""
    car = np.zeros((5, 20), np.uint8)
    car[:, 10:] = 1
    share = coverage(car, 4.0)
    assert share[2, 7:13] == pytest.approx([0.0, 0.125, 0.375, 0.625, 0.875, 1.0], abs=1e-6)
    assert set(np.unique(coverage(car, 0.0)).tolist()) == {0.0, 1.0}
    assert coverage(np.ones((4, 4), np.uint8), 2).min() == 1 and coverage(np.zeros((4, 4), np.uint8), 2).max() == 0


def test_the_car_stays_and_all_else_is_the_landscape(landscapes: Path) -> None:
    photo = np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)
    mask, silhouette = np.zeros((40, 40), np.uint8), np.zeros((40, 40), np.uint8)
    mask[15:20, 15:20], mask[20:23, 30:36], mask[0] = 1, 2, IGNORE  # the mirror sticks out of the silhouette
    silhouette[10:30, 10:30] = 1
    moved = Augmentation(ONLY, SCHEMA, landscapes)(Pair(photo, mask, FRONT_LEFT), 0, lambda: silhouette)
    np.testing.assert_array_equal(moved.mask, mask)
    np.testing.assert_array_equal(moved.photo[12:28, 12:28], photo[12:28, 12:28])
    np.testing.assert_array_equal(moved.photo[21, 31:35], photo[21, 31:35])
    assert (moved.photo[:8] == GREEN).all() and (moved.photo[32:] == GREEN).all()
    assert (photo[:8] != GREEN).any()


def test_the_silhouette_moves_with_the_pair(landscapes: Path) -> None:
    steps = (("Flip", {"p": 1}), ("Rotate", {"limit": [90, 90], "p": 1}), ("Background", {"p": 1, "edge": 0}))
    augment = Augmentation(Recipe("mine", Path(), steps), SCHEMA, landscapes)
    silhouette = np.zeros((40, 40), np.uint8)
    silhouette[5:15, 2:30] = 1
    photo = np.where(silhouette[..., None] == 1, np.uint8(255), np.uint8(0)).repeat(3, 2)
    moved = augment(Pair(photo, silhouette, FRONT_LEFT), 0, lambda: silhouette)
    white, green = (moved.photo == 255).all(2), (moved.photo == GREEN).all(2)
    np.testing.assert_array_equal(white, moved.mask == 1)
    assert (white | green).all()


def test_landscapes_vary_with_the_seed(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    augment = Augmentation(ONLY, SCHEMA, tmp_path)
    black = _black(30)
    first, other = (augment(black, seed, lambda: black.mask).photo for seed in (1, 2))
    assert first.std() > 10 and (first != other).any()


def test_folders_without_landscapes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no pictures in it"):
        landscapes_in(tmp_path)
    with pytest.raises(ConfigError, match=r"no such folder(.|\n)*--backgrounds"):
        Augmentation("background", SCHEMA, tmp_path / "nowhere")


def test_a_folder_is_relative_to_the_preset(landscapes: Path) -> None:
    path = landscapes.parent / "mine.yaml"
    path.write_text("- Background: {folder: landscapes}")
    assert Augmentation(str(path), SCHEMA).needs_silhouette


def test_a_broken_landscape_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"nothing")
    black = _black(8)
    with pytest.raises(DataError, match=r"broken\.jpg"):
        Augmentation(ONLY, SCHEMA, tmp_path)(black, 0, lambda: black.mask)


def test_training_pairs_read_the_silhouettes_of_the_workspace(copied_workspace: Workspace, landscapes: Path) -> None:
    rows = TrainingRows.of(read_catalogue(copied_workspace.catalogue)).rows[:1]
    landscapes.rename(copied_workspace.backgrounds)
    pairs = PairDataset(copied_workspace, rows, PartSchema.load(copied_workspace.schema), 32, ONLY)
    with pytest.raises(DataError, match=rf"{rows[0].id}\.png(.|\n)*augkit silhouettes"):
        pairs[Draw(0, 0)]
    copied_workspace.silhouettes.mkdir()
    Image.new("L", (64, 64), 0).save(copied_workspace.silhouettes / f"{rows[0].id}.png")
    item = pairs[Draw(0, 0)]
    assert (item.photo[item.mask == 0] == GREEN).all(1).mean() > 0.7  # but at the parts' edge


def test_a_pair_without_a_silhouette_says_so(landscapes: Path) -> None:
    with pytest.raises(DataError, match="augkit silhouettes"):
        Augmentation(ONLY, SCHEMA, landscapes)(_black(8), 0)
