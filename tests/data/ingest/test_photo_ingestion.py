"""Photos without masks join labelled ones, and change nothing for who needs masks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from PIL import Image

from augkit.core.errors import DataError
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import Catalogue, CatalogueRow, read_catalogue, write_catalogue
from augkit.data.importers.photos import read_photos
from augkit.data.ingest.ingest_options import IngestOptions
from augkit.data.ingest.ingestion import ingest
from augkit.data.ingest.photo_ingestion import PhotoImport, ingest_photos
from augkit.data.samples import Sample

SCHEMA = PartSchema.from_names(["hood", "left_mirror", "right_mirror"])
DATA = IngestOptions(size=32, val_share=0.0)
SPLITS = ("train", "val", "test")


def picture(seed: int, height: int = 90, width: int = 120) -> NDArray[np.uint8]:
    """A smooth picture that no other one is like."""
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def labelled(count: int = 3) -> list[Sample]:
    mask = np.zeros((90, 120), np.uint8)
    mask[20:70, 30:100] = 1
    return [Sample(f"p{n}", f"p{n}.png", picture(n), mask, split=SPLITS[n % 3]) for n in range(count)]  # type: ignore[arg-type]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "ws")
    ingest(labelled(), SCHEMA, workspace, DATA, importer="test", settings="")
    return workspace


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for number in range(2):
        Image.fromarray(picture(100 + number)).save(tmp_path / "photos" / f"{number}.jpg")
    return tmp_path / "photos"


def run(workspace: Workspace, source: Path, **more: object) -> PhotoImport:
    samples = read_photos(source).samples
    return ingest_photos(samples, workspace, DATA, importer="photos", **more)  # type: ignore[arg-type]


def joined(workspace: Workspace) -> list[CatalogueRow]:
    return list(Catalogue(workspace.catalogue).unlabelled())


def test_they_join_and_who_needs_masks_does_not_see_them(workspace: Workspace, photos: Path) -> None:
    before = read_catalogue(workspace.catalogue)
    outcome = run(workspace, photos)
    assert (outcome.joined, outcome.boxless, outcome.refused) == (2, 2, 0)
    assert read_catalogue(workspace.catalogue) == before and len(Catalogue(workspace.catalogue)) == 3
    rows = joined(workspace)
    assert [row.source_file for row in rows] == ["0.jpg", "1.jpg"] and not any(row.problem for row in rows)
    assert all(row.split == "train" and row.crop_side == 0 for row in rows)
    assert all(workspace.unlabelled_photo(row.id).is_file() for row in rows)


def test_a_second_import_adds_only_what_is_new(workspace: Workspace, photos: Path) -> None:
    run(workspace, photos)
    Image.fromarray(picture(200)).save(photos / "2.jpg")
    outcome = run(workspace, photos)
    assert (outcome.joined, outcome.known) == (1, 2) and len(joined(workspace)) == 3


def test_a_broken_photo_that_is_called_as_a_known_one_is_refused(workspace: Workspace, photos: Path) -> None:
    run(workspace, photos)
    (photos / f"{joined(workspace)[0].id}.jpg").write_bytes(b"no picture")
    outcome = run(workspace, photos)
    assert (outcome.known, outcome.refused) == (2, 1)


def test_they_stay_when_labelled_ones_are_imported_again(workspace: Workspace, photos: Path) -> None:
    run(workspace, photos)
    Image.fromarray(picture(50)).save(photos / "later-held-out.png")
    run(workspace, photos)
    warnings: list[str] = []
    more = [*labelled(), replace(labelled()[0], id="q", source_file="q", photo=picture(50), split="val")]
    rows = ingest(more, SCHEMA, workspace, DATA, importer="test", settings="", on_warning=warnings.append)
    assert len(rows) == 4 and [row.source_file for row in joined(workspace)] == ["0.jpg", "1.jpg"]
    assert "1 photos without masks were dropped" in warnings[0]


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("box", [None, [28, 18, 74, 54], [0, 0, 118, 88]])
def test_near_duplicates_of_held_out_photos_are_kept_out(
    workspace: Workspace, photos: Path, mirrored: bool, box: list[int] | None
) -> None:
    """Compressed again, made smaller, mirrored, and cut by another box or by none."""
    held = picture(1)[:, :: -1 if mirrored else 1]
    Image.fromarray(held).resize((96, 72)).save(photos / "held.jpg", quality=70)
    if box is not None:
        small = [edge * 0.8 for edge in box]
        image = {"id": 1, "file_name": "held.jpg", "width": 96, "height": 72}
        tree = {"images": [image, {"id": 2, "file_name": "0.jpg"}], "categories": [{"id": 1, "name": "car"}],
                "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": small}]}  # fmt: skip
        (photos / "boxes.json").write_text(json.dumps(tree))
    outcome = run(workspace, photos)
    assert outcome.shown == [("held.jpg", "the same picture as the held-out photo p1, or nearly")]
    assert "held.jpg" not in {row.source_file for row in joined(workspace)}


def test_another_car_of_a_held_out_photo_may_stay(workspace: Workspace, photos: Path) -> None:
    """Its square shows less than half of what the held-out one shows."""
    Image.fromarray(picture(1)).save(photos / "0.jpg", quality=70)
    tree = {"images": [{"id": 1, "file_name": "0.jpg"}], "categories": [{"id": 1, "name": "car"}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 30, 40, 40]}]}  # fmt: skip
    (photos / "boxes.json").write_text(json.dumps(tree))
    assert run(workspace, photos).joined == 1


def test_a_large_photo_without_a_box_is_kept_smaller(workspace: Workspace, photos: Path) -> None:
    Image.fromarray(picture(7, 300, 600)).save(photos / "0.jpg")
    run(workspace, photos)
    [row] = [row for row in joined(workspace) if row.source_file == "0.jpg"]
    assert (row.width, row.height) == (600, 300)
    with Image.open(workspace.unlabelled_photo(row.id)) as photo:
        assert photo.size == (128, 64)  # four canonical sides


def test_a_training_photo_is_known_with_its_mask(workspace: Workspace, tmp_path: Path, photos: Path) -> None:
    Image.fromarray(picture(300)).save(photos / "same.png")
    data = (photos / "same.png").read_bytes()
    ingest([*labelled(), replace(labelled()[0], id="t", photo=data)], SCHEMA, workspace, DATA, importer="", settings="")
    assert run(workspace, photos).shown == [("same.png", "t is the same file, with a mask")]


def test_each_box_of_a_car_is_a_photo_and_a_bad_one_is_refused(workspace: Workspace, photos: Path) -> None:
    boxes = [[5, 5, 40, 30], [50, 20, 60, 50], [500, 500, 20, 20]]
    tree = {"images": [{"id": 1, "file_name": "0.jpg", "width": 120, "height": 90}],
            "categories": [{"id": 1, "name": "Car"}, {"id": 2, "name": "tree"}],
            "annotations": [{"id": n, "image_id": 1, "category_id": 1, "bbox": box} for n, box in enumerate(boxes)]
            + [{"id": 9, "image_id": 1, "category_id": 2, "bbox": [0, 0, 50, 50]}]}  # fmt: skip
    (photos / "boxes.json").write_text(json.dumps(tree))
    outcome = run(workspace, photos)
    rows = joined(workspace)
    assert [(row.source_file, row.crop_side, row.size) for row in rows] == [("0.jpg#1", 45, 32), ("0.jpg#2", 67, 32)]
    assert len({row.id for row in rows}) == 2 and len({row.group for row in rows}) == 1
    assert "lies outside the photo" in outcome.shown[0][1]
    with Image.open(workspace.unlabelled_photo(rows[0].id)) as photo:
        assert photo.size == (32, 32)


@pytest.mark.parametrize("name", ["hood", "car_door"])
def test_boxes_of_parts_are_one_car(name: str, photos: Path) -> None:
    parts = [{"image_id": 1, "category_id": 1, "bbox": box} for box in ([1, 2, 3, 4], [10, 10, 9, 9])]
    tree = {"images": [{"id": 1, "file_name": "0.jpg"}], "categories": [{"id": 1, "name": name}]}
    tree["annotations"] = parts
    (photos / "a.json").write_text(json.dumps(tree))
    [sample] = read_photos(photos).samples
    assert sample.car is not None and sample.car.box == (1, 2, 19, 19)


def test_nothing_is_left_where_no_photo_can_be_used(workspace: Workspace, photos: Path) -> None:
    for file in photos.iterdir():
        file.write_bytes(b"no picture")
    before, catalogue = set(workspace.root.iterdir()), workspace.catalogue.read_bytes()
    with pytest.raises(DataError, match="none of 2 photos") as error:
        run(workspace, photos)
    assert "cannot be read" in str(error.value)
    assert set(workspace.root.iterdir()) == before and workspace.catalogue.read_bytes() == catalogue


def test_strict_refuses_all(workspace: Workspace, photos: Path) -> None:
    (photos / "broken.jpg").write_bytes(b"")
    with pytest.raises(DataError, match="1 photos are refused"):
        run(workspace, photos, strict=True)
    assert joined(workspace) == [] and not workspace.unlabelled.exists()


def test_labelled_photos_come_first(tmp_path: Path, photos: Path) -> None:
    with pytest.raises(DataError, match="no labelled photos"):
        run(Workspace(tmp_path / "none"), photos)
    assert not (tmp_path / "none").exists()


def test_an_interrupted_import_goes_on(workspace: Workspace, photos: Path) -> None:
    before = workspace.catalogue.read_bytes()

    def stop(row: CatalogueRow) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(workspace, photos, on_row=stop)
    assert workspace.catalogue.read_bytes() == before
    kept = next((workspace.root / ".import-photos" / "unlabelled").iterdir())
    written = kept.stat().st_mtime_ns
    assert run(workspace, photos).joined == 2
    assert (workspace.unlabelled / kept.name).stat().st_mtime_ns == written


def test_catalogues_of_earlier_versions_are_all_labelled(workspace: Workspace) -> None:
    rows = read_catalogue(workspace.catalogue)
    table = pq.read_table(workspace.catalogue)
    pq.write_table(table.drop_columns(["labelled", "whole_phash"]), workspace.catalogue)
    old = Catalogue(workspace.catalogue)
    assert list(old) == [replace(row, whole_phash="") for row in rows] and len(old) == 3
    write_catalogue(workspace.catalogue, old)
    assert list(Catalogue(workspace.catalogue).unlabelled()) == []
