"""``augkit paint`` from end to end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, read_catalogue
from augkit.models.extractors import Lite0Extractor

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def trained_once(rendered_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a pyramid of the smoke preset. Shared: take ``ready`` to write."""
    from augkit.cli._app import run

    workspace = Workspace(shutil.copytree(rendered_workspace.root, tmp_path_factory.mktemp("cli-paint") / "workspace"))
    assert run(["paint", "train", pairs(workspace)[0], "-w", str(workspace.root), "-c", "smoke"]) == 0
    return workspace


@pytest.fixture
def ready(trained_once: Workspace, tmp_path: Path) -> Workspace:
    return Workspace(shutil.copytree(trained_once.root, tmp_path / "ready"))


def pixels(path: str | Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def pairs(workspace: Workspace) -> list[str]:
    rows = TrainingRows.of(read_catalogue(workspace.catalogue)).rows
    return [row.id for row in rows if row.orientation == "A"] + [row.id for row in rows if row.orientation == "C"]


def test_a_mask_is_painted_and_written_as_shards(augkit: Command, ready: Workspace) -> None:
    order = ("paint", "from", pairs(ready)[1], "-w", ready.root, "--count", 2, "--shards", "--json")
    code, out, err = augkit(*order)
    assert code == 0, err
    result = json.loads(out)
    assert (result["extractor"], result["layer"]) == ("lite0", Lite0Extractor.map_layer)
    starts = result["starts"]
    assert [s["start"] for s in starts] == [1, 2]
    assert result["start"] == min(starts, key=lambda s: s["M"])["start"]
    assert all(
        s["M"] == pytest.approx(s["to_painting"] + s["to_photo"] + abs(s["to_painting"] - s["to_photo"]))
        for s in starts
    )
    made = [pixels(path) for path in result["pictures"]]
    assert [picture.shape for picture in made] == [(32, 32, 3)] * 2 and not np.array_equal(*made)
    assert pixels(result["mask"]).max() < PartSchema.load(ready.schema).channels
    assert pixels(result["sheet"]).shape[1] > 4 * 128
    assert augkit("verify", "--shards", result["shards"])[0] == 0
    assert augkit(*order) == (0, out, err)


def test_people_are_warned_of_another_pose(augkit: Command, ready: Workspace) -> None:
    code, out, err = augkit("paint", "from", pairs(ready)[-1], "-w", ready.root, "--start", 1)
    assert code == 0, err
    assert "the poses differ" in out and Lite0Extractor.map_layer.split(",")[0] in out and "chosen" in out


def test_a_drawn_mask_in_colours_and_variations(augkit: Command, ready: Workspace, tmp_path: Path) -> None:
    schema, drawn = PartSchema.load(ready.schema), tmp_path / "drawn.png"
    mask = pixels(ready.mask(pairs(ready)[1]))
    Image.fromarray(schema.colourise(mask)).save(drawn)
    code, out, err = augkit("paint", "from", drawn, "-w", ready.root, "--start", 2, "--json")
    assert code == 0, err
    assert [s["start"] for s in json.loads(out)["starts"]] == [2]
    code, out, err = augkit("paint", "sample", "-w", ready.root, "--count", 2, "--from-scale", 1, "--json")
    assert code == 0, err
    assert len(json.loads(out)["pictures"]) == 2 and Path(json.loads(out)["sheet"]).is_file()


def test_training_again_changes_nothing_and_says_how_near_it_comes(augkit: Command, ready: Workspace) -> None:
    code, out, err = augkit("paint", "train", pairs(ready)[0], "-w", ready.root, "-c", "smoke", "--json")
    assert code == 0, err
    result = json.loads(out)
    assert result["scales"] == ["16 x 16", "23 x 23", "32 x 32"] and result["psnr"] > 10 and result["mask"]


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["train", "nowhere.jpg"], 3, "no such file, and no pair"),
        (["from", "nowhere.png"], 3, "no such file, and no pair"),
        (["from", "ID", "--start", "9"], 2, "--start 9"),
        (["from", "ID", "--extractor", "vgg"], 2, "lite0"),
        (["from", "ID", "--model", "other"], 3, "train it first"),
        (["sample", "--from-scale", "7"], 2, "--from-scale 7"),
    ],
)
def test_orders_that_cannot_be(
    augkit: Command, trained_once: Workspace, words: list[str], code: int, text: str
) -> None:
    words = [pairs(trained_once)[1] if word == "ID" else word for word in words]
    found, out, err = augkit("paint", *words, "-w", trained_once.root, "--json")
    assert found == json.loads(out)["error"]["exit_code"] == code and text in err, err


def test_without_a_pyramid_it_says_to_train_one(augkit: Command, rendered_workspace: Workspace) -> None:
    code, _, err = augkit("paint", "sample", "-w", rendered_workspace.root)
    assert code == 3 and "augkit paint train" in err
