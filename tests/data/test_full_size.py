"""Real pairs in full size: read again from their data set, and only if they are what was imported."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augkit import api
from augkit.core.errors import ConfigError, DataError
from augkit.core.progress import silent
from augkit.core.workspace import Workspace
from augkit.data.full_size import FullSizePairs
from augkit.data.reading_way import AS_FILES_SAY, ReadingWay
from augkit.shards.codec import decode_mask
from tests.data.coco_folder import CocoFolder, square


@pytest.fixture
def imported(coco: CocoFolder, tmp_path: Path) -> Workspace:
    """A photo of 96 x 64 with a hood and a wheel, a PNG, and one that lies on its side by its EXIF."""
    coco.add("a.jpg", (96, 64), hood=[square(20, 10, 30)], wheel=[square(44, 30, 20)])
    coco.add("b.png", (64, 64))
    coco.add("c.jpg", (64, 48), hood=[square(5, 5, 30)])
    tags = Image.Exif()
    tags[0x0112] = 3  # upside down
    Image.open(coco.root / "c.jpg").save(coco.root / "c.jpg", exif=tags)
    place = Workspace(tmp_path / "ws")
    api.import_dataset("coco", coco.write(), place, config="smoke", progress=silent)
    return place


def test_whole_photos_in_their_own_coordinates(imported: Workspace, coco: CocoFolder) -> None:
    pairs = FullSizePairs.open(imported, coco.root, None, AS_FILES_SAY)
    pair = pairs.read("a")
    mask = decode_mask(pair.mask)
    assert pair.photo == (coco.root / "a.jpg").read_bytes() and mask.shape == (64, 96)
    hood, wheel = 1, 7
    assert (mask[10:40, 20:44] == hood).all() and (mask[30:50, 44:64] == wheel).all() and mask[60, 90] == 0


@pytest.mark.parametrize("key", ["b", "c"])
def test_photos_that_readers_would_show_otherwise_are_encoded_again(
    imported: Workspace, coco: CocoFolder, key: str
) -> None:
    pair = FullSizePairs.open(imported, coco.root, None, AS_FILES_SAY).read(key)
    with Image.open(io.BytesIO(pair.photo)) as picture:
        assert picture.format == "JPEG" and not picture.getexif()
        assert picture.size == decode_mask(pair.mask).shape[::-1]


def test_only_what_was_imported_is_exported(imported: Workspace, coco: CocoFolder, tmp_path: Path) -> None:
    coco.data["annotations"].reverse()  # the hood comes last now: with the file's order it lies on top
    coco.write()
    FullSizePairs.open(imported, coco.root, None, AS_FILES_SAY).read("a")
    with pytest.raises(DataError, match=r"a\.jpg: the mask is not that of the import"):
        FullSizePairs.open(imported, coco.root, None, ReadingWay(overlap="order")).read("a")
    Image.fromarray(np.zeros((64, 96, 3), np.uint8)).save(coco.root / "a.jpg")
    with pytest.raises(DataError, match=r"a\.jpg: the photo has changed"):
        FullSizePairs.open(imported, coco.root, None, AS_FILES_SAY).read("a")
    (coco.root / "a.jpg").unlink()
    with pytest.raises(DataError, match="the photo that was imported"):
        FullSizePairs.open(imported, coco.root, None, AS_FILES_SAY).read("a")
    with pytest.raises(DataError, match="z: not in the catalogue"):
        FullSizePairs.open(imported, coco.root, None, AS_FILES_SAY).read("z")
    other = CocoFolder(tmp_path / "other")
    other.data["categories"].append({"id": 99, "name": "spoiler"})
    other.add()
    with pytest.raises(DataError, match=r"its parts are .*spoiler"):
        FullSizePairs.open(imported, other.write(), None, AS_FILES_SAY)


def test_rendered_cars_have_no_data_set(rendered_workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="come from render"):
        FullSizePairs.open(rendered_workspace, tmp_path, None, AS_FILES_SAY)
