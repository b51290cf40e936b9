from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augkit.core.errors import DataError, SchemaError
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, read_catalogue
from augkit.data.crop import resize_photo
from augkit.data.dataset import PairDataset
from augkit.data.draws import Draw


def dataset(workspace: Workspace, size: int = 32) -> PairDataset:
    rows = TrainingRows.of(read_catalogue(workspace.catalogue)).rows
    return PairDataset(workspace, rows, PartSchema.load(workspace.schema), size)


def first_files(workspace: Workspace) -> tuple[Path, Path]:
    name = dataset(workspace).rows[0].id
    return workspace.photo(name), workspace.mask(name)


def test_pairs_come_at_the_size_of_the_stage(rendered_workspace: Workspace) -> None:
    item = dataset(rendered_workspace)[Draw(0, 0)]
    assert item.photo.shape == (32, 32, 3)
    assert item.mask.shape == (32, 32)
    assert item.car_class == dataset(rendered_workspace).rows[0].car_class


def test_pairs_too_large_for_the_cache_are_read_again(
    rendered_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("augkit.data.canonical_pairs.CACHE_BYTES", 0)
    small = dataset(rendered_workspace)
    np.testing.assert_array_equal(small.plain(0).photo, small.plain(0).photo)
    assert small.plain(0) is not small.plain(0)


def test_a_missing_photo_names_the_file(copied_workspace: Workspace) -> None:
    photo, _ = first_files(copied_workspace)
    photo.unlink()
    with pytest.raises(DataError, match=photo.name):
        dataset(copied_workspace).plain(0)


@pytest.mark.parametrize("keep", [0, 10, 700])
def test_a_truncated_photo_names_the_file(copied_workspace: Workspace, keep: int) -> None:
    photo, _ = first_files(copied_workspace)
    photo.write_bytes(photo.read_bytes()[:keep])
    with pytest.raises(DataError, match=photo.name):
        dataset(copied_workspace).plain(0)


def test_a_mask_of_another_size_is_refused(copied_workspace: Workspace) -> None:
    _, mask = first_files(copied_workspace)
    Image.fromarray(np.zeros((10, 10), np.uint8)).save(mask)
    with pytest.raises(DataError, match=r"10 x 10 px"):
        dataset(copied_workspace).plain(0)


def test_a_palette_of_colours_is_no_mask(copied_workspace: Workspace) -> None:
    _, mask = first_files(copied_workspace)
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(mask)
    with pytest.raises(DataError, match="8-bit grey"):
        dataset(copied_workspace).plain(0)


def test_ids_outside_the_schema_are_refused(copied_workspace: Workspace) -> None:
    _, mask = first_files(copied_workspace)
    Image.fromarray(np.full((64, 64), 99, np.uint8)).save(mask)
    with pytest.raises(SchemaError, match="99"):
        dataset(copied_workspace).plain(0)


def test_no_rows_are_refused(rendered_workspace: Workspace) -> None:
    with pytest.raises(DataError, match="no pairs"):
        PairDataset(rendered_workspace, [], PartSchema.load(rendered_workspace.schema), 32)


def test_shrinking_takes_area_means() -> None:
    photo = np.zeros((4, 4, 3), np.uint8)
    photo[::2] = 200
    np.testing.assert_array_equal(resize_photo(photo, 2), np.full((2, 2, 3), 100, np.uint8))
