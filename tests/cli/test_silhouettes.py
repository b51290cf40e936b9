from __future__ import annotations

import csv
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from PIL import Image

from augkit.core.parts import IGNORE, PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue
from augkit.sources.silhouettes.silhouette_store import read_table, write_table

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def found_workspace(rendered_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The rendered cars with their silhouettes; one of them was dropped."""
    import shutil
    from dataclasses import replace

    from augkit.cli._app import run

    root = shutil.copytree(rendered_workspace.root, tmp_path_factory.mktemp("found") / "workspace")
    workspace = Workspace(root)
    assert run(["silhouettes", "--workspace", str(root)]) == 0
    first, *others = read_table(workspace)
    write_table(workspace, [replace(first, dropped="no car"), *others])
    workspace.silhouette(first.id).unlink()
    return workspace


@pytest.fixture
def silhouettes(augkit: Command, copied_workspace: Workspace) -> Command:
    return partial(augkit, "silhouettes", "--workspace", copied_workspace.root)


@pytest.fixture
def written(augkit: Command, found_workspace: Workspace, tmp_path: Path) -> Callable[..., Path]:
    """Writes a data set by a recipe."""

    def write(*options: str) -> Path:
        target = tmp_path / "set"
        code, out, err = augkit("silhouettes", "-w", found_workspace.root, "--json", "--write", target, *options)
        assert code == 0, err
        result = json.loads(out)
        assert result["written"] == str(target) and result["looked_at_now"] == 0
        assert (result["pairs"], result["silhouettes"]) == (40, 39)
        return target

    return write


def pictures(folder: Path) -> dict[str, np.ndarray]:
    return {path.stem: np.array(Image.open(path)) for path in sorted(folder.rglob("*.png"))}


def silhouettes_of(workspace: Workspace) -> dict[str, np.ndarray]:
    return {id: picture > 0 for id, picture in pictures(workspace.silhouettes).items()}


def test_the_verb_from_end_to_end(silhouettes: Command, copied_workspace: Workspace) -> None:
    code, out, _ = silhouettes("--json")
    assert code == 0
    assert json.loads(out) == {
        "workspace": str(copied_workspace.root),
        "method": "grabcut",
        "pairs": 40,
        "silhouettes": 40,
        "dropped": {"no car": 0, "below the score": 0},
        "looked_at_now": 40,
        "dropped_ids": [],
        "written": None,
    }
    ids = [row.id for row in read_catalogue(copied_workspace.catalogue)]
    assert [row.id for row in read_table(copied_workspace)] == ids
    for row in read_table(copied_workspace):
        silhouette = np.array(Image.open(copied_workspace.silhouette(row.id))) > 0
        mask = np.array(Image.open(copied_workspace.mask(row.id)))
        shown = (mask > 0) & (mask < IGNORE)
        assert silhouette.shape == mask.shape and silhouette.sum() == row.area
        assert (silhouette & shown).sum() > 0.98 * shown.sum()
    code, out, _ = silhouettes()
    assert code == 0 and "40 (0 pairs looked at now)" in out


def test_the_splits_stay_and_the_dropped_is_left_out(written: Callable[..., Path], found_workspace: Workspace) -> None:
    target = written()
    rows = read_catalogue(found_workspace.catalogue)[1:]
    for kind in ("images", "masks"):
        assert sorted(str(path.relative_to(target / kind)) for path in (target / kind).rglob("*.png")) == sorted(
            f"{row.split}/{row.id}.png" for row in rows
        )
    masks = pictures(target / "masks")
    for row in rows:
        np.testing.assert_array_equal(masks[row.id], np.array(Image.open(found_workspace.mask(row.id))))


def test_green_outside(written: Callable[..., Path], found_workspace: Workspace) -> None:
    target = written("--outside", "green")
    photos, masks = pictures(target / "images"), pictures(target / "masks")
    for id, silhouette in silhouettes_of(found_workspace).items():
        car = (silhouette | (masks[id] > 0)) & (masks[id] != IGNORE)
        assert (photos[id][~car] == (51, 255, 51)).all() and not car.all()
        assert (photos[id][car] != (51, 255, 51)).any()


def test_transparent_outside(written: Callable[..., Path], found_workspace: Workspace) -> None:
    target = written("--outside", "transparent")
    photos, masks = pictures(target / "images"), pictures(target / "masks")
    for id, silhouette in silhouettes_of(found_workspace).items():
        car = (silhouette | (masks[id] > 0)) & (masks[id] != IGNORE)
        assert photos[id].shape[2] == 4
        np.testing.assert_array_equal(photos[id][..., 3], np.where(car, 255, 0))


def test_a_body_and_a_crop_are_read_back(
    augkit: Command, written: Callable[..., Path], found_workspace: Workspace, tmp_path: Path
) -> None:
    target = written("--overlay", "--crop", "--outside", "green")
    schema = PartSchema.load(found_workspace.schema)
    with (target / "parts.csv").open(newline="") as stream:
        lines = list(csv.reader(stream))
    assert lines[0] == ["id", "name", "red", "green", "blue"]
    assert lines[-1] == [str(len(schema.parts) + 1), "body", "255", "255", "255"]
    assert [line[1] for line in lines[1:-1]] == list(schema.names[1:])
    masks, photos, silhouettes = (
        pictures(target / "masks"),
        pictures(target / "images"),
        silhouettes_of(found_workspace),
    )
    for row in read_table(found_workspace)[1:]:
        x0, y0, x1, y1 = (int(edge) for edge in row.box)
        mask = np.array(Image.open(found_workspace.mask(row.id)))[y0:y1, x0:x1]
        inside = silhouettes[row.id][y0:y1, x0:x1]
        assert photos[row.id].shape[:2] == masks[row.id].shape == (y1 - y0, x1 - x0)
        np.testing.assert_array_equal(masks[row.id], np.where(inside & (mask == 0), len(schema.parts) + 1, mask))
    other = Workspace(tmp_path / "other")
    code, out, err = augkit("import", "folder", target, "-w", other.root, "--size", 32, "--json")
    assert code == 0, err
    result = json.loads(out)
    assert result["pairs"] == 39 and result["problems"] == [] and result["parts"] == [*schema.names[1:], "body"]
    theirs = {row.id: row for row in read_catalogue(other.catalogue)}
    for row in read_catalogue(found_workspace.catalogue)[1:]:
        assert theirs[row.id].split == row.split and theirs[row.id].histogram[-1] > 0


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (["--method", "magic"], ["no silhouette method named 'magic'", "detectron2, grabcut, torchvision"]),
        (["--crop"], ["--crop without --write"]),
        (["--outside", "keep", "--overlay"], ["--outside, --overlay without --write"]),
        (["--min-score", "0.5"], ["GrabCut has no score"]),
        (["--method", "torchvision", "--min-score", "90"], ["from 0 to 1"]),
        (["--method", "torchvision", "--weights", "nowhere.pth"], ["nowhere.pth: no such file"]),
        (["--workers", "0"], ["--workers"]),
    ],
)
def test_orders_that_cannot_be(
    silhouettes: Command, copied_workspace: Workspace, options: list[str], texts: list[str]
) -> None:
    code, out, err = silhouettes("--json", *options)
    assert code == 2 == json.loads(out)["error"]["exit_code"]
    assert all(text in err for text in texts), err
    assert not copied_workspace.silhouettes.exists()


def test_an_unknown_recipe_and_a_place_that_is_taken(
    silhouettes: Command, copied_workspace: Workspace, tmp_path: Path
) -> None:
    code, _, err = silhouettes("--write", tmp_path / "set", "--outside", "blue")
    assert code == 2 and "keep, green, transparent" in err
    code, _, err = silhouettes("--write", copied_workspace.pairs)
    assert code == 2 and "there is something already" in err
    assert not copied_workspace.silhouettes.exists() and not (tmp_path / "set").exists()


def test_nothing_is_left_of_a_data_set_that_cannot_be_written(
    augkit: Command, found_workspace: Workspace, copied_workspace: Workspace, tmp_path: Path
) -> None:
    folder, last = tmp_path / "sets", read_table(found_workspace)[-1].id
    kept = found_workspace.silhouette(last).read_bytes()
    found_workspace.silhouette(last).write_bytes(b"nothing")
    try:
        code, _, err = augkit("silhouettes", "-w", found_workspace.root, "--write", folder / "set")
    finally:
        found_workspace.silhouette(last).write_bytes(kept)
    assert code == 3 and last in err and "--fresh" in err
    assert not folder.exists()


def test_a_data_set_needs_a_silhouette(
    augkit: Command, found_workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    before = read_table(found_workspace)
    write_table(found_workspace, [replace(row, dropped="below the score") for row in before])
    try:
        code, _, err = augkit("silhouettes", "-w", found_workspace.root, "--write", tmp_path / "set")
    finally:
        write_table(found_workspace, before)
    assert code == 3 and "none of 40 pairs has a silhouette" in err and not (tmp_path / "set").exists()


def test_foreign_weights_are_named(silhouettes: Command, copied_workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"nothing")
    code, _, err = silhouettes("--method", "torchvision", "--weights", path)
    assert code == 3 and str(path) in err and "bring the file again" in err
    assert read_table(copied_workspace) == []


def test_without_a_network_the_file_to_bring_is_named(
    silhouettes: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_network(*arguments: object, **options: object) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", no_network)
    code, _, err = silhouettes("--method", "torchvision")
    assert code == 3 and "maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth" in err and "--weights" in err


def test_an_empty_folder_is_no_workspace(augkit: Command, tmp_path: Path) -> None:
    code, _, err = augkit("silhouettes", "-w", tmp_path)
    assert code == 3 and "no catalogue here" in err and list(tmp_path.iterdir()) == []
    (tmp_path / "notes.txt").write_text("a workspace?")
    code, _, err = augkit("silhouettes", "-w", tmp_path / "notes.txt")
    assert code == 3 and "notes.txt: no folder, but a file\n" in err
