"""Scenes without cars."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import PartSchema
from augkit.core.presets import Recipe
from augkit.core.workspace import Workspace
from augkit.data.augment.background import Screen
from augkit.data.catalogue import TrainingRows, read_catalogue
from augkit.data.dataset import PairDataset
from augkit.data.draws import Draw
from augkit.data.silhouette import GREEN
from augkit.sources.backdrops import ANY
from augkit.sources.backdrops import scenes as module
from augkit.sources.backdrops.scenes import emptied_scenes, landscape_scenes, most_scenes, without

SIZE = 32


@pytest.fixture
def cut_workspace(copied_workspace: Workspace) -> Workspace:
    """Rendered cars with silhouettes: their parts, and the row above them."""
    copied_workspace.silhouettes.mkdir()
    for row in read_catalogue(copied_workspace.catalogue):
        part = np.asarray(Image.open(copied_workspace.mask(row.id))) > 0
        part[:-1] |= part[1:]
        Image.fromarray(part.astype(np.uint8) * 255).save(copied_workspace.silhouettes / f"{row.id}.png")
    return copied_workspace


def pairs_of(workspace: Workspace, augment: str | Recipe = "none") -> PairDataset:
    rows = TrainingRows.of(read_catalogue(workspace.catalogue)).rows
    schema = PartSchema.load(workspace.schema)
    return PairDataset(workspace, rows, schema, SIZE, augment, last=(Screen(),))


def test_beside_the_silhouette_training_pairs_are_green(cut_workspace: Workspace) -> None:
    turned = Recipe("mine", Path(), (("Flip", {"p": 1}), ("RandomBrightnessContrast", {"p": 1})))
    for pairs, item in ((p, p[Draw(3, 5)]) for p in (pairs_of(cut_workspace), pairs_of(cut_workspace, turned))):
        mirrored = item.car_class != pairs.rows[3].car_class
        car = np.ascontiguousarray(pairs.silhouette(3)[:, ::-1] if mirrored else pairs.silhouette(3))
        green = (item.photo == GREEN).all(2)
        outside = cv2.dilate(car, np.ones((3, 3), np.uint8)) == 0  # the edge is two pixels wide
        assert outside.any() and green[outside].all()
        assert not green[item.mask > 0].any() and (car[item.mask > 0] == 1).all()


def test_plain_pairs_are_on_green_too(cut_workspace: Workspace) -> None:
    pairs = pairs_of(cut_workspace)
    np.testing.assert_array_equal(pairs.plain(0).photo, pairs[Draw(0, 0)].photo)
    assert (pairs.plain(0).photo[0] == GREEN).all()


def test_a_warped_mask_does_not_move_the_screen(cut_workspace: Workspace) -> None:
    """The photo shows the car where its silhouette is, so that stage II learns to put up with masks that are off."""
    warped = Recipe("mine", Path(), (("LabelWarp", {"alpha": 300.0, "sigma": 4.0, "p": 1}),))
    plain, moved = pairs_of(cut_workspace).plain(0), pairs_of(cut_workspace, warped)[Draw(0, 1)]
    assert (plain.mask != moved.mask).any()
    np.testing.assert_array_equal(plain.photo, moved.photo)


def test_a_missing_silhouette_names_the_command(copied_workspace: Workspace) -> None:
    with pytest.raises(DataError, match=r"augkit silhouettes(.|\n)*image.background learnt"):
        pairs_of(copied_workspace).plain(0)


def test_emptied_photos_show_no_car_and_are_else_as_they_were(cut_workspace: Workspace) -> None:
    rows = TrainingRows.of(read_catalogue(cut_workspace.catalogue))
    schema = PartSchema.load(cut_workspace.schema)
    found = emptied_scenes(cut_workspace, rows, schema, SIZE)
    assert found.photos.shape == (len(rows), SIZE, SIZE, 3) and len(found.photos) == len(rows)
    pairs = PairDataset(cut_workspace, rows.rows, schema, SIZE)
    for index, row in enumerate(rows.rows):
        item, hole = pairs.plain(index), found.holes[index]
        assert hole[item.mask > 0].all() and found.classes[index] == row.car_class.number
        np.testing.assert_array_equal(found.photos[index][~hole], item.photo[~hole])
    again = emptied_scenes(cut_workspace, rows, schema, SIZE)
    np.testing.assert_array_equal(again.photos, found.photos)


def test_a_hole_is_filled_with_what_is_around_it() -> None:
    photo = np.full((96, 96, 3), (90, 140, 200), np.uint8)
    hole = np.zeros((96, 96), np.bool_)
    hole[30:60, 20:70] = True
    photo[hole] = 255
    filled = without(photo, hole).astype(int)
    assert abs(filled[hole] - (90, 140, 200)).max() <= 4  # OpenCV rounds as it goes
    np.testing.assert_array_equal(without(photo, np.ones_like(hole)), photo)
    np.testing.assert_array_equal(without(photo, np.zeros_like(hole)), photo)


def test_of_many_photos_every_class_keeps_some(cut_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = TrainingRows.of(read_catalogue(cut_workspace.catalogue))
    classes = {row.car_class.number for row in rows.rows}
    monkeypatch.setattr(module, "MOST", len(classes) + 1)
    found = emptied_scenes(cut_workspace, rows, PartSchema.load(cut_workspace.schema), SIZE)
    assert len(found.photos) == len(classes) + 1 and set(found.classes.tolist()) == classes


def test_scenes_fit_beside_a_model() -> None:
    assert most_scenes(128) == 256 and most_scenes(1024) == 16
    assert most_scenes(10**6) == 1


def test_landscapes_give_pieces_for_every_class(tmp_path: Path) -> None:
    colours = [(200, 30, 30), (30, 30, 200)]
    for number, colour in enumerate(colours):
        Image.new("RGB", (60, 40), colour).save(tmp_path / f"{number}.png")
    found = landscape_scenes(tmp_path, SIZE)
    assert found.photos.shape == (256, SIZE, SIZE, 3) and not found.holes.any() and set(found.classes) == {ANY}
    shown = [(found.photos[:, 0, 0] == colour).all(1).sum() for colour in colours]
    assert shown == [128, 128]


def test_landscapes_that_cannot_be_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no pictures in it"):
        landscape_scenes(tmp_path, SIZE)
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"broken\.jpg"):
        landscape_scenes(tmp_path, SIZE)
