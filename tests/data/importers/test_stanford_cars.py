from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from augkit.core.errors import ConfigError, DataError
from augkit.data.importers import IMPORTERS
from augkit.data.importers._boxes import subset_of
from augkit.data.importers.stanford_cars import read_stanford_cars
from augkit.data.orientation import classify
from augkit.data.samples import Sample, SampleSet, read
from tests.data.importers.huge import huge_png
from tests.data.importers.makers.stanford_cars import BOX, HEIGHT, WIDTH, ellipse, mat, photo, row


@pytest.fixture(autouse=True)
def filled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silhouette that fills its box, so that places can be compared; GrabCut itself has its own tests."""

    def fill(photo: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
        assert photo.dtype == np.uint8 and photo.shape[2] == 3
        left, top, right, bottom = (max(0, round(value)) for value in box)
        cover = np.zeros(photo.shape[:2], bool)
        cover[top:bottom, left:right] = True
        return cover

    monkeypatch.setattr("augkit.data.importers.stanford_cars.from_box", fill)


@pytest.fixture
def cars(tmp_path: Path) -> Path:
    """The layout of the data set's site: 2 photos to train, 1 to test."""
    root = tmp_path / "cars"
    for name in ("cars_train/00001.jpg", "cars_train/00002.jpg", "cars_test/00001.jpg"):
        photo(root, name)
    mat(root, "devkit/cars_train_annos.mat", row("00002.jpg", **{"class": 3}), row("00001.jpg", **{"class": 14}))
    mat(root, "devkit/cars_test_annos.mat", row("00001.jpg", (1, 1, WIDTH, HEIGHT)))
    return root


def _problems(found: SampleSet) -> dict[str, str]:
    problems = {}
    for sample in found.samples:
        try:
            read(sample)
        except (DataError, OSError) as error:
            problems[sample.source_file] = str(error)
    return problems


def _by_file(found: SampleSet) -> dict[str, Sample]:
    return {sample.source_file: sample for sample in found.samples}


def test_it_is_registered() -> None:
    assert IMPORTERS["stanford-cars"] is read_stanford_cars


def test_photos_and_boxes_become_samples_of_one_part(cars: Path) -> None:
    found = read_stanford_cars(cars)
    assert found.schema.names == ("background", "car")
    assert [(s.source_file, s.subset, s.split) for s in found.samples] == [
        ("cars_train/00002.jpg", "train", None),
        ("cars_train/00001.jpg", "train", None),
        ("cars_test/00001.jpg", "test", "test"),
    ]
    assert len({s.id for s in found.samples}) == 3 and _problems(found) == {}


def test_boxes_count_pixels_from_one_to_the_last(cars: Path) -> None:
    samples = _by_file(read_stanford_cars(cars))
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[5:35, 10:50] = 1
    assert (read(samples["cars_train/00001.jpg"]).mask == expected).all()
    assert read(samples["cars_test/00001.jpg"]).mask.all(), "small numbers must not wrap around"


def test_labels_of_the_test_set_replace_the_file_without(cars: Path) -> None:
    mat(cars, "cars_test_annos_withlabels.mat", row("00001.jpg", BOX, **{"class": 3}))
    sample = _by_file(read_stanford_cars(cars))["cars_test/00001.jpg"]
    assert read(sample).mask.sum() == 40 * 30


def test_the_file_of_all_photos_says_which_are_of_the_test_set(tmp_path: Path) -> None:
    for number in (1, 2):
        photo(tmp_path, f"car_ims/00000{number}.jpg")
    rows = [row(f"car_ims/00000{n}.jpg", column="relative_im_path", **{"class": 1, "test": n - 1}) for n in (1, 2)]
    mat(tmp_path, "cars_annos.mat", *rows)
    found = read_stanford_cars(tmp_path)
    assert [(s.source_file, s.subset, s.split) for s in found.samples] == [
        ("car_ims/000001.jpg", "train", None),
        ("car_ims/000002.jpg", "test", "test"),
    ]
    assert _problems(found) == {}


LINE = "00001.jpg,11,6,50,35,14\n"


@pytest.mark.parametrize(
    "text",
    [
        LINE,
        "fname,x1,y1,x2,y2,class\n" + LINE,
        "\ufefffname, bbox_x1, bbox_y1, bbox_x2, bbox_y2, class\r\n" + LINE,
        "X2,Y2,X1,Y1,Image\n50,35,11,6,00001.jpg\n",
    ],
)
def test_tables_are_read_with_names_and_without(tmp_path: Path, text: str) -> None:
    """Photos in one folder a class, as such tables go with."""
    photo(tmp_path, "car_data/car_data/train/AM General Hummer é/00001.jpg")
    photo(tmp_path, "car_data/car_data/test/AM General Hummer é/00001.jpg")
    (tmp_path / "anno_train.csv").write_text(text, encoding="utf-8", newline="")
    (tmp_path / "names.csv").write_text("AM General Hummer\n")
    (sample,) = read_stanford_cars(tmp_path).samples
    assert sample.source_file == "car_data/car_data/train/AM General Hummer é/00001.jpg"
    assert read(sample).mask[5:35, 10:50].all() and read(sample).mask.sum() == 40 * 30


def test_the_file_may_be_named(cars: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "boxes.csv"
    elsewhere.write_text("cars_test/00001.jpg,1,1,9,9\n")
    (named, *rest) = read_stanford_cars(cars, elsewhere).samples
    assert (named.source_file, named.subset, named.split) == ("cars_test/00001.jpg", "test", "test") and not rest
    with pytest.raises(ConfigError, match="--annotations"):
        read_stanford_cars(cars, tmp_path / "none.csv")
    with pytest.raises(ConfigError, match="--annotations"):
        read_stanford_cars(cars, tmp_path / "none.mat")


def test_photos_and_boxes_without_each_other_are_problems(cars: Path) -> None:
    photo(cars, "cars_train/00009.jpg")
    photo(cars, "pictures/logo.png")
    rows = [row("00001.jpg"), row("00002.jpg"), row("00002.jpg", (1, 1, 9, 9)), row("00007.jpg")]
    mat(cars, "devkit/cars_train_annos.mat", *rows)
    assert _problems(read_stanford_cars(cars)) == {
        "cars_train/00002.jpg": "2 rows name this photo",
        "train/00007.jpg": "no photo of that name",
        "cars_train/00009.jpg": "no annotation has a box for it",
    }


def test_one_name_in_two_folders_is_a_problem(cars: Path) -> None:
    photo(cars, "more_train/00001.jpg")
    problem = _problems(read_stanford_cars(cars))["train/00001.jpg"]
    assert problem == "2 photos have the name: cars_train/00001.jpg, more_train/00001.jpg"


@pytest.mark.parametrize(
    ("box", "fault"),
    [
        ((50, 6, 11, 35), "row 1: a box from 50, 6 to 11, 35"),
        ((11, 6, 50, float("nan")), "row 1: a box of"),
        (("a", 6, 50, 35), "row 1: a box of"),
        ((np.zeros((0, 0)), 6, 50, 35), "row 1: a box of"),
        ((np.ones((2, 2)), 6, 50, 35), "row 1: a box of"),
    ],
)
def test_a_box_that_is_none_is_a_problem(cars: Path, box: tuple[Any, ...], fault: str) -> None:
    mat(cars, "devkit/cars_train_annos.mat", row("00001.jpg", box), row("00002.jpg"))
    problems = _problems(read_stanford_cars(cars))
    assert list(problems) == ["cars_train/00001.jpg"] and problems["cars_train/00001.jpg"].startswith(fault)


@pytest.mark.parametrize("line", ["00001.jpg,1,2,3", "00001.jpg,1,2,3,x", "00001.jpg,1,2,3,inf", "00001.jpg,9,9,3,9"])
def test_a_line_that_has_no_box_is_a_problem(cars: Path, line: str) -> None:
    shutil.rmtree(cars / "devkit")
    (cars / "anno_train.csv").write_text(f"{line}\n00002.jpg,1,1,9,9\n,1,1,9,9\n")
    problems = _problems(read_stanford_cars(cars))
    assert problems.pop("train/row 3") == "no file name"
    assert list(problems) == ["cars_train/00001.jpg"] and problems["cars_train/00001.jpg"].startswith("row 1: a box")


def test_a_missing_field_is_a_problem_of_the_row(cars: Path) -> None:
    mat(cars, "devkit/cars_train_annos.mat", {"bbox_x1": 1, "fname": "00001.jpg"})
    assert _problems(read_stanford_cars(cars))["cars_train/00001.jpg"].startswith("row 1: a box of [1.0, None")
    mat(cars, "devkit/cars_train_annos.mat", {"bbox_x1": 1, "fname": 7})
    assert _problems(read_stanford_cars(cars))["train/row 1"] == "no file name"


def test_photos_have_to_be_whole(cars: Path) -> None:
    for name in ("00003", "00004"):
        photo(cars, f"cars_train/{name}.jpg")
    mat(cars, "devkit/cars_train_annos.mat", *(row(f"0000{n}.jpg") for n in (1, 2, 3, 4)))
    folder = cars / "cars_train"
    (folder / "00001.jpg").write_bytes((folder / "00001.jpg").read_bytes()[:700])
    (folder / "00002.jpg").write_text("no photo")
    (folder / "00003.jpg").write_bytes(huge_png())
    problems = _problems(read_stanford_cars(cars))
    assert "truncated" in problems.pop("cars_train/00001.jpg").lower()
    assert "no picture of a known format" in problems.pop("cars_train/00002.jpg")
    assert "larger than the limit" in problems.pop("cars_train/00003.jpg")
    assert problems == {}


@pytest.mark.parametrize("name", ["cars_train/00001.jpg", "devkit/cars_train_annos.mat"])
def test_links_that_leave_the_folder_are_not_followed(cars: Path, tmp_path: Path, name: str) -> None:
    shutil.move(cars / name, tmp_path / "outside")
    (cars / name).symlink_to(tmp_path / "outside")
    if name.endswith(".mat"):
        with pytest.raises(DataError, match="outside the data set's folder"):
            read_stanford_cars(cars)
    else:
        assert "outside the data set's folder" in _problems(read_stanford_cars(cars))[name]


@pytest.mark.parametrize("text", ["", "no annotations", "MATLAB 7.3 MAT-file"])
def test_a_damaged_annotation_file_is_one_error(cars: Path, text: str) -> None:
    (cars / "devkit/cars_train_annos.mat").write_text(text)
    with pytest.raises(DataError, match="cars_train_annos"):
        read_stanford_cars(cars)


@pytest.mark.parametrize("data", [b"file;x1;y1\n", b"\xff\xfe\xff,1,2,3,4\n", b'"00001.jpg,1,2,3,4\n'])
def test_a_table_that_is_none_is_one_error(cars: Path, data: bytes) -> None:
    shutil.rmtree(cars / "devkit")
    (cars / "anno_train.csv").write_bytes(data)
    with pytest.raises(DataError, match=r"anno_train\.csv"):
        read_stanford_cars(cars)


def test_the_folder_has_to_make_sense(cars: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing is there"):
        read_stanford_cars(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no annotation file"):
        read_stanford_cars(tmp_path / "empty")
    shutil.copy(cars / "devkit/cars_train_annos.mat", cars)
    with pytest.raises(ConfigError, match=r"several files.*: cars_train_annos\.mat, devkit/cars_train_annos\.mat"):
        read_stanford_cars(cars)


def test_subsets_are_words_of_names() -> None:
    names = ("cars_train", "cars_test_annos", "TRAIN", "a/test/b", "training", "contest", "latest", "car_ims")
    assert [subset_of(name) for name in names] == ["train", "test", "train", "test", "", "", "", ""]


def test_samples_can_be_sent_to_other_processes(cars: Path) -> None:
    sample = pickle.loads(pickle.dumps(_by_file(read_stanford_cars(cars))["cars_train/00001.jpg"]))
    assert read(sample).mask.any()


def test_a_silhouette_has_a_class_without_confidence(cars: Path) -> None:
    data = read_stanford_cars(cars)
    view = classify(read(next(iter(data.samples))).mask, data.schema)
    assert (view.confidence, view.doors) == (0.0, "unknown")


class TestGrabCut:
    """With the real function."""

    @pytest.fixture(autouse=True)
    def filled(self) -> None:
        """Takes the place of the silhouettes that fill their boxes."""

    def test_the_car_is_cut_out_of_its_box(self, tmp_path: Path) -> None:
        car = ellipse(tmp_path, "cars_train/00001.jpg")
        mat(tmp_path, "cars_train_annos.mat", row("00001.jpg", (21, 21, 100, 60)))
        (sample,) = read_stanford_cars(tmp_path).samples
        found = read(sample).mask.astype(bool)
        assert (found & car).sum() / (found | car).sum() > 0.9

    def test_a_box_outside_the_photo_is_a_problem(self, tmp_path: Path) -> None:
        photo(tmp_path, "cars_train/00001.jpg")
        mat(tmp_path, "cars_train_annos.mat", row("00001.jpg", (70, 5, 90, 20)))
        (problem,) = _problems(read_stanford_cars(tmp_path)).values()
        assert "box" in problem


@pytest.mark.parametrize("name", ["/home/x/cars_train/00002.jpg", "C:\\cars\\00002.JPG", "00002.jpg?raw=1"])
def test_photos_of_another_machine_are_found_by_their_tail(cars: Path, name: str) -> None:
    mat(cars, "devkit/cars_train_annos.mat", row(name), row("00001.jpg"))
    found = read_stanford_cars(cars)
    assert _problems(found) == {}
    assert [s.source_file for s in found.samples][:2] == ["cars_train/00002.jpg", "cars_train/00001.jpg"]


@pytest.mark.parametrize(
    ("box", "fault"),
    [((0.1, 0.2, 0.8, 0.9), "shares of the photo's sides"), ((6.0, 42.0, 35.0, 60.0), "y before x")],
)
def test_a_box_that_is_not_in_pixels_is_a_problem(cars: Path, box: tuple[float, ...], fault: str) -> None:
    mat(cars, "devkit/cars_train_annos.mat", row("00002.jpg", box), row("00001.jpg"))
    problems = _problems(read_stanford_cars(cars))
    assert list(problems) == ["cars_train/00002.jpg"] and fault in problems["cars_train/00002.jpg"]
