from __future__ import annotations

import pickle
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from augkit.core.errors import ConfigError, DataError
from augkit.data.importers import IMPORTERS, _matlab, pascal_part
from augkit.data.importers.pascal_part import NAMES, REST, read_pascal_part
from augkit.data.orientation import classify
from augkit.data.samples import Sample, SampleSet, read
from tests.data.importers.huge import huge_png
from tests.data.importers.makers.pascal_part import WHOLE, Pascal, cover, structs, thing


@pytest.fixture
def pascal(tmp_path: Path) -> Pascal:
    return Pascal(tmp_path / "voc")


def _read(pascal: Pascal) -> SampleSet:
    return read_pascal_part(pascal.root)


def _only(found: SampleSet) -> Sample:
    (sample,) = found.samples
    return sample


def _mask(pascal: Pascal) -> np.ndarray:
    return read(_only(_read(pascal))).mask


def _id(name: str) -> int:
    return pascal_part._SCHEMA.id_of(name)


def _problems(found: SampleSet) -> dict[str, str]:
    problems = {}
    for sample in found.samples:
        try:
            read(sample)
        except (DataError, OSError) as error:
            problems[sample.source_file] = str(error)
    return problems


def test_it_is_registered() -> None:
    assert IMPORTERS["pascal-part"] is read_pascal_part


def test_left_and_right_parts_swap_in_pairs(pascal: Pascal) -> None:
    pascal.add()
    schema = _read(pascal).schema
    swaps = {(schema.names[a], schema.names[b]) for a, b in schema.swaps}
    assert swaps == {("left_side", "right_side"), ("left_mirror", "right_mirror")}
    assert schema.names[-1] == REST and len(schema.parts) == 14


def test_every_car_of_a_photo_is_a_sample(pascal: Pascal) -> None:
    pascal.add(thing("person"), thing(wheel_1=cover(12, 24, 4, 4)), thing("bus"), thing(roofside=cover(20, 10, 10, 4)))
    samples = list(_read(pascal).samples)
    assert [s.source_file for s in samples] == [f"JPEGImages/2008_000008.jpg#object-{n}" for n in (2, 4)]
    assert [s.id for s in samples] == ["2008_000008-object-2", "2008_000008-object-4"]
    assert [set(np.unique(read(s).mask)) for s in samples] == [
        {0, _id("wheel"), _id(REST)}, {0, _id("roof"), _id(REST)},
    ]  # fmt: skip
    assert read(samples[0]).sha256 == read(samples[1]).sha256, "two cars of one photo, for the splits to see"


def test_every_name_of_the_data_set_has_a_part(pascal: Pascal) -> None:
    names = [f"{name}_3" if name in ("door", "wheel", "headlight", "window") else name for name in NAMES]
    pascal.add(thing(**{name: cover(10 + 2 * place, 12, 2, 2) for place, name in enumerate(names)}))
    mask = _mask(pascal)
    assert [mask[12, 10 + 2 * place] for place in range(len(names))] == [_id(part) for part in NAMES.values()]


def test_numbered_parts_are_one(pascal: Pascal) -> None:
    pascal.add(thing(door_1=cover(15, 15, 5, 5), door_2=cover(25, 15, 5, 5), door_10=cover(35, 15, 5, 5)))
    assert (_mask(pascal) == _id("door")).sum() == 75


def test_the_smaller_part_lies_on_top_in_either_order(pascal: Pascal) -> None:
    side, door, window = cover(12, 12, 30, 16), cover(20, 14, 10, 12), cover(22, 15, 4, 4)
    for order in ("leftside door_1 window_1", "window_1 door_1 leftside"):
        covers = {"leftside": side, "door_1": door, "window_1": window}
        pascal.add(thing(**{name: covers[name] for name in order.split()}))
        mask = _mask(pascal)
        areas = {name: int((mask == _id(name)).sum()) for name in ("window", "door", "left_side", REST)}
        assert areas == {"window": 16, "door": 120 - 16, "left_side": 480 - 120, REST: 800 - 480}


def test_other_objects_are_background(pascal: Pascal) -> None:
    pascal.add(thing(door_1=cover(20, 15, 5, 5)), thing("person", cover(0, 0, 8, 8), head=cover(0, 0, 4, 4)))
    assert (_mask(pascal)[:8, :8] == 0).all()


def test_photos_may_lie_in_the_development_kit(pascal: Pascal, tmp_path: Path) -> None:
    pascal.add()
    kit = pascal.root / "VOCdevkit" / "VOC2010"
    kit.mkdir(parents=True)
    pascal.photos.rename(kit / "JPEGImages")
    assert _problems(_read(pascal)) == {}
    pascal.files.rename(tmp_path / "elsewhere")
    assert _problems(read_pascal_part(pascal.root, tmp_path / "elsewhere")) == {}
    with pytest.raises(ConfigError, match="--annotations"):
        _read(pascal)


def test_pairs_are_found_by_name_and_not_by_order(pascal: Pascal) -> None:
    pascal.photo("a é 車")
    pascal.annotation(thing(door_1=cover(20, 15, 5, 5)), id="a é 車")
    pascal.photo("b")
    pascal.annotation(thing(door_1=cover(20, 15, 5, 5)), id="c")
    assert [s.source_file for s in _read(pascal).samples] == [
        "JPEGImages/a é 車.jpg#object-1",
        "JPEGImages/c.jpg#object-1",
    ]
    (problem,) = _problems(_read(pascal)).values()
    assert problem.startswith("no photo at JPEGImages/c.jpg")


def test_two_files_of_one_name_are_a_problem_of_both(pascal: Pascal) -> None:
    path = pascal.add()
    (pascal.files / "more").mkdir()
    shutil.copy(path, pascal.files / "more")
    problems = _problems(_read(pascal))
    assert list(problems.values()) == ["2 files have the name 2008_000008.mat"] * 2


def test_voc_lists_spare_the_reading_of_photos_without_cars(pascal: Pascal, monkeypatch: pytest.MonkeyPatch) -> None:
    for id in ("a", "b", "c", "d"):
        pascal.add(id=id)
    path = pascal.root / "ImageSets/Main/car_trainval.txt"
    path.parent.mkdir(parents=True)
    path.write_text("a  1\nb -1\nc  0\n")
    opened = []
    original = pascal_part.load_struct
    monkeypatch.setattr(pascal_part, "load_struct", lambda file, name: opened.append(file.stem) or original(file, name))
    found = _read(pascal)
    assert [s.id[0] for s in found.samples] == ["a", "c", "d"] == opened


@pytest.mark.parametrize(
    ("car", "fault"),
    [
        (thing(), "object 1: a car without parts"),
        (thing(rotor=WHOLE), "no part of a car is named 'rotor'"),
        (thing(door_x=WHOLE), "no part of a car is named 'door_x'"),
        (thing(door_1=cover(0, 0, 5, 5, (9, 9))), r"the mask of door_1 is \(9, 9\)"),
        (thing(door_1=np.zeros((2, 2, 2))), r"shape \(2, 2, 2\)"),
        (thing(mask=np.array(["a"]), door_1=WHOLE), "object 1: the mask has the shape"),
        (thing(mask=cover(0, 0, 5, 5, (9, 9)), door_1=cover(0, 0, 5, 5, (9, 9))), "the photo is 60x40 pixels"),
        ({"class": "car", "parts": structs(), "bbox": 1}, "object 1 has no field mask; it has class, parts, bbox"),
        ({"class": "car", "mask": WHOLE, "parts": 7}, "parts is no struct array"),
        ({"class": "car", "mask": WHOLE, "parts": structs({"mask": WHOLE})}, "part has no field part_name"),
        ({"class": "car", "mask": WHOLE, "parts": structs({"part_name": 3, "mask": WHOLE})}, "part_name is no text"),
    ],
)
def test_a_car_that_makes_no_sense_is_a_problem(pascal: Pascal, car: dict[str, Any], fault: str) -> None:
    pascal.add(car, id="bad")
    pascal.add(id="good")
    problems = _problems(_read(pascal))
    assert list(problems) == ["JPEGImages/bad.jpg#object-1"]
    with pytest.raises(AssertionError, match=fault):
        raise AssertionError(problems["JPEGImages/bad.jpg#object-1"])


def _damaged(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif how == "text":
        path.write_text("not a mat file, but a text of some length, as a web server may answer. " * 9)
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "flipped":
        path.write_bytes(data[:200] + bytes(255 - byte for byte in data[200:230]) + data[230:])
    elif how == "v7.3":
        path.write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n" + bytes(99))
    elif how == "other":
        savemat(path, {"annotations": 1})
    elif how == "number":
        savemat(path, {"anno": 5})
    elif how == "two":
        savemat(path, {"anno": structs({"objects": 1}, {"objects": 2})})
    else:
        savemat(path, {"anno": {"objects": structs({"name": "car"})}})


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        ("cut", "bad.mat cannot be read as a .mat file"),
        ("text", "bad.mat cannot be read as a .mat file"),
        ("empty", "bad.mat cannot be read as a .mat file"),
        ("flipped", "bad.mat cannot be read as a .mat file"),
        ("v7.3", "bad.mat is of MATLAB 7.3 (HDF5), which is not read; save it again with the option -v7"),
        ("other", "bad.mat has no variable anno"),
        ("number", "bad.mat: anno is no struct array"),
        ("two", "bad.mat: anno has 2 elements; 1 is expected"),
        ("without class", "bad.mat: object 1 has no field class; it has name"),
    ],
)
def test_a_damaged_file_is_listed_once_with_the_reason(pascal: Pascal, how: str, fault: str) -> None:
    _damaged(pascal.add(id="bad"), how)
    pascal.add(id="good")
    problems = _problems(_read(pascal))
    assert list(problems) == ["Annotations_Part/bad.mat"]
    assert problems["Annotations_Part/bad.mat"].startswith(fault)


def test_what_inflates_to_more_than_the_limit_is_not_inflated(pascal: Pascal) -> None:
    """As a mask of 20,000 x 20,000 pixels would: under half a megabyte on disk."""
    path = pascal.add(id="huge")
    body = zlib.compress(np.array([14, 20_000**2], "<u4").tobytes() + bytes(99))
    path.write_bytes(path.read_bytes()[:128] + np.array([15, len(body)], "<u4").tobytes() + body)
    (problem,) = _problems(_read(pascal)).values()
    assert problem == "huge.mat holds 400000000 bytes once inflated; 268435456 are the most"


def test_the_stated_size_is_that_of_the_variable(pascal: Pascal) -> None:
    for side in (10, 200):
        path = pascal.add(thing(mask=np.zeros((side, side), np.uint8), door_1=WHOLE))
        (size,) = _matlab._inflated_sizes(path.read_bytes())
        assert side**2 + WHOLE.size < size < side**2 + WHOLE.size + 3000


def test_a_mask_of_too_many_pixels_is_refused(pascal: Pascal) -> None:
    with pytest.raises(DataError, match="20000x20000 pixels, which is larger than the limit"):
        pascal_part._cover(np.broadcast_to(np.uint8(0), (20_000, 20_000)), "object 1")


def test_a_file_that_is_too_large_is_not_read(pascal: Pascal, monkeypatch: pytest.MonkeyPatch) -> None:
    size = pascal.add().stat().st_size
    monkeypatch.setattr(_matlab, "LARGEST_CONTENT", size - 1)
    (problem,) = _problems(_read(pascal)).values()
    assert problem == f"2008_000008.mat has {size} bytes; {size - 1} are the most of its kind"


def test_files_of_the_other_byte_order_are_measured_alike() -> None:
    body = zlib.compress(np.array([14, 12345], ">u4").tobytes() + bytes(12345))
    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI"
    data = head + np.array([15, len(body)], ">u4").tobytes() + body
    assert list(_matlab._inflated_sizes(data)) == [12345]


def test_a_damaged_photo_is_a_problem(pascal: Pascal) -> None:
    pascal.add()
    path = pascal.photo()
    path.write_bytes(path.read_bytes()[:700])
    (problem,) = _problems(_read(pascal)).values()
    assert "truncated" in problem.lower()
    path.write_bytes(huge_png())
    (problem,) = _problems(_read(pascal)).values()
    assert "larger than the limit" in problem


@pytest.mark.parametrize("linked", ["photo", "annotation"])
def test_links_that_leave_the_folder_are_not_followed(pascal: Pascal, tmp_path: Path, linked: str) -> None:
    files = {"annotation": pascal.add(), "photo": pascal.photo()}
    shutil.move(files[linked], tmp_path / "outside")
    files[linked].symlink_to(tmp_path / "outside")
    (problem,) = _problems(_read(pascal)).values()
    assert "outside the data set's folder" in problem


def test_the_folder_has_to_make_sense(pascal: Pascal, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no \.mat files"):
        _read(pascal)
    with pytest.raises(ConfigError, match="nothing is there"):
        read_pascal_part(tmp_path / "none")
    with pytest.raises(ConfigError, match="Annotations_Part"):
        read_pascal_part(tmp_path)


def test_samples_can_be_sent_to_other_processes(pascal: Pascal) -> None:
    pascal.add()
    assert (read(pickle.loads(pickle.dumps(_only(_read(pascal))))).mask == _mask(pascal)).all()


def test_its_masks_have_a_class(pascal: Pascal) -> None:
    pascal.add(thing(leftside=cover(12, 12, 20, 10), headlight_1=cover(12, 20, 3, 3), leftmirror=cover(20, 12, 2, 2)))
    data = _read(pascal)
    view = classify(_mask(pascal), data.schema)
    assert (view.orientation, view.doors) == ("A", "unknown")
