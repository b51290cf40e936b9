"""``augkit project`` and ``augkit mix`` from end to end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import timm
from PIL import Image

from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, read_catalogue
from augkit.models import latent_encoder
from augkit.stages.projection import encoder
from tests.stages.runs import run, tiny

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ResNet18 of few channels, which takes two steps of four."""
    thin = SimpleNamespace(create_model=partial(timm.create_model, channels=(4, 4, 8, 8)))
    monkeypatch.setattr(latent_encoder, "timm", thin)
    monkeypatch.setattr(encoder, "STEPS", 2)
    monkeypatch.setattr(encoder, "BATCH", 4)


@pytest.fixture(scope="module")
def drawing_workspace(rendered_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The rendered workspace with a stage I of two steps. Shared: take ``drawing`` to write."""
    workspace = Workspace(shutil.copytree(rendered_workspace.root, tmp_path_factory.mktemp("drawing") / "workspace"))
    run("mask-vae", workspace, tiny("mask-vae", 2))
    return workspace


@pytest.fixture
def drawing(drawing_workspace: Workspace, tmp_path: Path) -> Workspace:
    """A copy to write into."""
    return Workspace(shutil.copytree(drawing_workspace.root, tmp_path / "drawing"))


def alike(workspace: Workspace) -> list[str]:
    """Ids of training pairs of one class."""
    rows = TrainingRows.of(read_catalogue(workspace.catalogue)).rows
    return [row.id for row in rows if row.car_class == rows[0].car_class]


def test_a_mask_is_projected_and_two_are_mixed(augkit: Command, drawing: Workspace) -> None:
    one, other, *_ = alike(drawing)
    weights = (drawing.model("mask", "all") / "model.safetensors").read_bytes()
    code, out, err = augkit("project", one, other, "-w", drawing.root, "--refine-steps", 6, "--json")
    assert code == 0, err
    result = json.loads(out)
    found, _ = result["projections"]
    assert all(p["errors"]["refined"]["total"] < p["errors"]["guess"]["total"] for p in result["projections"])
    assert (found["name"], found["stage"], found["model"]) == (one, "mask", "all")
    [trained] = result["encoders"]
    assert trained == {"folder": str(drawing.model("encoder-mask", "all")), "steps": 2, "trained_now": True}
    assert all(Path(found[file]).is_file() for file in ("picture", "latent"))
    code, out, err = augkit("mix", one, other, "--weight", "0.4", "-w", drawing.root, "--json")
    assert code == 0, err
    mixed = json.loads(out)
    assert mixed["weights"] == [0, 0.25, 0.4, 0.5, 0.75, 1] and mixed["note"] == ""
    assert mixed["a"] == {key: value for key, value in found.items() if key not in ("picture", "latent")}
    with Image.open(mixed["picture"]) as picture, Image.open(mixed["strip"]) as strip:
        assert picture.mode == "L" and np.asarray(picture).max() < PartSchema.load(drawing.schema).channels
        assert strip.width > 6 * 128
    assert (drawing.model("mask", "all") / "model.safetensors").read_bytes() == weights


def test_the_encoder_is_kept_and_people_read_both_errors(augkit: Command, drawing: Workspace) -> None:
    one, other, *_ = alike(drawing)
    order = ("-w", drawing.root, "--refine-steps", 3, "--perceptual", 0)
    assert augkit("project", one, *order)[0] == 0
    trained = (drawing.model("encoder-mask", "all") / "model.safetensors").stat().st_mtime_ns
    code, out, err = augkit("project", one, other, *order)
    assert code == 0, err
    assert all(text in out for text in ("guess", "refined", "total", "cross_entropy", "change", "2 steps"))
    assert "perceptual" not in out
    assert (drawing.model("encoder-mask", "all") / "model.safetensors").stat().st_mtime_ns == trained


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (["project", "nothing.png"], 3, "no such file, and no pair"),
        (["project", "ID", "--stage", "image"], 2, "mask, image-unconditional"),
        (["project", "ID", "--stage", "image-unconditional"], 3, "train it first"),
        (["project", "ID", "--class", "blue"], 2, "no class named"),
        (["project", "ID", "--perceptual", "-1"], 2, "--perceptual -1"),
        (["project", "ID", "--refine-steps", "0"], 2, "refine-steps"),
        (["project", "ID", "ID"], 2, "of one name"),
        (["mix", "ID", "ID", "--weight", "1.5"], 2, "--weight 1.5"),
        (["mix", "ID", "nothing"], 3, "no such file, and no pair"),
        (["mix", "ID", "none.safetensors"], 3, "none.safetensors"),
    ],
)
def test_orders_that_cannot_be(
    augkit: Command, drawing_workspace: Workspace, options: list[str], code: int, text: str
) -> None:
    words = [alike(drawing_workspace)[0] if word == "ID" else word for word in options]
    found, out, err = augkit(*words, "-w", drawing_workspace.root, "--json")
    assert found == json.loads(out)["error"]["exit_code"] == code and text in err, err
    assert not drawing_workspace.reports.joinpath("projections").exists()
    assert not drawing_workspace.model("encoder-mask", "all").exists()


def test_an_empty_folder_is_no_workspace(augkit: Command, tmp_path: Path) -> None:
    code, _, err = augkit("project", "car", "-w", tmp_path)
    assert code == 3 and "augkit import" in err
