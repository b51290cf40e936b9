from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from augkit.core.errors import ConfigError, DataError, SchemaError
from augkit.data.importers import IMPORTERS
from augkit.data.importers._yolo_files import label_of
from augkit.data.importers.yolo import read_yolo
from augkit.data.ingest.journal import stamp
from augkit.data.plausibility import NO_AREA
from augkit.data.samples import Sample, SampleSet, read
from tests.data.importers.makers.pictures import PARTS, mask, photo, save
from tests.data.importers.makers.yolo import make, rectangle

DOCUMENT = Path(__file__).parents[3] / "docs/data.md"
WHOLE = rectangle(0, 0, 0, 1, 1)


def _describe(root: Path, **entries: Any) -> Path:
    """Changes entries of ``data.yaml``; those that are None go."""
    file = root / "data.yaml"
    known = yaml.safe_load(file.read_text()) | entries
    file.write_text(yaml.safe_dump({key: value for key, value in known.items() if value is not None}))
    return root


def _add(root: Path, name: str, *rows: str) -> None:
    """A photo ``images/NAME.png`` with these rows."""
    save(root / "images" / f"{name}.png", photo(0, 20, 30))
    label = root / "labels" / f"{name}.txt"
    label.parent.mkdir(parents=True, exist_ok=True)
    label.write_text("\n".join(rows), encoding="utf-8")


def _problems(found: SampleSet) -> dict[str, str]:
    """What goes wrong with each sample, known beforehand or when it is read."""
    problems = {}
    for sample in found.samples:
        try:
            read(sample)
        except (DataError, OSError) as error:
            problems[sample.source_file] = str(error)
    return problems


def _only(found: SampleSet) -> Sample:
    (sample,) = found.samples
    return sample


def _drawn(root: Path, *rows: str) -> np.ndarray:
    """The mask of a data set's one photo, 30 x 20, with these rows."""
    make(root, 0)
    _add(root, "train/a", *rows)
    return read(_only(read_yolo(root))).mask


def test_it_is_registered() -> None:
    assert IMPORTERS["yolo"] is read_yolo


def test_a_polygon_is_scaled_to_the_photo(tmp_path: Path) -> None:
    drawn = _drawn(tmp_path, rectangle(2, 0.1, 0.25, 0.5, 0.75))
    expected = np.zeros((20, 30), np.uint8)
    expected[5:15, 3:15] = 3
    assert (drawn == expected).all()


def test_several_rows_are_several_shapes_and_the_smaller_lies_on_top(tmp_path: Path) -> None:
    rows = [rectangle(0, 0.2, 0.2, 0.4, 0.4), WHOLE.replace("0", "1", 1), rectangle(0, 0.5, 0.5, 0.6, 0.6)]
    for name, order in (("one", rows), ("other", rows[::-1])):
        drawn = _drawn(tmp_path / name, *order)
        assert (drawn == 1).sum() == 6 * 4 + 3 * 2 and (drawn == 2).sum() == 600 - 30


def test_points_slightly_outside_are_moved_to_the_border(tmp_path: Path) -> None:
    assert (_drawn(tmp_path, rectangle(0, -0.04, -0.01, 1.05, 0.5)) == 1).sum() == 30 * 10


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("0 0.1 0.1 0.9 0.9", "a box, not a polygon"),
        ("0 0.1 0.1 0.9 0.9 0.5", "5 coordinates, an odd count"),
        ("0 0.1 0.1 0.9 0.9 0.5 0.5 0.2", "7 coordinates, an odd count"),
        ("0 0.1 0.1 0.9 0.9 0.5 1.2", "1.2 lies far outside the photo"),
        ("0 12 12 300 12 300 200", "12 lies far outside"),
        ("0 0.1 0.1 0.9 0.9 0.5 nan", "nan lies far outside"),
        ("0 0.1 0.1 0.9 0.9 0.5 x", "could not convert"),
        ("5 0 0 1 0 1 1", "class 5 is not among the names"),
        ("255 0 0 1 0 1 1", "class 255 is not among the names"),
        ("-1 0 0 1 0 1 1", "class -1 is not"),
        ("0.5 0 0 1 0 1 1", "class 0.5 is not"),
        ("inf 0 0 1 0 1 1", "class inf is not"),
        ("hood 0 0 1 0 1 1", "could not convert"),
    ],
)
def test_a_faulty_row_is_the_photos_problem(tmp_path: Path, row: str, fault: str) -> None:
    _add(make(tmp_path, 1), "train/bad", "", WHOLE, row)
    problems = _problems(read_yolo(tmp_path))
    assert list(problems) == ["images/train/bad.png"]
    assert fault in problems["images/train/bad.png"]
    assert problems["images/train/bad.png"].startswith("labels/train/bad.txt, line 3: ")


def test_two_points_are_a_box_to_the_format_and_two_points_drawn_out_are_no_area(tmp_path: Path) -> None:
    """Two points are four numbers, as a box is; the same point three times has no area."""
    _add(make(tmp_path, 1), "train/flat", "0 0.5 0.5 0.5 0.5 0.5 0.5", rectangle(1, 0, 0, 1, 1))
    drawn = next(read(s).mask for s in read_yolo(tmp_path).samples if s.source_file.endswith("flat.png"))
    assert set(np.unique(drawn)) == {2}


@pytest.mark.parametrize("row", ["0", "0 0.1 0.1", "0 0.5 0.5 0.5 0.5 0.5 0.5"])
def test_a_row_without_an_area_is_left_out_and_counted(tmp_path: Path, row: str) -> None:
    make(tmp_path, 0)
    _add(tmp_path, "train/a", row, WHOLE.replace("0", "1", 1))
    reading = read(_only(read_yolo(tmp_path)))
    assert (reading.mask == 2).all() and reading.parts.notes == {NO_AREA: 1}
    _add(tmp_path, "train/a", row)
    assert "no annotation has an area" in _problems(read_yolo(tmp_path))["images/train/a.png"]


def test_a_class_may_be_written_as_a_decimal_number(tmp_path: Path) -> None:
    assert (_drawn(tmp_path, WHOLE.replace("0", "3.0", 1)) == 4).all()


def test_every_fault_of_a_file_is_the_problem_of_its_sample(tmp_path: Path) -> None:
    root = make(tmp_path / "set", 1)
    names = ("empty", "blank", "unlabelled", "binary", "cut", "text", "linked")
    for name in names:
        _add(root, f"train/{name}", WHOLE)
    images, labels = root / "images/train", root / "labels/train"
    (labels / "empty.txt").write_text("")
    (labels / "blank.txt").write_text(" \n\n")
    (labels / "unlabelled.txt").unlink()
    (labels / "binary.txt").write_bytes(b"\xff\xfe\x00")
    (images / "cut.png").write_bytes((images / "cut.png").read_bytes()[:200])
    (images / "text.png").write_text("not a photo")
    (labels / "linked.txt").rename(tmp_path / "outside.txt")
    (labels / "linked.txt").symlink_to(tmp_path / "outside.txt")
    (labels / "alone.txt").write_text(WHOLE)
    (labels / "classes.txt").write_text("hood")
    problems = _problems(read_yolo(root))
    assert "no text" in problems.pop("images/train/binary.png")
    assert "the photo cannot be read" in problems.pop("images/train/cut.png")
    assert "outside the data set's folder" in problems.pop("images/train/linked.png")
    assert problems == {
        "images/train/empty.png": "no annotation: labels/train/empty.txt is empty",
        "images/train/blank.png": "no annotation: labels/train/blank.txt is empty",
        "images/train/unlabelled.png": "no annotation: labels/train/unlabelled.txt is not there",
        "images/train/text.png": "the photo cannot be read: no picture of a known format",
        "labels/train/alone.txt": "no photo belongs to the label",
    }


def test_a_photo_that_lies_on_its_side_is_measured_upright(tmp_path: Path) -> None:
    make(tmp_path, 0)
    _add(tmp_path, "train/a", rectangle(0, 0, 0, 1, 0.5))
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(photo(0, 20, 30)).save(tmp_path / "images/train/a.png", exif=turned)
    reading = read(_only(read_yolo(tmp_path)))
    assert reading.photo.shape == (30, 20, 3) and (reading.mask[:15] == 1).all() and not reading.mask[15:].any()


def test_splits_are_those_of_the_file(tmp_path: Path) -> None:
    make(tmp_path, 1)
    for name in ("val/b", "test/deep/c", "more/d"):
        _add(tmp_path, name, WHOLE)
    _describe(tmp_path, train=["images/train", "images/more"], val="images/val", test="images/test")
    assert {s.id: s.split for s in read_yolo(tmp_path).samples} == {"0": "train", "d": "train", "b": "val", "c": "test"}
    assert _problems(read_yolo(tmp_path)) == {}


def test_splits_may_be_lists_of_photos(tmp_path: Path) -> None:
    make(tmp_path, 1)
    for name in ("b", "c", "d", "e"):
        _add(tmp_path, name, WHOLE)
    lines = [
        "./images/b.png",
        "images\\c.png",
        "",
        str(tmp_path / "images/d.png"),
        "images/lost.png",
        "/etc/passwd.png",
    ]
    (tmp_path / "train.txt").write_text("\n".join(lines))
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/val.txt").write_text("images/e.png\n")
    _describe(tmp_path, train=["images/train", "train.txt"], val="lists/val.txt")
    found = read_yolo(tmp_path)
    assert {s.source_file: s.split for s in found.samples if not s.problem} == {
        "images/train/0.jpg": "train", "images/b.png": "train", "images/c.png": "train", "images/d.png": "train",
        "images/e.png": "val",
    }  # fmt: skip
    assert _problems(found) == {
        "images/lost.png": "no photo at images/lost.png (listed in train.txt) in the data set's folder",
        "/etc/passwd.png": "no photo at /etc/passwd.png (listed in train.txt) in the data set's folder",
    }


def test_a_photo_of_two_splits_or_of_two_suffixes_is_a_problem(tmp_path: Path) -> None:
    make(tmp_path, 2)
    _add(tmp_path, "val/b", WHOLE)
    save(tmp_path / "images/train/1.png", photo(1))
    (tmp_path / "val.txt").write_text("images/val/b.png\nimages/train/0.jpg\n")
    assert _problems(read_yolo(_describe(tmp_path, val="val.txt"))) == {
        "images/train/0.jpg": "the photo is listed in train and in val",
        "images/train/1.jpg": "2 photos have the stem images/train/1",
        "images/train/1.png": "2 photos have the stem images/train/1",
    }


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"val": "images/train"}, ["val lists the photos of train (.*)kept as train, and no photo is held out"]),
        ({"val": "train.txt", "test": "images/train"}, ["val lists the photos of train", "test lists (.*)of train"]),
        (
            {"val": "images/val", "test": "images/val"},
            ["test lists the photos of val once more: they are kept as val$"],
        ),
        ({"val": "images/val"}, []),
    ],
)
def test_a_split_that_is_an_earlier_one_over_again_is_left_out(
    tmp_path: Path, change: dict[str, str], told: list[str]
) -> None:
    make(tmp_path, 3)
    _add(tmp_path, "val/b", WHOLE)
    photos = sorted((tmp_path / "images/train").iterdir())
    (tmp_path / "train.txt").write_text("\n".join(f"images/train/{photo.name}" for photo in photos))
    found = read_yolo(_describe(tmp_path, **change))
    assert _problems(found) == {}
    assert {s.source_file: s.split for s in found.samples if "/train/" in s.source_file} == {
        f"images/train/{photo.name}": "train" for photo in photos
    }
    assert {s.split for s in found.samples if "/val/" in s.source_file} <= {"val"}
    assert len(found.warnings) == len(told)
    assert all(re.search(f"^data.yaml: {text}", warning) for text, warning in zip(told, found.warnings, strict=True))


@pytest.mark.parametrize("entry", ["train/images", "../train/images", "../../train/images"])
def test_the_layout_of_roboflow(tmp_path: Path, entry: str) -> None:
    make(tmp_path, 1)
    (tmp_path / "train").mkdir()
    for kind in ("images", "labels"):
        (tmp_path / kind / "train").rename(tmp_path / "train" / kind)
    assert _problems(read_yolo(_describe(tmp_path, path=None, train=entry))) == {}


@pytest.mark.parametrize(
    ("photo_path", "label"),
    [
        ("images/train/a.jpg", "labels/train/a"),
        ("train/images/a.b.jpg", "train/labels/a.b"),
        ("images/set/images/a.jpg", "images/set/labels/a"),
        ("my images/a.jpg", "my images/a"),
        ("a/images.jpg", "a/images"),
    ],
)
def test_the_last_images_becomes_labels(photo_path: str, label: str) -> None:
    assert label_of(photo_path) == label


def test_the_file_is_found_or_named(tmp_path: Path) -> None:
    root = make(tmp_path / "set", 1)
    (root / "data.yaml").rename(root / "cars.yml")
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_bytes((root / "cars.yml").read_bytes())
    for source, named in ((root, None), (root / "cars.yml", None), (root, elsewhere)):
        assert _problems(read_yolo(source, named)) == {}
    (root / "other.yaml").write_text("")
    with pytest.raises(ConfigError, match=r"cars\.yml, other\.yaml|other\.yaml, cars\.yml"):
        read_yolo(root)
    with pytest.raises(ConfigError, match="no such file"):
        read_yolo(root, root / "none.yaml")


def test_path_leads_to_the_data_from_a_file_and_not_out_of_a_folder(tmp_path: Path) -> None:
    make(tmp_path / "set", 1)
    (tmp_path / "conf").mkdir()
    (tmp_path / "set/data.yaml").rename(tmp_path / "conf/data.yaml")
    _describe(tmp_path / "conf", path="../set")
    assert _problems(read_yolo(tmp_path / "conf/data.yaml")) == {}
    with pytest.raises(DataError, match="images/train is not in"):
        read_yolo(tmp_path / "conf")
    (tmp_path / "set").rename(tmp_path / "conf/inner")
    assert _problems(read_yolo(_describe(tmp_path / "conf", path="inner"))) == {}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no names"),
        ("train: [", "expected"),
        ("- 1", "no names"),
        ("train: images\nnames:\n", "no names"),
        ("names: [hood]", "neither train nor val nor test"),
        ("train: images\nnames: hood", "names: 'hood'"),
        ("train: images\nnames: [1, 2]", "names: [1, 2]"),
        ("train: images\nnames: {a: hood}", "names: {'a': 'hood'}"),
        ("train: images\nnc: 2\nnames: [hood]", "nc is 2, but there are 1 names"),
        ("train: images\nnames: [background]", "no parts"),
        ("train: nowhere\nnames: [hood]", "train: nowhere is not in"),
        ("train: ../../..\nnames: [hood]", "is not in"),
        ("train: /etc\nnames: [hood]", "train: /etc is not in"),
        ("train: images\nmasks_dir: ../x\nnames: [hood]", "masks_dir: '../x'"),
        ("train: images\nmasks_dir: masks\nlabel_mapping: {7: 0}\nnames: [hood]", "label_mapping"),
        ("train: images/train\nval: images\nnames: [\x00", "unacceptable character"),
        ("a: " + "[" * 1_000, "data.yaml"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_description_is_one_error(tmp_path: Path, text: str, fault: str) -> None:
    (make(tmp_path, 1) / "data.yaml").write_text(text)
    with pytest.raises(DataError, match=r"data\.yaml") as error:
        read_yolo(tmp_path)
    assert fault in error.value.found


def test_a_split_without_photos_is_an_error(tmp_path: Path) -> None:
    (make(tmp_path, 0) / "images/train").mkdir(parents=True)
    with pytest.raises(DataError, match="no photo in train"):
        read_yolo(tmp_path)


def test_names_have_to_make_a_schema(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="twice"):
        read_yolo(_describe(make(tmp_path, 1), names=["hood", "hood"]))


def test_gaps_in_the_class_numbers_are_closed_and_not_filled(tmp_path: Path) -> None:
    make(tmp_path, 0)
    _add(tmp_path, "train/a", rectangle(7, 0, 0, 1, 1))
    _add(tmp_path, "train/b", rectangle(0, 0, 0, 1, 1))
    found = read_yolo(_describe(tmp_path, names={3: "hood", 7: "wheel"}))
    assert found.schema.names == ("background", "hood", "wheel")
    assert (read(next(iter(found.samples))).mask == 2).all()
    assert "class 0 is not among the names" in _problems(found)["images/train/b.png"]


def test_class_numbers_may_be_quoted(tmp_path: Path) -> None:
    plain, quoted = make(tmp_path / "plain", 1), make(tmp_path / "quoted", 1)
    found = read_yolo(_describe(quoted, names={str(number): name for number, name in enumerate(PARTS)}))
    assert found.schema == read_yolo(plain).schema
    assert np.array_equal(read(_only(found)).mask, read(_only(read_yolo(plain))).mask)


def test_a_background_class_is_the_background(tmp_path: Path) -> None:
    make(tmp_path, 0)
    _add(tmp_path, "train/a", WHOLE, rectangle(1, 0, 0, 0.5, 1))
    for name in ("background", "BG", "unlabeled"):
        found = read_yolo(_describe(tmp_path, names=[name, "hood"]))
        assert found.schema.names == ("background", "hood")
        assert (read(_only(found)).mask == 1).sum() == 300


def _semantic(root: Path, *suffixes: str) -> Path:
    """Masks in pictures, of the class numbers: with no background class, what is none is 255."""
    make(root, len(suffixes))
    for number, suffix in enumerate(suffixes):
        classes = np.where(mask(number) > 0, mask(number) - 1, 255).astype(np.uint8)
        save(root / "masks/train" / f"{number}{suffix}", classes)
    return _describe(root, masks_dir="masks")


def test_masks_in_pictures_hold_class_numbers(tmp_path: Path) -> None:
    found = read_yolo(_semantic(tmp_path, ".png", ".bmp", ".tif"))
    assert found.schema.names[1:] == PARTS
    for number, sample in enumerate(found.samples):
        assert (read(sample).mask == np.where(mask(number) > 0, mask(number), 255)).all()


def test_faults_of_mask_pictures(tmp_path: Path) -> None:
    root = _semantic(tmp_path, ".png", ".png", ".png", ".png")
    masks = root / "masks/train"
    save(masks / "1.png", np.full((40, 56), 5, np.uint8))
    (masks / "2.png").unlink()
    save(masks / "3.tif", mask(0))
    save(masks / "alone.png", mask(0))
    assert _problems(read_yolo(root)) == {
        "images/train/1.jpg": "the mask has values that data.yaml does not list: 5 (2240 px)",
        "images/train/2.jpg": "0 masks at masks/train/2 (.png, .bmp, .tif, .tiff); there has to be one",
        "images/train/3.jpg": "2 masks at masks/train/3 (.png, .bmp, .tif, .tiff); there has to be one",
        "masks/train/alone.png": "no photo belongs to the label",
    }


def test_the_example_of_the_document_is_a_description(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(path:.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    _add(make(tmp_path, 1), "val/b", WHOLE)
    (tmp_path / "data.yaml").write_text(text)
    (tmp_path / "labels/train/0.txt").write_text(WHOLE)
    found = read_yolo(tmp_path)
    assert found.schema.names[1:] == ("hood", "left_door", "right_door") and _problems(found) == {}


def _below(root: Path, prefix: str) -> Path:
    """The photos' folders below another one, as a data set packed with its own folder has them."""
    root.joinpath(prefix).mkdir(parents=True)
    for kind in ("images", "labels"):
        (root / kind).rename(root / prefix / kind)
    return root


@pytest.mark.parametrize("below", ["", "cars"])
@pytest.mark.parametrize(
    "entry",
    ["C:/Users/x/cars/images/train", "C:\\cars\\images\\train", "/kaggle/input/cars/images/train", "Images/Train",
     "./cars/images/train", "../cars/images/train/"],
)  # fmt: skip
def test_folders_of_another_machine_are_found_by_their_tail(tmp_path: Path, entry: str, below: str) -> None:
    make(tmp_path, 2)
    if below:
        _below(tmp_path, below)
    found = read_yolo(_describe(tmp_path, path=None, train=entry))
    assert _problems(found) == {} and len(found.samples) == 2


@pytest.mark.parametrize(
    "line",
    ["C:\\Users\\x\\cars\\images\\train\\{}.jpg", "/kaggle/input/images/train/{}.jpg", "data/obj/images/train/{}.jpg",
     "IMAGES/TRAIN/{}.JPG", "{}.jpg"],
)  # fmt: skip
def test_photos_of_another_machine_are_found_by_their_tail(tmp_path: Path, line: str) -> None:
    make(tmp_path, 2)
    (tmp_path / "train.txt").write_text("\r\n".join(line.format(number) for number in range(2)))
    found = read_yolo(_describe(tmp_path, train="train.txt"))
    assert _problems(found) == {} and [s.source_file for s in found.samples] == [
        "images/train/0.jpg",
        "images/train/1.jpg",
    ]


def test_a_line_that_may_mean_several_photos_is_a_problem(tmp_path: Path) -> None:
    make(tmp_path, 1)
    _add(tmp_path, "val/0", WHOLE)
    (tmp_path / "images/val/0.png").rename(tmp_path / "images/val/0.jpg")
    (tmp_path / "train.txt").write_text("D:/0.jpg")
    assert _problems(read_yolo(_describe(tmp_path, train="train.txt"))) == {
        "D:/0.jpg": "2 photos may be D:/0.jpg (listed in train.txt): images/train/0.jpg, images/val/0.jpg"
    }


def test_an_entry_that_is_nowhere_says_where_photos_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train: pictures is not in .*, where photos are in images/train"):
        read_yolo(_describe(make(tmp_path, 1), train="pictures"))


def test_a_label_may_be_spelt_in_another_way_than_its_photo(tmp_path: Path) -> None:
    make(tmp_path, 1)
    for name in ("T\u00fcr", "B"):
        _add(tmp_path, f"train/{name}", WHOLE)
    labels = tmp_path / "labels/train"
    (labels / "T\u00fcr.txt").rename(labels / "Tu\u0308r.txt")
    (labels / "B.txt").rename(labels / "b.txt")
    assert _problems(read_yolo(tmp_path)) == {}
    (tmp_path / "labels").rename(tmp_path / "Labels")
    assert _problems(read_yolo(tmp_path)) == {}


def test_a_label_that_two_photos_might_have_is_nobodys(tmp_path: Path) -> None:
    make(tmp_path, 1)
    for name in ("b", "B"):
        _add(tmp_path, f"train/{name}", WHOLE)
    labels = tmp_path / "labels/train"
    (labels / "b.txt").rename(labels / "\u212a.txt")
    (labels / "B.txt").rename(labels / "x.txt")
    assert sorted(_problems(read_yolo(tmp_path))) == [
        "images/train/B.png", "images/train/b.png", "labels/train/x.txt", "labels/train/\u212a.txt",
    ]  # fmt: skip


@pytest.mark.parametrize("semantic", [False, True])
def test_a_label_that_changes_is_another_to_an_import_that_goes_on(tmp_path: Path, semantic: bool) -> None:
    sample = _only(read_yolo(_semantic(tmp_path, ".png") if semantic else make(tmp_path, 1)))
    before = stamp(sample)
    label = tmp_path / ("masks/train/0.png" if semantic else "labels/train/0.txt")
    label.write_bytes(label.read_bytes() + b"\n")
    assert stamp(sample) != before
