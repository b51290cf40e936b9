"""The exemplar that was asked for."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augkit.balance.asked_exemplar import facing, load_exemplar
from augkit.balance.job import Balance, BalanceRequest
from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError, DataError, SchemaError
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue, write_catalogue
from augkit.data.present_split import sha256_of
from augkit.settings import Settings, load_settings
from augkit.shards.reader import ShardDataset
from tests.balance.conftest import run_job


def asking_for(settings: Settings, source: str) -> Settings:
    tree = settings.model_dump(mode="json")
    tree["balance"]["exemplar"] = source
    return Settings.model_validate(tree)


@pytest.fixture
def schema(rendered_workspace: Workspace) -> PartSchema:
    return PartSchema.load(rendered_workspace.schema)


def test_a_pair_by_its_id(rendered_workspace: Workspace, schema: PartSchema) -> None:
    row = read_catalogue(rendered_workspace.catalogue)[0]
    exemplar = load_exemplar(row.id, rendered_workspace, schema, 32)
    assert exemplar.name == row.id and exemplar.pair.photo.shape == (32, 32, 3) and exemplar.pair.mask.shape == (32, 32)


def test_it_turns_to_face_the_class(rendered_workspace: Workspace, schema: PartSchema) -> None:
    row = read_catalogue(rendered_workspace.catalogue)[0]
    exemplar = load_exemplar(row.id, rendered_workspace, schema, 32)
    own = exemplar.pair.car_class
    assert facing(exemplar, own, schema) is exemplar
    turned = facing(exemplar, CarClass(own.mirror.orientation, "unknown"), schema)
    assert turned.mirrored and np.array_equal(turned.pair.photo, exemplar.pair.photo[:, ::-1])
    assert np.array_equal(turned.pair.mask, schema.flip(exemplar.pair.mask)) and turned.pair.car_class == own.mirror


def _write(folder: Path, photo: tuple[int, int], mask: np.ndarray | None) -> str:
    Image.fromarray(np.full((*photo, 3), 90, np.uint8)).save(folder / "mine.jpg")
    if mask is not None:
        Image.fromarray(mask).save(folder / "mine.mask.png")
    return str(folder / "mine.jpg")


def test_a_photo_with_its_mask_beside_it(rendered_workspace: Workspace, schema: PartSchema, tmp_path: Path) -> None:
    mask = np.zeros((48, 48), np.uint8)
    mask[10:30, 10:30] = 1
    exemplar = load_exemplar(_write(tmp_path, (48, 48), mask), rendered_workspace, schema, 32)
    assert exemplar.name == "style:mine.jpg" and (exemplar.pair.mask == 1).any()


def test_what_cannot_be_an_exemplar_is_said(rendered_workspace: Workspace, schema: PartSchema, tmp_path: Path) -> None:
    def message(source: str, error: type[Exception] = DataError) -> str:
        with pytest.raises(error) as caught:
            load_exemplar(source, rendered_workspace, schema, 32)
        return str(caught.value)

    assert "no pair of the workspace" in message("nobody") and "augkit view" in message("nobody")
    assert "mine.mask.png" in message(_write(tmp_path, (48, 48), None))
    assert "48 x 48 px, but its mask 40 x 40" in message(_write(tmp_path, (48, 48), np.zeros((40, 40), np.uint8)))
    assert "square" in message(_write(tmp_path, (40, 48), np.zeros((40, 48), np.uint8)))
    assert "77" in message(_write(tmp_path, (48, 48), np.full((48, 48), 77, np.uint8)), SchemaError)
    source = _write(tmp_path, (48, 48), np.zeros((48, 48), np.uint8))
    Path(source).write_bytes(b"no photo")
    assert "mine.jpg" in message(source)


def test_all_photos_of_a_job_are_painted_after_the_exemplar(trained: Workspace, settings: Settings) -> None:
    exemplar = next(row.id for row in read_catalogue(trained.catalogue) if row.split == "train")
    only = ["back-right-3"]
    run_job(trained, asking_for(settings, exemplar), only=only)
    made = ShardDataset(trained.shards, where=[("source", "==", "generated")])
    assert len(made) and set(made.index["exemplar"].to_pylist()) == {exemplar}
    with pytest.raises(ConfigError, match="--fresh"):  # another look is another data set
        run_job(trained, settings, only=only)


def test_an_exemplar_that_there_is_not_is_refused_before_anything_is_trained(
    rendered_workspace: Workspace, settings: Settings
) -> None:
    with pytest.raises(DataError, match="no pair of the workspace has this id"):
        Balance(rendered_workspace, asking_for(settings, "nobody"), BalanceRequest(10))


@pytest.mark.parametrize("conditioning", ["[]", "[noise]"])
def test_an_exemplar_that_nothing_reads_is_refused(
    conditioning: str, rendered_workspace: Workspace, settings: Settings
) -> None:
    exemplar = next(row.id for row in read_catalogue(rendered_workspace.catalogue) if row.split == "train")
    asked = asking_for(load_settings("smoke", [f"image.conditioning={conditioning}", "image.repair=false"]), exemplar)
    with pytest.raises(ConfigError, match=r"image\.conditioning .* reads no photo"):
        Balance(rendered_workspace, asked, BalanceRequest(10))


def test_the_look_of_a_held_out_pair_does_not_get_into_training_pairs(
    rendered_workspace: Workspace, settings: Settings
) -> None:
    held = next(row.id for row in read_catalogue(rendered_workspace.catalogue) if row.split == "val")
    with pytest.raises(DataError, match="a pair of the split val"):
        Balance(rendered_workspace, asking_for(settings, held), BalanceRequest(10))


def test_a_file_that_is_the_source_of_a_held_out_pair_is_refused(
    copied_workspace: Workspace, schema: PartSchema, tmp_path: Path
) -> None:
    source = _write(tmp_path, (48, 48), np.zeros((48, 48), np.uint8))
    load_exemplar(source, copied_workspace, schema, 32)
    rows = read_catalogue(copied_workspace.catalogue)
    held = next(number for number, row in enumerate(rows) if row.split == "val")
    rows[held] = replace(rows[held], sha256=sha256_of(Path(source)))
    write_catalogue(copied_workspace.catalogue, rows)
    copy = shutil.copy(source, tmp_path / "copy.jpg")
    shutil.copy(tmp_path / "mine.mask.png", tmp_path / "copy.mask.png")
    with pytest.raises(DataError, match=r"copy\.jpg: a photo of the split val"):
        load_exemplar(str(copy), copied_workspace, schema, 32)


def test_the_files_of_a_held_out_pair_are_no_way_around_its_id(
    rendered_workspace: Workspace, schema: PartSchema
) -> None:
    for split in ("train", "val"):
        row = next(row for row in read_catalogue(rendered_workspace.catalogue) if row.split == split)
        source = str(rendered_workspace.photo(row.id))
        if split == "train":
            load_exemplar(source, rendered_workspace, schema, 32)
            continue
        with pytest.raises(DataError, match="a photo of the split val"):
            load_exemplar(source, rendered_workspace, schema, 32)
