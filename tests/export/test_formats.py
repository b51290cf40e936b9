"""Each format, opened by those who read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from pycocotools.coco import COCO

from augkit import api
from augkit.core.errors import ConfigError
from augkit.core.parts import IGNORE, Mask, PartSchema
from augkit.core.progress import silent
from augkit.core.storage import LocalStorage
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue
from augkit.data.pair_files import read_mask
from augkit.export._polygons import centre_polygons, corner_polygons
from augkit.export.export_format import ExportHeading, ExportItem, ExportPlace
from augkit.export.mmseg import MmsegFolders
from augkit.shards.codec import encode_mask
from augkit.shards.index import finish
from augkit.shards.writer import ShardWriter
from tests.data.coco_folder import CocoFolder, square
from tests.shards.pairs import make_record

from .conftest import PARTS, draw_mask, photo_of

# pycocotools 2.0.11 has not heard of numpy 2's copy=False yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")


def read_grey(path: Path) -> Mask:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), np.uint8)


@pytest.mark.parametrize("layout", [("semantic", "images", "masks"), ("mmseg", "img_dir", "ann_dir")])
def test_folders_of_photos_and_masks(
    sharded: Workspace, drawn: dict[str, Mask], out: Path, layout: tuple[str, str, str]
) -> None:
    name, images, masks = layout
    api.export(sharded, name, out)
    found = {path.stem: path for path in (out / masks).rglob("*.png")}
    assert set(found) == set(drawn)
    for key, path in found.items():
        np.testing.assert_array_equal(read_grey(path), drawn[key])
        split = "val" if key.startswith("held") else "train"
        assert path.parent.name == split and (out / images / split / f"{key}.jpg").read_bytes() == photo_of(drawn[key])


def test_semantic_names_its_classes(sharded: Workspace, out: Path) -> None:
    api.export(sharded, "semantic", out)
    about = yaml.safe_load((out / "data.yaml").read_text())
    assert about["names"] == {0: "background", 1: "hood", 2: "left_door", 3: "right_door"}
    assert (about["train"], about["val"], about["masks_dir"]) == ("images/train", "images/val", "masks")
    assert "test" not in about and about["ignore_index"] == IGNORE


def test_mmseg_has_a_piece_of_config(sharded: Workspace, out: Path) -> None:
    api.export(sharded, "mmseg", out)
    config: dict[str, Any] = {}
    exec((out / "dataset.py").read_text(), config)
    assert config["metainfo"]["classes"] == PARTS.names
    assert config["metainfo"]["palette"][1] == PARTS.parts[0].colour and len(config["metainfo"]["palette"]) == 4
    assert config["val_dataset"]["data_prefix"] == {"img_path": "img_dir/val", "seg_map_path": "ann_dir/val"}
    assert config["train_dataset"]["img_suffix"] == ".jpg" and "test_dataset" not in config


def test_mmseg_refuses_photos_of_two_kinds(out: Path) -> None:
    class Two:
        def __iter__(self) -> Any:
            return iter([{"file": "a.jpg"}, {"file": "b.webp"}])

    with pytest.raises(ConfigError, match=r"several kinds: \.jpg, \.webp"):
        MmsegFolders().finish(Two(), ExportHeading(PARTS, "unknown", "t", "0"), ExportPlace(out))  # type: ignore[arg-type]


def coco_masks(folder: Path, split: str) -> dict[str, Mask]:
    """The masks that pycocotools makes of an export."""
    table = COCO(str(folder / "annotations" / f"instances_{split}.json"))
    masks = {}
    for image in table.loadImgs(table.getImgIds()):
        mask = np.zeros((image["height"], image["width"]), np.uint8)
        for annotation in table.loadAnns(table.getAnnIds(image["id"])):
            region = table.annToMask(annotation).astype(bool)
            assert region.sum() == annotation["area"]
            mask[region] = annotation["category_id"]
        assert (folder / "images" / split / image["file_name"]).is_file()
        masks[Path(image["file_name"]).stem] = mask
    return masks


@pytest.mark.parametrize("options", [
    {}, {"segmentation": "polygons"}, {"instances": "regions"}, {"segmentation": "polygons", "instances": "regions"},
], ids=str)  # fmt: skip
def test_coco_holds_every_pixel(
    sharded: Workspace, drawn: dict[str, Mask], out: Path, options: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    api.export(sharded, "coco", out, options=options)
    found = coco_masks(out, "train") | coco_masks(out, "val")
    assert set(found) == set(drawn)
    for key, mask in drawn.items():
        np.testing.assert_array_equal(found[key], np.where(mask == IGNORE, 0, mask))


def test_coco_says_what_it_is(sharded: Workspace, out: Path) -> None:
    api.export(sharded, "coco", out, license="cc-by-4.0")
    table = json.loads((out / "annotations" / "instances_val.json").read_text())
    assert table["info"]["description"] == "Car parts: 9 pairs" and table["info"]["version"]
    assert table["licenses"] == [{"id": 1, "name": "cc-by-4.0", "url": ""}]
    assert [(c["id"], c["name"]) for c in table["categories"]] == list(enumerate(PARTS.names))[1:]
    assert [image["license"] for image in table["images"]] == [1, 1]
    assert len({a["id"] for a in table["annotations"]}) == len(table["annotations"])


def test_coco_is_read_back(sharded: Workspace, drawn: dict[str, Mask], out: Path, tmp_path: Path) -> None:
    """With what is ignored, by our own importer: not a pixel is lost."""
    from augkit.data.importers import IMPORTERS
    from augkit.data.samples import read

    api.export(sharded, "coco", out, options={"ignore": True})
    data = IMPORTERS["coco"](out, None)
    assert data.schema.names == PARTS.names
    for sample in data.samples:
        np.testing.assert_array_equal(read(sample).mask, drawn[Path(sample.source_file).stem])
        assert sample.split == ("val" if "held" in sample.source_file else "train")


def test_yolo_fills_to_the_same_mask(sharded: Workspace, drawn: dict[str, Mask], out: Path) -> None:
    api.export(sharded, "yolo", out)
    assert yaml.safe_load((out / "data.yaml").read_text())["names"] == dict(enumerate(PARTS.names[1:]))
    shared, pixels = 0, 0
    for path in (out / "labels").rglob("*.txt"):
        truth = drawn[path.stem]
        mask = np.zeros_like(truth)
        for line in path.read_text().splitlines():
            number, *values = line.split()
            points = np.array(values, float).reshape(-1, 2) * truth.shape[::-1]
            cv2.fillPoly(mask, [points.astype(np.int32)], int(number) + 1)
        parts = (truth > 0) & (truth != IGNORE)
        shared, pixels = shared + (mask == truth)[parts].sum(), pixels + parts.sum()
    assert shared > 0.98 * pixels


@pytest.mark.parametrize("seed", range(6))
def test_polygons_fill_to_their_region(seed: int) -> None:
    """Holes, islands in holes, regions that touch at a corner: noise has them all."""
    from pycocotools import mask as coco_tools

    mask = draw_mask(seed) == 3
    if seed >= 3:
        mask = np.random.default_rng(seed).random(mask.shape) < 0.15 * seed
    rle = coco_tools.merge(
        coco_tools.frPyObjects([ring.ravel().tolist() for ring in corner_polygons(mask)], *mask.shape)
    )
    np.testing.assert_array_equal(coco_tools.decode(rle).astype(bool), mask)
    area = sum(abs(np.cross(ring, np.roll(ring, -1, 0)).sum()) / 2 for ring in map(_lifted, corner_polygons(mask)))
    assert area == mask.sum()
    assert centre_polygons(np.zeros((4, 4), bool)) == []


def _lifted(ring: np.ndarray) -> np.ndarray:
    return np.c_[ring, np.zeros(len(ring))]


def test_hf_opens_in_datasets(
    sharded: Workspace, drawn: dict[str, Mask], out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    api.export(sharded, "hf", out, license="cc-by-4.0")
    found = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in found.items()} == {"train": 7, "validation": 2}
    assert isinstance(found["train"].features["image"], datasets.Image)
    for rows in found.values():
        for row in rows:
            np.testing.assert_array_equal(np.asarray(row["label"]), drawn[row["key"]])
            assert row["image"].size == row["label"].size and row["class"] == "front-left-5"
    raw = found["validation"].cast_column("image", datasets.Image(decode=False))
    assert raw[0]["image"]["bytes"] == photo_of(drawn["held-0"])
    assert json.loads((out / "id2label.json").read_text()) == {str(i): n for i, n in enumerate(PARTS.names)}
    assert yaml.safe_load((out / "README.md").read_text().split("---\n")[1])["license"] == "cc-by-4.0"


def test_hf_columns_have_the_names_that_are_asked_for(sharded: Workspace, out: Path) -> None:
    import pyarrow.parquet as pq

    api.export(sharded, "hf", out, options={"image": "pixel_values", "label": "labels"})
    table = pq.read_table(out / "data" / "val-00000.parquet")
    assert table.column_names == ["pixel_values", "labels", "key", "class", "source"]


def test_an_item_tells_of_itself(drawn: dict[str, Mask]) -> None:
    item = ExportItem(
        "a", "train", "real", "front-left-5", photo_of(drawn["real-0"]), "jpg", encode_mask(drawn["real-0"])
    )
    assert (item.facts["width"], item.facts["height"], item.facts["file"]) == (56, 40, "a.jpg")


def test_real_pairs_in_full_size(coco: CocoFolder, out: Path, tmp_path: Path) -> None:
    """Real photos whole, with the source's coordinates; a generated one beside them as it is stored."""
    for number in range(3):
        coco.add(f"{number}.jpg", (96, 64), hood=[square(20 + number, 10, 30)])
    place = Workspace(tmp_path / "ws")
    api.import_dataset("coco", coco.write(), place, config="smoke", progress=silent)
    storage, schema = LocalStorage(place.shards), PartSchema.load(place.schema)
    writer = ShardWriter(storage, "shard-000000")
    for row in read_catalogue(place.catalogue):
        mask = read_mask(place.mask(row.id))
        about = make_record(row.id, mask, source="real", histogram=row.histogram)
        writer.add(about, place.photo(row.id).read_bytes(), "jpg", place.mask(row.id).read_bytes())
    made = np.ones((32, 32), np.uint8)
    writer.add(
        make_record("made", made, histogram=[0, made.size, *[0] * (schema.channels - 2)]),
        photo_of(made),
        "jpg",
        encode_mask(made),
    )
    writer.commit("row")
    finish(storage, ["shard-000000"], schema, "plan", {})
    api.export(place, "coco", out, full_size=api.FullSize(coco.root))
    table = COCO(str(out / "annotations" / "instances_train.json"))
    images = {image["file_name"]: image for image in table.dataset["images"]}
    assert images["made.jpg"]["width"] == 32 and images["1.jpg"]["width"] == 96
    (annotation,) = table.loadAnns(table.getAnnIds(images["1.jpg"]["id"]))
    assert annotation["bbox"] == [21, 10, 30, 30]
    assert (out / "images" / "train" / "1.jpg").read_bytes() == (coco.root / "1.jpg").read_bytes()
