from __future__ import annotations

import errno
import json
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from augkit.core.part_names import PartOverride
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from tests.core.test_atomic_file import full_after
from tests.core.test_lock import holder

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


def test_the_same_words_go_on_with_a_run(augkit: Command, trained: Workspace) -> None:
    folder = trained.model("image", "all")
    weights = (folder / "model.safetensors").read_bytes()
    for name in ("model.safetensors", "config.json"):  # as an interruption at the last step leaves it
        (folder / name).unlink()
    code, _, err = augkit("train", "image", "-w", trained.root)
    assert code == 0 and (folder / "model.safetensors").read_bytes() == weights, err


def test_an_earlier_run_is_not_overwritten(augkit: Command, trained: Workspace) -> None:
    code, _, err = augkit("train", "image", "--set", "image.l1=3", "-w", trained.root)
    assert code == 3 and "other settings" in err and "--fresh" in err


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


def longer(augkit: Command, workspace: Workspace) -> tuple[int, str, str]:
    """Two steps more of stage II."""
    return augkit("train", "image", "--resume", "--set", "image.steps=6", "-w", workspace.root)


def test_a_full_disk_ends_training_with_a_word_and_a_checkpoint_to_go_on_from(
    augkit: Command, trained: Workspace
) -> None:
    folder = trained.model("image", "all")
    before = (folder / "checkpoint.safetensors").read_bytes()
    with full_after(60_000):
        code, _, err = longer(augkit, trained)
    assert code == 3 and f"'{folder}/" in err and "File too large" in err and "ulimit -f" in err
    assert (folder / "checkpoint.safetensors").read_bytes() == before
    assert not [path for path in trained.root.rglob(".*") if path.suffix in (".tmp", ".lock")]
    code, _, err = longer(augkit, trained)
    assert code == 0 and (folder / "checkpoint.safetensors").read_bytes() != before, err


def test_fresh_where_nothing_can_be_removed_says_why(
    augkit: Command, trained: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(shutil, "rmtree", refuse)
    code, _, err = augkit("train", "image", "--fresh", "-w", trained.root)
    assert code == 3 and "Read-only file system" in err and "mount it for writing" in err and "--resume" not in err


def test_two_at_once_train_one_after_the_other(augkit: Command, trained: Workspace) -> None:
    with holder(trained.model("image", "all")) as (process, child):
        code, _, err = augkit("train", "image", "--fresh", "-w", trained.root)
        assert code == 3 and f"image/all: process {process.pid} on " in err and "wait for it to end" in err
        process.kill()
        os.kill(child, signal.SIGKILL)
    assert (trained.model("image", "all") / "model.safetensors").exists()


@pytest.mark.parametrize(("tracker", "text"), [("mlflow", "pip install mlflow"), ("nosuch", "track.0")])
def test_trackers_that_cannot_be(
    augkit: Command, trained: Workspace, monkeypatch: pytest.MonkeyPatch, tracker: str, text: str
) -> None:
    monkeypatch.setattr("augkit.core.trackers.find_spec", lambda name: None)
    code, _, err = augkit("train", "mask", "--track", tracker, "-w", trained.root)
    assert code == 2 and text in err
