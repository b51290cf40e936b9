from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from augkit.core.errors import ConfigError, DataError
from augkit.data.crop import canonical_window, cut
from augkit.data.importers import IMPORTERS, _scenes
from augkit.data.importers._scenes import SMALLEST_SIDE, Car, Decoded, Scene
from augkit.data.importers.cityscapes import read_cityscapes
from augkit.data.orientation import classify
from augkit.data.plausibility import NO_AREA
from augkit.data.samples import Sample, SampleSet, read
from tests.data.importers.huge import huge_png
from tests.data.importers.makers.cityscapes import HEIGHT, WIDTH, City, box, painted

FIRST_CAR = 26_000


@pytest.fixture
def city(tmp_path: Path) -> City:
    return City(tmp_path / "cities")


def _read(city: City) -> SampleSet:
    return read_cityscapes(city.root)


def _names(found: SampleSet) -> list[str]:
    return [sample.source_file.rpartition("/")[2].replace("_leftImg8bit.png", "") for sample in found.samples]


def _problems(found: SampleSet) -> dict[str, str]:
    problems = {}
    for sample in found.samples:
        try:
            read(sample)
        except (DataError, OSError) as error:
            problems[sample.source_file.removeprefix("leftImg8bit/").replace("_leftImg8bit.png", "")] = str(error)
    return problems


def _only(found: SampleSet) -> Sample:
    (sample,) = found.samples
    return sample


def test_it_is_registered() -> None:
    assert IMPORTERS["cityscapes"] is read_cityscapes


@pytest.mark.parametrize("kind", ["polygons", "ids", "both"])
def test_every_car_of_a_scene_is_a_sample(city: City, kind: str) -> None:
    city.photo()
    if kind != "ids":
        city.polygons(box(0, 0, WIDTH, HEIGHT, "road"), box(10, 10), box(100, 20, label="bus"), box(200, 90, 70, 60))
    if kind != "polygons":
        city.ids(painted((FIRST_CAR, 10, 10, 60, 50), (28000, 100, 20, 60, 50), (FIRST_CAR + 1, 200, 90, 70, 60)))
    found = _read(city)
    assert found.schema.names == ("background", "car")
    assert _names(found) == ["aachen_000000_000019#car-0", "aachen_000000_000019#car-1"]
    assert [read(sample).mask.sum() for sample in found.samples] == [60 * 50, 70 * 60]
    assert [sample.id for sample in found.samples] == ["aachen_000000_000019-car-0", "aachen_000000_000019-car-1"]
    assert {(s.split, s.subset) for s in found.samples} == {("train", "aachen")}


def test_the_photo_and_the_mask_show_the_same_place(city: City) -> None:
    whole = np.array(Image.open(city.photo()))
    city.polygons(box(10, 10), box(120, 60))
    for sample, place in zip(_read(city).samples, (np.s_[10:60, 10:70], np.s_[60:110, 120:180]), strict=True):
        reading = read(sample)
        assert (reading.photo[reading.mask == 1] == whole[place].reshape(-1, 3)).all()


def test_groups_and_deleted_cars_are_none(city: City) -> None:
    """And they take no number: those of the pictures of instances would not fit."""
    city.photo()
    city.polygons(box(10, 10, deleted=1), box(100, 10, label="cargroup"), box(200, 10, deleted=0))
    assert _names(_read(city)) == ["aachen_000000_000019#car-0"]
    city.polygons().unlink()
    city.ids(painted((26, 100, 10, 60, 50), (FIRST_CAR + 3, 200, 10, 60, 50)))
    assert _names(_read(city)) == ["aachen_000000_000019#car-3"]


def test_what_stands_in_front_hides_a_car(city: City) -> None:
    city.photo()
    city.polygons(box(10, 10, 100), box(90, 10, 100, label="person"), box(20, 20, 20, 10, "license plate"))
    assert read(_only(_read(city))).mask.sum() == 80 * 50


def test_other_cars_are_background(city: City) -> None:
    city.photo()
    city.polygons(box(10, 10, 100), box(60, 10, 100))
    behind, front = (read(sample).mask for sample in _read(city).samples)
    assert behind.sum() == 50 * 50 and front.sum() == 100 * 50


def test_small_and_hidden_cars_are_named_with_their_size(city: City) -> None:
    city.photo()
    least = SMALLEST_SIDE
    city.polygons(box(10, 10, 31, 20), box(100, 10), box(100, 10), box(200, 10, least, least), box(10, 100, 90, 47))
    start = "train/aachen/aachen_000000_000019#car-"
    assert _problems(_read(city)) == {
        f"{start}0": "car 0: 31 x 20 px, its shorter side is below 48",
        f"{start}1": "car 1 has no pixel: something in front hides it, or nobody drew it",
        f"{start}4": "car 4: 90 x 47 px, its shorter side is below 48",
    }


def test_scenes_without_cars_make_no_samples(city: City) -> None:
    for split in ("test/berlin/a", "train/ulm/b"):
        city.photo(split)
        city.polygons(box(0, 0, label="out of roi"), name=split)
    city.photo("train/ulm/c")
    city.ids(painted(), name="train/ulm/c")
    assert len(_read(city).samples) == 0


def test_folders_say_split_and_subset(city: City) -> None:
    for name in ("train/ulm/x", "val/münster/é 車", "test/bonn/x", "train_extra/bonn/y"):
        city.photo(name)
        city.polygons(box(10, 10), name=name)
    samples = list(_read(city).samples)
    assert [(s.split, s.subset) for s in samples] == [("test", "bonn"), ("train", "ulm"), ("val", "münster")]
    assert len({s.id for s in samples}) == 3 and _problems(_read(city)) == {}


def test_scenes_are_paired_by_name_and_not_by_order(city: City) -> None:
    city.photo("train/ulm/a")
    city.polygons(box(10, 10), name="train/ulm/b")
    city.photo("train/bonn/c")
    city.photo("train/bonn/c", ".jpg")
    city.polygons(box(10, 10), name="train/bonn/c")
    problems = _problems(_read(city))
    assert problems.pop("train/ulm/a").startswith("no annotation at gtFine/train/ulm/a_gtFine_polygons.json")
    assert "no such photo" in problems.pop("train/ulm/b")
    twice = "2 photos have the name train/bonn/c apart from its suffix"
    assert problems == {"train/bonn/c": twice, "train/bonn/c_leftImg8bit.jpg": twice}


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (box(10, 10) | {"polygon": [[1, 1], [5, 1], [5, 1e9]]}, "far outside"),
        (box(10, 10) | {"polygon": [[1, 1], [5, 1], [5, float("nan")]]}, "no list of"),
        (box(10, 10) | {"polygon": [[1, 1], [5, 1], "a"]}, "no list of"),
        ({"label": "car"}, "no list of"),
        ({"polygon": []}, "object 1 has no label"),
        ("car", "object 1 has no label"),
    ],
)
def test_a_faulty_polygon_is_a_problem_of_its_scene(city: City, entry: Any, fault: str) -> None:
    for name in ("train/ulm/a", "train/ulm/b"):
        city.photo(name)
        city.polygons(box(10, 10), name=name)
    city.polygons(box(10, 10), entry, name="train/ulm/a")
    problems = _problems(_read(city))
    assert all(name.startswith("train/ulm/a") for name in problems)
    for problem in problems.values():
        with pytest.raises(AssertionError, match=fault):
            raise AssertionError(problem)
    assert problems


@pytest.mark.parametrize("polygon", [[], [[1, 1]], [[1, 1], [9, 9]]])
def test_an_outline_without_an_area_is_left_out_and_counted_once(city: City, polygon: list[Any]) -> None:
    city.photo()
    city.polygons({"label": "tree", "polygon": polygon}, box(10, 10), box(100, 10))
    first, second = (read(sample) for sample in _read(city).samples)
    assert first.mask.sum() == second.mask.sum() == 60 * 50
    assert first.parts.notes == {NO_AREA: 1} and second.parts.notes == {}


def test_coordinates_in_shares_are_a_problem_of_the_scene(city: City) -> None:
    city.photo()
    city.polygons({"label": "car", "polygon": [[0.1, 0.1], [0.5, 0.1], [0.5, 0.9]]})
    assert "shares of the photo's sides" in next(iter(_problems(_read(city)).values()))


def test_polygons_may_reach_a_little_outside(city: City) -> None:
    city.photo()
    city.polygons(box(-20, -10, 100, 80))
    assert read(_only(_read(city))).mask.sum() == 80 * 70


@pytest.mark.parametrize("text", ["{", "[]", '{"objects": 1}', "\x00", "[" * 100_000, "\xff"])
def test_a_damaged_annotation_is_a_problem_of_its_scene(city: City, text: str) -> None:
    city.photo()
    city.polygons().write_text(text, encoding="latin-1")
    assert "gtFine_polygons.json" in _problems(_read(city))["train/aachen/aachen_000000_000019"]


@pytest.mark.parametrize(
    ("size", "fault"),
    [
        ({"imgWidth": None}, "width and height of None"),
        ({"imgWidth": -3}, "width and height of -3"),
        ({"imgWidth": "wide"}, "width and height of wide"),
        ({"imgWidth": 20_000, "imgHeight": 20_000}, "20000x20000 pixels"),
        ({"imgWidth": WIDTH + 1}, "the photo is 300x160 pixels, but its annotation is for 301x160"),
    ],
)
def test_sizes_have_to_make_sense(city: City, size: dict[str, Any], fault: str) -> None:
    city.photo()
    city.polygons(box(10, 10), **size)
    assert fault in _problems(_read(city))["train/aachen/aachen_000000_000019#car-0"]


def test_pictures_of_instances_have_to_be_whole(city: City) -> None:
    values = painted((FIRST_CAR, 10, 10, 60, 50))
    for name in "abcde":
        city.photo(f"train/ulm/{name}")
        city.ids(values, name=f"train/ulm/{name}")
    (cut_file, grey, text, large) = (city.annotation(f"train/ulm/{name}", "instanceIds.png") for name in "abcd")
    cut_file.write_bytes(cut_file.read_bytes()[:200])
    Image.fromarray(values.astype(np.uint8)).save(grey)
    text.write_text("no picture")
    large.write_bytes(huge_png())
    problems = _problems(_read(city))
    assert "truncated" in problems.pop("train/ulm/a").lower()
    assert "L pixels; a 16-bit picture" in problems.pop("train/ulm/b")
    assert "no picture of a known format" in problems.pop("train/ulm/c")
    assert "larger than the limit" in problems.pop("train/ulm/d")
    assert problems == {}


def test_photos_have_to_be_whole(city: City) -> None:
    for name in "abc":
        city.photo(f"train/ulm/{name}")
        city.polygons(box(10, 10), name=f"train/ulm/{name}")
    folder = city.root / "leftImg8bit/train/ulm"
    (folder / "a_leftImg8bit.png").write_bytes((folder / "a_leftImg8bit.png").read_bytes()[:2000])
    (folder / "b_leftImg8bit.png").write_text("no photo")
    problems = _problems(_read(city))
    assert "truncated" in problems.pop("train/ulm/a#car-0").lower()
    assert "no picture of a known format" in problems.pop("train/ulm/b#car-0")
    assert problems == {}


@pytest.mark.parametrize("linked", ["photo", "polygons", "ids"])
def test_links_that_leave_the_folder_are_not_followed(city: City, tmp_path: Path, linked: str) -> None:
    files = {"photo": city.photo()}
    files["ids"] = city.ids(painted((FIRST_CAR, 10, 10, 60, 50)))
    files["polygons"] = city.polygons(box(10, 10))
    if linked == "ids":
        files["polygons"].unlink()
    shutil.move(files[linked], tmp_path / "outside")
    files[linked].symlink_to(tmp_path / "outside")
    (problem,) = _problems(_read(city)).values()
    assert "outside the data set's folder" in problem


def test_the_folder_has_to_make_sense(city: City, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no scenes"):
        _read(city)
    with pytest.raises(ConfigError, match="leftImg8bit"):
        read_cityscapes(tmp_path)
    with pytest.raises(ConfigError, match="nothing is there"):
        read_cityscapes(tmp_path / "none")
    with pytest.raises(ConfigError, match="--annotations"):
        read_cityscapes(city.root, tmp_path)


def test_a_scene_is_decoded_once_for_all_its_cars(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    city.photo()
    city.polygons(box(10, 10), box(100, 10), box(200, 10))
    decoded = []
    monkeypatch.setattr(_scenes, "decode", lambda *args: decoded.append(1) or np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    assert len([read(sample) for sample in _read(city).samples]) == 3
    assert len(decoded) == 1


def test_a_scene_that_was_corrected_is_read_again(city: City) -> None:
    path = city.photo()
    city.polygons(box(10, 10))
    sample = _only(_read(city))
    before = read(sample).photo
    Image.new("RGB", (WIDTH, HEIGHT), (1, 2, 3)).save(path)
    assert (read(sample).photo == (1, 2, 3)).all() and before.any()


def test_samples_can_be_sent_to_other_processes(city: City) -> None:
    city.photo()
    city.polygons(box(10, 10))
    assert (read(pickle.loads(pickle.dumps(_only(_read(city))))).mask == read(_only(_read(city))).mask).all()


class _Still(Scene):
    """A scene in memory."""

    def decoded(self) -> Decoded:
        return STILLS[self.photo.name]


STILLS: dict[str, Decoded] = {}


@given(
    st.tuples(st.integers(60, 200), st.integers(60, 200)),
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(48, 120), st.integers(48, 120)),
    st.floats(0, 1),
)
def test_the_canonical_cut_is_that_of_the_whole_scene(
    shape: tuple[int, int], place: tuple[float, float, int, int], margin: float
) -> None:
    height, width = shape
    h, w = min(place[2], height), min(place[3], width)
    y, x = round(place[0] * (height - h)), round(place[1] * (width - w))
    cars = np.zeros(shape, np.uint16)
    cars[y : y + h, x : x + w] = 1
    photo = np.random.default_rng(height * width).integers(0, 255, (*shape, 3), np.uint8)
    STILLS["still"] = Decoded.of(photo, cars, 0)
    car = Car(_Still(Path(), Path("still"), None, None), 0)
    whole = (cars > 0).astype(np.uint8)
    expected = cut(photo, whole, canonical_window(whole, margin), 32)
    found = cut(car.photo(), car.mask().ids, canonical_window(car.mask().ids, margin), 32)
    assert (found[0] == expected[0]).all() and (found[1] == expected[1]).all()


def test_polygons_and_pictures_agree_with_the_tool_that_made_them(city: City) -> None:
    """The data set's pictures are its polygons, painted in their order with Pillow."""
    corners = [[20, 30], [90, 22], [130, 70], [100, 140], [33, 120]]
    picture = Image.new("I", (WIDTH, HEIGHT), 7)
    ImageDraw.Draw(picture).polygon([(x, y) for x, y in corners], fill=FIRST_CAR)
    city.photo()
    city.polygons({"label": "car", "polygon": corners})
    drawn = read(_only(_read(city))).mask
    city.ids(np.array(picture))
    assert (read(_only(_read(city))).mask == drawn).all()


def test_one_part_has_a_class_without_confidence(city: City) -> None:
    city.photo()
    city.polygons(box(10, 10))
    data = _read(city)
    view = classify(read(_only(data)).mask, data.schema)
    assert (view.confidence, view.doors) == (0.0, "unknown")
