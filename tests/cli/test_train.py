from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace

import pytest

from augkit.core.part_names import PartOverride
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace

Command = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["mask", "--source", "all"], "--source with train mask"),
        (["image", "--source", "real"], "--source with train image"),
        (["segmenter", "--model", "all"], "--model with train segmenter"),
        (["mask", "--resume", "--fresh"], "--resume and --fresh together"),
        (["photo"], "image-unconditional, segmenter"),
        (["segmenter", "--source", "fake"], "segmenter.source"),
        (["mask", "--model", "front-5"], "mask.per_class_from"),
        (["mask", "--set", "mask.adversarial=hinge"], "mask.adversarial"),
    ],
)
def test_options_without_an_effect_are_errors(
    augkit: Command, trained: Workspace, options: list[str], text: str
) -> None:
    shutil.rmtree(trained.root / "models")
    code, out, err = augkit("train", *options, "-w", trained.root, "--json")
    assert code == 2 == json.loads(out)["error"]["exit_code"] and text in err, err


def test_an_earlier_run_is_not_overwritten(augkit: Command, trained: Workspace) -> None:
    code, _, err = augkit("train", "image", "-w", trained.root)
    assert code == 3 and "--resume" in err and "--fresh" in err


def test_fresh_trains_from_the_beginning(augkit: Command, trained: Workspace) -> None:
    path = trained.model("image", "all") / "model.safetensors"
    weights = path.read_bytes()
    path.write_bytes(b"old")
    code, out, err = augkit("train", "image", "--fresh", "-w", trained.root, "--json")
    assert code == 0, err
    assert json.loads(out)["models"] == [str(path.parent)]
    assert path.read_bytes() == weights


def test_resume_needs_the_same_settings(augkit: Command, trained: Workspace) -> None:
    code, _, err = augkit("train", "image", "--resume", "--set", "image.l1=3", "-w", trained.root)
    assert code == 3 and "other settings" in err and "l1: 2.0 then, 3.0 now" in err


@pytest.mark.parametrize("what", ["mask", "image"])
def test_a_side_without_its_counterpart_stops_training_before_it_begins(
    augkit: Command, copied_workspace: Workspace, what: str
) -> None:
    names = ["roof" if name == "right_mirror" else name for name in PartSchema.load(copied_workspace.schema).names[1:]]
    PartSchema.from_names(names).save(copied_workspace.schema)
    code, _, err = augkit("train", what, "-w", copied_workspace.root, "-c", "smoke")
    assert code == 3 and "left_mirror (no right_mirror)" in err and "--parts FILE" in err, err
    assert not copied_workspace.models.exists()


def test_a_side_without_its_counterpart_is_refused_without_flips_too(
    augkit: Command, copied_workspace: Workspace
) -> None:
    """What training does beside augmenting mirrors pairs; a person's word on the part is enough."""
    schema = PartSchema.load(copied_workspace.schema)
    parts = [replace(part, name="roof") if part.name == "right_mirror" else part for part in schema.parts]
    PartSchema(tuple(parts)).save(copied_workspace.schema)
    order = ("train", "mask", "-w", copied_workspace.root, "-c", "smoke", "--set", "mask.augment=none")
    code, _, err = augkit(*order)
    assert code == 3 and "left_mirror (no right_mirror)" in err and "--parts FILE" in err, err
    assert not copied_workspace.models.exists()
    told = PartOverride(mirror="left_mirror")
    PartSchema(tuple(replace(part, said=told) if part.name == "left_mirror" else part for part in parts)).save(
        copied_workspace.schema
    )
    code, _, err = augkit(*order, "--set", "mask.steps=1")
    assert code == 0, err
