from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as reference

from augkit.core.errors import ConfigError, DataError, RegistryError, SchemaError
from augkit.data.importers import IMPORTERS
from augkit.data.importers._outlines import PartShape, draw
from augkit.data.importers.coco import read_coco
from augkit.data.plausibility import NO_AREA
from augkit.data.reading_way import ReadingWay
from augkit.data.samples import Sample, SampleSet, read
from tests.data.coco_folder import CocoFolder, square


def _only(found: SampleSet) -> Sample:
    assert len(found.samples) == 1
    return found.samples[0]


def _mask(coco: CocoFolder) -> np.ndarray:
    return read(_only(read_coco(coco.write()))).mask


def _problems(found: SampleSet) -> dict[str, str]:
    """What goes wrong with each sample, known beforehand or when it is read."""
    problems = {}
    for sample in found.samples:
        try:
            read(sample)
        except (DataError, OSError) as error:
            problems[sample.source_file] = str(error)
    return problems


def test_the_registry_finds_it() -> None:
    assert "coco" in list(IMPORTERS) and IMPORTERS["coco"] is read_coco
    with pytest.raises(RegistryError, match="coco"):
        IMPORTERS["cocoo"]


def test_categories_become_parts_in_the_order_of_their_ids(coco: CocoFolder) -> None:
    coco.add()
    coco.data["categories"].reverse()
    schema = read_coco(coco.write()).schema
    assert schema.names[:3] == ("background", "hood", "front_bumper")
    assert len(schema.swaps) == 2


def test_a_polygon_covers_its_pixels_exactly(coco: CocoFolder) -> None:
    coco.add(hood=[square(10, 12, 20)])
    mask = _mask(coco)
    assert mask.sum() == 400 and (mask[12:32, 10:30] == 1).all()


def test_several_polygons_are_one_part(coco: CocoFolder) -> None:
    coco.add(wheel=[square(0, 0, 10), square(5, 0, 10), square(30, 0, 10)])
    assert (_mask(coco) == 7).sum() == 250


def test_the_smaller_part_lies_on_top_in_either_order(coco: CocoFolder) -> None:
    for part, other in (("hood", "wheel"), ("wheel", "hood")):
        folder = CocoFolder(coco.root / part)
        folder.add(**{part: [square(0, 0, 40)], other: [square(10, 10, 10)]})
        mask = _mask(folder)
        ids = {"hood": 1, "wheel": 7}
        assert (mask == ids[other]).sum() == 100 and (mask == ids[part]).sum() == 1500


@pytest.mark.parametrize(
    ("background", "ignore"), [("_background_", "_ignore_"), ("__background__", "void"), ("BG", "Ignore")]
)
def test_categories_that_are_no_parts(coco: CocoFolder, background: str, ignore: str) -> None:
    """The background is dropped, what is ignored is drawn as 255."""
    coco.data["categories"][0]["name"] = background
    coco.data["categories"].append({"id": 99, "name": ignore})
    number = coco.add(hood=[square(0, 0, 10)])
    coco.annotate(number, background, [square(0, 0, 40)])
    coco.annotate(number, ignore, [square(20, 20, 10)])
    assert not {background, ignore} & set(read_coco(coco.write()).schema.names)
    mask = _mask(coco)
    assert set(np.unique(mask)) == {0, 1, 255} and (mask == 255).sum() == 100


def test_segmentations_may_be_json_strings_or_one_flat_polygon(coco: CocoFolder) -> None:
    coco.add("a.jpg", hood=json.dumps([square(0, 0, 10)]))
    coco.add("b.jpg", hood=square(0, 0, 10))
    assert [read(sample).mask.sum() for sample in read_coco(coco.write()).samples] == [100, 100]


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_run_lengths_agree_with_the_reference(height: int, width: int, seed: int) -> None:
    cover = np.random.default_rng(seed).integers(0, 2, (height, width), np.uint8)
    compressed = reference.encode(np.asfortranarray(cover))
    text = {"size": [height, width], "counts": compressed["counts"].decode()}
    flat = cover.T.reshape(-1)
    edges = [0, *(np.flatnonzero(np.diff(flat)) + 1), flat.size]
    plain = {"size": [height, width], "counts": [0] * int(flat[0]) + [int(n) for n in np.diff(edges)]}
    for shape in (text, plain, json.dumps(text)):
        if cover.any():
            assert (draw([PartShape(1, "a", shape)], height, width).ids == cover).all()


@given(st.text(max_size=12), st.integers(1, 6), st.integers(1, 6))
def test_damaged_run_lengths_are_errors_and_nothing_else(text: str, height: int, width: int) -> None:
    with suppress(DataError):
        draw([PartShape(1, "a", {"size": [height, width], "counts": text})], height, width)


@pytest.mark.parametrize(
    ("shape", "fault"),
    [
        ([[1, 1, 5, 5]], "no annotation has an area"),
        ([[1, 1, 5, 5, 9]], "no list of x, y"),
        ([[1, 1, 5, "a", 9, 9]], "no list of x, y"),
        ([[[1, 1], [5, 5], [9, 9]]], "no list of x, y"),
        ([[1, 1, 5, 1, 5, 1e9]], "far outside"),
        ([[1, 1, 5, 1, 5, float("nan")]], "a coordinate that is NaN or infinite"),
        ("[[1, 1, 5, 1", "a text, but no JSON"),
        ([], "no annotation has an area"),
        (None, "no annotation has an area"),
        (5, "no list of polygons"),
        ("[[1, 2", "annotation 1"),
        ({"size": [9, 9], "counts": [81]}, "run lengths for the size"),
        ({"size": [48, 64], "counts": [5]}, "run lengths for 5 pixels"),
        ({"size": [48, 64], "counts": [-5, 5]}, "no list of counts"),
        ({"size": [48, 64]}, "no list of counts"),
        ({"size": [48, 64], "counts": "\u00e9"}, "damaged"),
        ({"size": [48, 64], "counts": "o"}, "end early"),
    ],
)
def test_a_faulty_segmentation_is_the_photos_problem(coco: CocoFolder, shape: Any, fault: str) -> None:
    coco.add("bad.jpg", hood=shape)
    coco.add("good.jpg")
    problems = _problems(read_coco(coco.write()))
    assert list(problems) == ["bad.jpg"]
    with pytest.raises(AssertionError, match=fault):
        raise AssertionError(problems["bad.jpg"])


def test_every_fault_of_a_photo_becomes_a_problem(coco: CocoFolder) -> None:
    for name in (
        "fine.jpg",
        "unknown.jpg",
        "lost.jpg",
        "cut.jpg",
        "text.jpg",
        "bare.jpg",
        "resized.jpg",
        "unsized.jpg",
    ):
        coco.add(name)
    annotations, images = coco.data["annotations"], coco.data["images"]
    annotations[1]["category_id"] = 99
    (coco.root / "lost.jpg").unlink()
    (coco.root / "cut.jpg").write_bytes((coco.root / "cut.jpg").read_bytes()[:500])
    (coco.root / "text.jpg").write_text("not a photo")
    annotations[5]["image_id"] = 77
    images[6]["width"] = 65
    del images[7]["width"]
    (coco.root / "stray.png").write_bytes((coco.root / "fine.jpg").read_bytes())
    problems = _problems(read_coco(coco.write()))
    assert "truncated" in problems.pop("cut.jpg").lower()
    assert problems == {
        "unknown.jpg": "annotation 2: category 99 is not among the file's categories",
        "lost.jpg": "no photo at lost.jpg, nor elsewhere below the folder",
        "text.jpg": "the photo cannot be read: no picture of a known format",
        "bare.jpg": "no annotation",
        "resized.jpg": "the photo is 64x48 pixels, but its annotation is for 65x48",
        "unsized.jpg": "the file records a width and height of None and 48",
        "annotations.json#image-77": "1 annotation(s) belong to image 77, which the file does not list",
        "stray.png": "the photo is not listed in annotations.json",
    }


def test_an_image_id_used_twice_is_a_problem_of_both(coco: CocoFolder) -> None:
    coco.add("a.jpg")
    coco.add("b.jpg")
    coco.data["images"][1]["id"] = 1
    problems = _problems(read_coco(coco.write()))
    assert problems["a.jpg"] == problems["b.jpg"] == "image id 1 is listed 2 times"


def test_photos_are_found_by_path_by_name_and_only_once(coco: CocoFolder) -> None:
    for folder in ("x", "y"):
        coco.add(f"{folder}/same.jpg")
    coco.add("x/alone.jpg")
    coco.add("x/deep/moved.jpg")
    coco.add("é 車.jpg")
    images = coco.data["images"]
    images[1]["file_name"] = "same.jpg"
    images[2] |= {"path": "/somewhere/else/alone.jpg", "file_name": "alone.jpg"}
    images[3]["file_name"] = "C:\\photos\\moved.jpg"
    found = read_coco(coco.write())
    assert [s.source_file for s in found.samples] == [
        "x/same.jpg", "same.jpg", "x/alone.jpg", "x/deep/moved.jpg", "é 車.jpg",
    ]  # fmt: skip
    assert _problems(found) == {"same.jpg": "2 photos have the name same.jpg: x/same.jpg, y/same.jpg"}


def test_paths_do_not_lead_out_of_the_folder(coco: CocoFolder) -> None:
    coco.add("a.jpg")
    (coco.root / "a.jpg").rename(coco.root.parent / "outside.jpg")
    coco.data["images"][0]["file_name"] = "../outside.jpg"
    assert "no photo" in _problems(read_coco(coco.write()))["../outside.jpg"]


def test_the_annotation_file_is_found_or_named(coco: CocoFolder, tmp_path: Path) -> None:
    coco.add()
    root = coco.write("annotations/instances.json")
    for source, named in (
        (root, None),
        (root / "annotations" / "instances.json", None),
        (root, root / "annotations" / "instances.json"),
    ):
        assert _problems(read_coco(source, named)) == {}
    (root / "other.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"instances.json(.|\n)*--annotations"):
        read_coco(root)
    with pytest.raises(ConfigError, match="no such file"):
        read_coco(root, root / "none.json")
    with pytest.raises(ConfigError, match="nothing is there"):
        read_coco(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="JSON files: none"):
        read_coco(tmp_path / "empty")


@pytest.mark.parametrize(
    "text",
    ['{"images": [', "[]", '{"images": [], "annotations": []}', '{"images": [1], "annotations": [], "categories": []}',
     "\x00", "[" * 100_000],
)  # fmt: skip
def test_a_file_that_is_no_data_set_is_one_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "annotations.json").write_text(text)
    with pytest.raises(DataError, match=r"annotations\.json"):
        read_coco(tmp_path)


@pytest.mark.parametrize(
    "categories",
    [
        [],
        [{"id": 1, "name": "_background_"}],
        [{"id": 1}],
        [{"id": "one", "name": "hood"}],
        [{"id": 1, "name": "a"}] * 2,
    ],
)
def test_categories_have_to_make_sense(coco: CocoFolder, categories: list[Any]) -> None:
    coco.add()
    coco.data["categories"] = categories
    with pytest.raises(DataError, match="categories"):
        read_coco(coco.write())


def test_categories_have_to_make_a_schema(coco: CocoFolder) -> None:
    coco.add()
    coco.data["categories"] = [{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]
    with pytest.raises(SchemaError, match="twice"):
        read_coco(coco.write())
    coco.data["categories"] = [{"id": n, "name": f"p{n}"} for n in range(255)]
    with pytest.raises(SchemaError, match="at most 254"):
        read_coco(coco.write())


def test_why_fill_poly_is_not_used() -> None:
    drawn = cv2.fillPoly(np.zeros((40, 40), np.uint8), [np.array(square(10, 10, 20), np.int32).reshape(-1, 2)], 1)
    assert drawn.sum() == 441


def _part(root: Path, name: str, *photos: str) -> None:
    """One annotation file of several, with photos anywhere below ``root``."""
    part = CocoFolder(root)
    for photo in photos:
        part.add(photo)
        part.data["images"][-1]["file_name"] = Path(photo).name
    part.write(name)


def _told(found: SampleSet) -> list[tuple[str, str | None, str]]:
    assert _problems(found) == {}
    assert len({sample.id for sample in found.samples}) == len(found.samples)
    return [(sample.source_file, sample.split, sample.subset) for sample in found.samples]


@pytest.mark.parametrize("images", ["", "images/"])
def test_several_files_with_a_folder_each_say_the_split(tmp_path: Path, images: str) -> None:
    for split, photos in (("train2017", ("1.jpg", "2.jpg")), ("val2017", ("1.jpg",))):
        _part(tmp_path, f"annotations/instances_{split}.json", *(f"{images}{split}/{photo}" for photo in photos))
    (tmp_path / "annotations" / "captions_val2017.json").write_text("{}")
    assert _told(read_coco(tmp_path)) == [
        (f"{images}train2017/1.jpg", "train", "train2017"),
        (f"{images}train2017/2.jpg", "train", "train2017"),
        (f"{images}val2017/1.jpg", "val", "val2017"),
    ]


def test_the_layout_of_roboflow(tmp_path: Path) -> None:
    for folder, photo in (("train", "a.jpg"), ("valid", "a.jpg"), ("test", "b.jpg")):
        _part(tmp_path, f"{folder}/_annotations.coco.json", f"{folder}/{photo}")
    assert _told(read_coco(tmp_path)) == [
        ("test/b.jpg", "test", "test"), ("train/a.jpg", "train", "train"), ("valid/a.jpg", "val", "valid"),
    ]  # fmt: skip


def test_several_files_may_share_a_folder_of_photos(tmp_path: Path) -> None:
    _part(tmp_path, "train.json", "photos/1.jpg", "photos/2.jpg")
    _part(tmp_path, "test.json", "photos/3.jpg")
    assert _told(read_coco(tmp_path)) == [
        ("photos/3.jpg", "test", "test"), ("photos/1.jpg", "train", "train"), ("photos/2.jpg", "train", "train"),
    ]  # fmt: skip
    (tmp_path / "photos" / "4.jpg").write_bytes((tmp_path / "photos" / "3.jpg").read_bytes())
    assert _problems(read_coco(tmp_path)) == {"photos/4.jpg": "the photo is not listed in test.json, train.json"}


@pytest.mark.parametrize("change", ["name", "id", "more"])
def test_several_files_have_to_have_the_same_categories(tmp_path: Path, change: str) -> None:
    _part(tmp_path, "train.json", "1.jpg")
    other = CocoFolder(tmp_path)
    other.add("2.jpg")
    match change:
        case "name":
            other.data["categories"][1]["name"] = "bonnet"
        case "id":
            other.data["categories"][-1]["id"] += 1
        case "more":
            other.data["categories"].append({"id": 99, "name": "spoiler"})
    other.write("val.json")
    with pytest.raises(DataError, match=r"val\.json: the categories are not those of(.|\n)*--annotations"):
        read_coco(tmp_path)


def test_files_whose_names_say_no_split_leave_doubt(tmp_path: Path) -> None:
    _part(tmp_path, "train.json", "1.jpg")
    _part(tmp_path, "more.json", "2.jpg")
    with pytest.raises(ConfigError, match=r"more\.json, train\.json(.|\n)*--annotations"):
        read_coco(tmp_path)


def test_a_photo_that_is_a_link_out_of_the_folder_is_a_problem(coco: CocoFolder) -> None:
    coco.add("a.jpg")
    coco.add("b.jpg")
    (coco.root / "a.jpg").rename(coco.root.parent / "outside.jpg")
    (coco.root / "a.jpg").symlink_to(coco.root.parent / "outside.jpg")
    problems = _problems(read_coco(coco.write()))
    assert list(problems) == ["a.jpg"] and "outside the data set's folder" in problems["a.jpg"]


def test_an_annotation_for_a_huge_photo_is_a_problem(coco: CocoFolder) -> None:
    coco.add("a.jpg")
    coco.data["images"][0] |= {"width": 20_000, "height": 20_000}
    assert "20000x20000" in _problems(read_coco(coco.write()))["a.jpg"]


@pytest.mark.parametrize("ids", [("1", 1), (1, "1"), (1.0, "1"), ("1", 1.0), (" 1", 1), ("one", "one")])
def test_image_ids_meet_however_they_are_written(coco: CocoFolder, ids: tuple[Any, Any]) -> None:
    coco.add()
    coco.data["images"][0]["id"], coco.data["annotations"][0]["image_id"] = ids
    assert _problems(read_coco(coco.write())) == {}


@pytest.mark.parametrize("write", [str, float, lambda number: f"{number}.0"])
def test_category_ids_meet_however_they_are_written(coco: CocoFolder, write: Callable[[int], Any]) -> None:
    coco.add(hood=[square(0, 0, 10)])
    plain = read(_only(read_coco(coco.write()))).mask
    for annotation in coco.data["annotations"]:
        annotation["category_id"] = write(annotation["category_id"])
    assert (read(_only(read_coco(coco.write()))).mask == plain).all()
    for category in coco.data["categories"]:
        category["id"] = write(category["id"])
    assert (read(_only(read_coco(coco.write()))).mask == plain).all()


def _with_root(coco: CocoFolder) -> None:
    for category in coco.data["categories"]:
        category["supercategory"] = "car parts"
    coco.data["categories"].append({"id": 0, "name": "car parts", "supercategory": "none"})


def test_a_category_above_the_others_without_shapes_is_no_part(coco: CocoFolder) -> None:
    coco.add()
    plain = read_coco(coco.write()).schema
    _with_root(coco)
    assert read_coco(coco.write()).schema == plain
    coco.data["annotations"].append(coco.data["annotations"][0] | {"id": 9, "category_id": 0})
    assert read_coco(coco.write()).schema.names[:3] == ("background", "car parts", "hood")


def test_a_category_above_the_others_is_a_part_where_any_file_has_shapes_of_it(tmp_path: Path) -> None:
    for name, photo, used in (("train.json", "1.jpg", 0), ("val.json", "2.jpg", 5)):
        part = CocoFolder(tmp_path)
        part.add(photo)
        _with_root(part)
        part.data["annotations"][0]["category_id"] = used
        part.write(name)
    assert "car parts" in read_coco(tmp_path).schema.names


def test_a_category_without_shapes_that_is_above_no_other_is_a_part(coco: CocoFolder) -> None:
    coco.add()
    for category in coco.data["categories"]:
        category["supercategory"] = category["name"]
    assert len(read_coco(coco.write()).schema.parts) == 7


def test_two_images_do_not_share_a_photo_by_its_name(coco: CocoFolder) -> None:
    coco.add("train/1.jpg")
    coco.add("test/1.jpg")
    (coco.root / "test/1.jpg").unlink()
    problems = _problems(read_coco(coco.write()))
    assert list(problems) == ["test/1.jpg"] and "meant by train/1.jpg" in problems["test/1.jpg"]


@pytest.mark.parametrize("place", [("z_order",), ("attributes", "z_order"), ("zIndex",)])
def test_the_order_that_the_file_states_is_that_of_overlapping_parts(coco: CocoFolder, place: tuple[str, ...]) -> None:
    coco.add(hood=[square(10, 10, 20)], wheel=[square(12, 12, 8)])
    assert (_mask(coco) == 7).sum() == 64
    for z, annotation in enumerate(reversed(coco.data["annotations"])):
        annotation.update({place[0]: z} if len(place) == 1 else {place[0]: {place[1]: z}})
    assert (_mask(coco) == 7).sum() == 0
    (sample,) = read_coco(coco.write()).samples
    assert (read(sample, ReadingWay(overlap="smaller")).mask == 7).sum() == 64


@pytest.mark.parametrize("nothing", [[], None, [[]], [[10, 10, 20, 20]], "drop"], ids=str)
def test_one_annotation_without_an_area_does_not_lose_the_photo(coco: CocoFolder, nothing: Any) -> None:
    coco.add(hood=[square(10, 10, 20)])
    plain = _mask(coco)
    coco.annotate(1, "wheel", nothing)
    if nothing == "drop":
        del coco.data["annotations"][-1]["segmentation"]
    (sample,) = read_coco(coco.write()).samples
    assert (read(sample).mask == plain).all() and read(sample).parts.notes == {NO_AREA: 1}


def test_what_the_file_states_of_a_shape_is_looked_at(coco: CocoFolder) -> None:
    coco.add(
        "a.jpg", (64, 48), hood=[[v * s for v, s in zip(square(10, 10, 20), (100 / 64, 100 / 48) * 4, strict=True)]]
    )
    coco.data["annotations"][0] |= {"area": 400, "bbox": [10, 10, 20, 20]}
    assert "in percent" in _problems(read_coco(coco.write()))["a.jpg"]
    coco.data["annotations"][0] |= {"area": None, "bbox": "none", "attributes": [], "z_order": "top"}
    assert "in percent" not in _problems(read_coco(coco.write())).get("a.jpg", "")
