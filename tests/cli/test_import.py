from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from PIL import Image

from augkit.cli._app import run
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue
from augkit.settings import load_settings
from tests.data.coco_folder import CocoFolder, square
from tests.data.importers.makers.folder import make as make_folder
from tests.data.importers.makers.yolo import make


@pytest.fixture
def source(coco: CocoFolder) -> Path:
    for number in range(5):
        coco.add(
            f"{number}.jpg",
            front_bumper=[square(2, 20, 20)],
            front_left_door=[square(30, 15, 14)],
            back_left_door=[square(46, 15, 12)],
        )
    (coco.root / "4.jpg").unlink()
    return coco.write()


def _import(source: Path, *options: str) -> int:
    return run(["import", "coco", str(source), "--workspace", str(source.parent / "ws"), "--size", "32", *options])


def test_it_prints_what_it_found(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _import(source) == 0
    shown = capsys.readouterr().out
    for text in ("7 parts", "front_left_door /", "front-left-5", "1 of 5 left out", "4.jpg: no photo"):
        assert text in shown
    assert load_settings(Workspace(source.parent / "ws").settings).data.size == 32


def test_json_is_one_object_and_nothing_else(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _import(source, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["pairs"] == 4 and result["rows"] == 5
    assert result["classes"]["front-left-5"] | {"confidence": 0} == {
        "pairs": 4, "train": 3, "val": 1, "test": 0, "confidence": 0,
    }  # fmt: skip
    assert [problem["file"] for problem in result["problems"]] == ["4.jpg"]
    assert ["front_left_door", "front_right_door"] in result["swaps"]
    assert run(["classes", "-w", str(source.parent / "ws"), "--json"]) == 0
    counted = json.loads(capsys.readouterr().out)
    assert counted == {"classes": result["classes"], "problems": 1}


def test_classes_decided_by_a_person_win(source: Path) -> None:
    table = source.parent / "classes.csv"
    table.write_text("file,orientation,doors\n0.jpg,back-right,3\n4.jpg,A,5\n")
    assert _import(source, "--classes", str(table)) == 0
    rows = read_catalogue(Workspace(source.parent / "ws").catalogue)
    assert (rows[0].car_class.name, rows[0].confidence) == ("back-right-3", 1.0)
    assert rows[1].car_class.name == "front-left-5"


def _renamed(source: Path, names: dict[str, str]) -> None:
    data = json.loads((source / "annotations.json").read_text())
    for category in data["categories"]:
        category["name"] = names.get(category["name"], category["name"])
    (source / "annotations.json").write_text(json.dumps(data))


def test_a_side_without_its_counterpart_is_named(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _renamed(source, {"front_right_door": "roof"})
    assert _import(source) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "warning parts of one side" in shown and "front_left_door (no front_right_door)" in shown
    assert _import(source, "--json") == 0
    [warning] = json.loads(capsys.readouterr().out)["warnings"]
    assert "front_left_door (no front_right_door)" in warning and "--parts FILE" in warning
    parts = source.parent / "mine.yaml"
    parts.write_text("front_left_door: {mirror: front_left_door}\n")
    assert _import(source, "--json", "--parts", str(parts)) == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == []


def test_names_that_are_not_understood_are_listed_until_a_file_says_what_they_are(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    german = {
        "hood": "Haube", "front_bumper": "Stoßstange", "front_left_door": "Tür links", "wheel": "Rad",
        "front_right_door": "Tür rechts", "back_left_door": "Tür hinten links", "back_right_door": "Tür hinten rechts",
    }  # fmt: skip
    _renamed(source, german)
    assert _import(source, "--json") == 0
    [warning] = json.loads(capsys.readouterr().out)["warnings"]
    for word in (*german.values(), "confidence 0", "--parts FILE", "--classes FILE"):
        assert word in warning
    sides = [(name, *key.split("_")) for key, name in german.items() if key.endswith("door")]
    lines = [f"{name},{side},{end},door" for name, end, side, _ in sides]
    parts = source.parent / "teile.csv"
    parts.write_text("\n".join(["name,side,end,kind", *lines, "Stoßstange,,front,bumper"]), encoding="utf-8")
    assert _import(source, "--json", "--parts", str(parts)) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["warnings"] == [] and list(result["classes"]) == ["front-left-5"]
    assert sorted(result["swaps"]) == [["Tür hinten links", "Tür hinten rechts"], ["Tür links", "Tür rechts"]]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--classes", "none.csv"], 3, "none.csv"),
        (["--parts", "none.csv"], 3, "none.csv"),
        (["--annotations", "none.json"], 2, "none.json"),
        (["--set", "data.val_share=2"], 2, "val_share"),
        (["--size", "33"], 2, "data.size"),
    ],
)
def test_errors_have_their_exit_code_and_write_nothing(
    source: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: int, message: str
) -> None:
    assert _import(source, *options) == code
    assert message in capsys.readouterr().err
    assert not (source.parent / "ws").exists()


def test_strict_imports_nothing_but_keeps_what_was_made(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _import(source, "--strict") == 3
    assert "4.jpg: no photo" in capsys.readouterr().err
    assert [path.name for path in (source.parent / "ws").iterdir()] == [".import"]
    for photo in source.glob("*.jpg"):  # the same size and time: what was read is not read again
        stat = photo.stat()
        photo.write_bytes(bytes(stat.st_size))
        os.utime(photo, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert _import(source, "--json") == 0
    assert json.loads(capsys.readouterr().out)["pairs"] == 4


def test_an_unknown_importer_lists_those_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", "cocoa", str(tmp_path)]) == 2
    assert "coco," in capsys.readouterr().err


def test_help_names_the_importers(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", "--help"]) == 0
    assert "coco," in capsys.readouterr().out.partition("Importers: ")[2]


def test_what_the_importer_warns_of_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path / "set", 2)
    file = tmp_path / "set" / "data.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"val": "images/train"}))
    for options, found in (
        ((), "warning data.yaml: val lists"),
        (("--json",), '"warnings": [\n  "data.yaml: val lists'),
    ):
        command = ["import", "yolo", str(tmp_path / "set"), "--workspace", str(tmp_path / "ws"), "--size", "32"]
        assert run([*command, *options]) == 0
        assert found in capsys.readouterr().out
    assert {row.split for row in read_catalogue(Workspace(tmp_path / "ws").catalogue)} == {"train"}


def test_what_lies_on_top_is_said_by_an_option(coco: CocoFolder, capsys: pytest.CaptureFixture[str]) -> None:
    coco.add(wheel=[square(12, 12, 8)], hood=[square(10, 10, 30)])
    coco.write()
    areas = {}
    for overlap in ("smaller", "order"):
        assert _import(coco.root, "--overlap", overlap) == 0
        (row,) = read_catalogue(Workspace(coco.root.parent / "ws").catalogue)
        areas[overlap] = row.histogram[7]
    assert areas["smaller"] > 0 == areas["order"]
    assert _import(coco.root, "--overlap", "larger") == 2
    assert "--overlap larger" in capsys.readouterr().err
    masks = make_folder(coco.root.parent / "folder", 1)
    assert run(["import", "folder", str(masks), "-w", str(coco.root.parent / "other"), "--overlap", "order"]) == 2
    assert "folder reads masks of one part a pixel" in capsys.readouterr().err


def test_which_way_round_a_photo_lies_is_said_by_an_option(
    coco: CocoFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    coco.add(hood=[square(10, 10, 30)])
    turned = Image.Exif()
    turned[274] = 6
    with Image.open(coco.root / "a.jpg") as photo:
        photo.save(coco.root / "a.jpg", exif=turned)
    coco.write()
    assert _import(coco.root) == 3
    assert "--exif stored or --exif upright" in " ".join(capsys.readouterr().err.split())
    sizes = {}
    for exif in ("stored", "upright"):
        assert _import(coco.root, "--exif", exif) == 0
        (row,) = read_catalogue(Workspace(coco.root.parent / "ws").catalogue)
        sizes[exif] = row.width, row.height
    assert sizes == {"stored": (64, 48), "upright": (48, 64)}
    assert _import(coco.root, "--exif", "turned") == 2


def test_what_was_left_out_is_a_warning(coco: CocoFolder, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.jpg", "b.jpg"):
        coco.annotate(coco.add(name, hood=[square(10, 10, 20)]), "wheel", [[5, 5, 9, 9]])
    coco.write()
    assert _import(coco.root, "--json", "--strict") == 0
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    assert "2 outlines without an area in the photo were left out (2 photo(s), the first a.jpg)" in warnings


def test_what_the_audit_would_leave_out_is_left_out(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace, file = source.parent / "ws", source.parent / "exclude.txt"
    assert _import(source) == 0
    assert run(["audit", "-w", str(workspace), "--write-exclude", str(file)]) == 0
    lines = file.read_text().splitlines()
    assert any("imported: " in line and "4.jpg" in line for line in lines)
    file.write_text(next(line for line in lines if "4.jpg" in line) + "\n\n# by hand\n0.jpg # blurred\n")
    capsys.readouterr()
    assert _import(source, "--exclude", str(file), "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["rows"] == result["pairs"] == 3 and result["problems"] == []
    assert {row.source_file for row in read_catalogue(Workspace(workspace).catalogue)} == {"1.jpg", "2.jpg", "3.jpg"}


def test_a_photo_to_leave_out_that_is_not_there_is_told_the_nearest(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = source.parent / "exclude.txt"
    file.write_text("00.jpg\n")
    assert _import(source, "--exclude", str(file)) == 3
    assert "named 00.jpg (did you mean 0.jpg?)" in capsys.readouterr().err
    assert not (source.parent / "ws" / "catalogue.parquet").exists()
