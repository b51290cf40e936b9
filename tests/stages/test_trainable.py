"""What every trainable thing must do: train, leave a whole model folder, load, resume bit-exactly, fail well."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from augkit.core.classes import CarClass
from augkit.core.errors import CheckpointError, ConfigError, DataError, TrainingError
from augkit.core.parts import IGNORE, without_ignore
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue, write_catalogue
from augkit.data.pair_files import read_mask
from augkit.losses.adversarial import ADVERSARIAL
from augkit.models.registries import PHOTO_GENERATORS
from augkit.settings import changed
from augkit.sources.silhouettes.silhouette_store import SilhouetteRow, write_silhouette, write_table
from augkit.stages.image import load_photo_sampler
from augkit.stages.mask import load_mask_sampler
from augkit.stages.model_store import ModelStore
from augkit.train.checkpoint import load_state
from augkit.train.model_folder import check_parts, is_finished

from .runs import LOAD, TINY, KilledError, killed_at, run, tiny

FRONT = CarClass("A", "5")
ALIKE = ["mask-vae", "dcgan-deconvolution", "dcgan", "translator", "pix2pixhd-local", "fpn"]
"""One of each kind of task, and what has a state of its own: styles and a pool of fakes."""


def _steps(folder: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def _tensors(state: Any, path: str = "") -> dict[str, torch.Tensor]:
    if isinstance(state, torch.Tensor):
        return {path: state}
    items = state.items() if isinstance(state, dict) else enumerate(state) if isinstance(state, list) else ()
    return {name: tensor for key, item in items for name, tensor in _tensors(item, f"{path}/{key}").items()}


def _check_use(name: str, module: Any, size: int, channels: int) -> None:
    """What a trained thing is for, once."""
    masks = np.zeros((2, size, size), np.uint8)
    if TINY[name][0] == "mask":
        drawn = module.sample(FRONT, [1, 2], 24).masks
        assert drawn.shape == (2, 24, 24) and drawn.max() < channels
    elif TINY[name][0] == "image-unconditional":
        assert module.sample(FRONT, [1, 2]).shape == (2, size, size, 3)
    elif name in PHOTO_GENERATORS:
        assert module.paint(masks, FRONT, [1, 2]).photos.shape == (2, size, size, 3)
    else:
        assert module(torch.zeros(2, 3, size, size)).shape == (2, channels, size, size)


@pytest.mark.parametrize("name", sorted(TINY))
def test_two_steps_leave_a_whole_model(name: str, workspace: Workspace, every_step: None) -> None:
    told: list[tuple[str, int, int]] = []
    folder = run(name, workspace, tiny(name, 2), progress=lambda *about: told.append(about))
    stage = TINY[name][0]
    assert [about[1:] for about in told] == [(1, 2), (2, 2)] and told[0][0].startswith(stage)
    assert is_finished(folder) and folder.parent.name == stage
    assert _steps(folder) == [1, 2]
    losses = json.loads((folder / "metrics.jsonl").read_text().splitlines()[0])
    assert all(np.isfinite(value) for value in losses.values()) and len(losses) > 2
    with Image.open(folder / "samples" / "step-000002.png") as picture:
        assert picture.width > 16 and len(np.unique(np.asarray(picture))) > 1
    assert list((folder / "tensorboard").glob("events*"))
    assert not list(folder.glob("*.tmp"))
    module, about = LOAD[stage](folder)
    assert (about["stage"], about["model"], about["steps"], about["processes"]) == (stage, name, 2, 1)
    assert not any(part.training for part in module.modules())
    _check_use(name, module, about["size"], len(about["schema"]["parts"]) + 1)


@pytest.mark.parametrize("name", ALIKE)
def test_a_killed_run_goes_on_bit_exactly(name: str, workspace: Workspace, tmp_path: Path, every_step: None) -> None:
    settings = tiny(name, 4)
    whole = run(name, workspace, settings)
    kept = whole.rename(tmp_path / "whole")
    with pytest.raises(KilledError):
        run(name, workspace, settings, progress=killed_at(3))  # the third step is lost: the checkpoint is of the second
    assert not is_finished(whole) and _steps(whole) == [1, 2, 3]
    again = run(name, workspace, settings, resume=True)
    assert (again / "model.safetensors").read_bytes() == (kept / "model.safetensors").read_bytes()
    assert _steps(again) == [1, 2, 3, 4]
    ours, theirs = (_tensors(load_state(folder / "checkpoint.safetensors")[0]) for folder in (again, kept))
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert (again / "samples" / "step-000004.png").read_bytes() == (kept / "samples" / "step-000004.png").read_bytes()


def test_a_finished_run_can_be_made_longer(workspace: Workspace, tmp_path: Path, every_step: None) -> None:
    short = run("mask-vae", workspace, tiny("mask-vae", 2))
    longer = run("mask-vae", workspace, tiny("mask-vae", 4), resume=True)
    assert longer == short and _steps(longer) == [1, 2, 3, 4]
    kept = longer.rename(tmp_path / "longer")
    at_once = run("mask-vae", workspace, tiny("mask-vae", 4))
    assert (kept / "model.safetensors").read_bytes() == (at_once / "model.safetensors").read_bytes()


def test_training_learns_from_its_seed(workspace: Workspace, tmp_path: Path) -> None:
    models = []
    for number, seed in enumerate((0, 0, 1)):
        folder = run("mask-vae", workspace, tiny("mask-vae", 2, f"seed={seed}"))
        models.append((folder / "model.safetensors").read_bytes())
        folder.rename(tmp_path / str(number))
    assert models[0] == models[1] != models[2]


def test_a_run_in_the_way_is_refused(workspace: Workspace) -> None:
    folder = run("mask-vae", workspace, tiny("mask-vae", 2))
    before = (folder / "model.safetensors").read_bytes()
    with pytest.raises(CheckpointError, match=r"an earlier run is here(.|\n)*--resume(.|\n)*--fresh"):
        run("mask-vae", workspace, tiny("mask-vae", 2))
    assert (folder / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("mask.optim.lr=0.5", "optim: .*0.001.* then, .*0.5.* now"),
        ("mask.kl_weight=0.5", "kl_weight: 0.0005 then, 0.5 now"),
        ("mask.batch=8", "batch: 4 then, 8 now"),
        ("seed=3", "seed: "),
    ],
)
def test_a_resume_with_other_settings_names_them(change: str, named: str, workspace: Workspace) -> None:
    run("mask-vae", workspace, tiny("mask-vae", 2))
    with pytest.raises(CheckpointError, match=rf"made with other settings \({named}") as caught:
        run("mask-vae", workspace, tiny("mask-vae", 4, change), resume=True)
    assert "steps" not in caught.value.found


def test_a_resume_on_other_pairs_is_refused(workspace: Workspace, copied_workspace: Workspace) -> None:
    folder = run("mask-vae", workspace, tiny("mask-vae", 2))
    rows = read_catalogue(copied_workspace.catalogue)
    write_catalogue(copied_workspace.catalogue, rows[1:])
    folder.parent.parent.rename(copied_workspace.root / "models")
    with pytest.raises(CheckpointError, match=r"other settings \(pairs: "):
        run("mask-vae", copied_workspace, tiny("mask-vae", 4), resume=True)


def test_resume_without_an_earlier_run_begins_one(workspace: Workspace) -> None:
    assert is_finished(run("mask-vae", workspace, tiny("mask-vae", 2), resume=True))


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"garbage", lambda b: b""], ids=["cut", "garbage", "empty"]
)
def test_a_damaged_file_is_named_with_a_remedy(damage: Any, workspace: Workspace) -> None:
    folder = run("mask-vae", workspace, tiny("mask-vae", 2))
    for file, act in (
        ("checkpoint.safetensors", lambda: run("mask-vae", workspace, tiny("mask-vae", 4), resume=True)),
        ("model.safetensors", lambda: LOAD["mask"](folder)),
        ("config.json", lambda: LOAD["mask"](folder)),
    ):
        path = folder / file
        whole = path.read_bytes()
        path.write_bytes(damage(whole))
        with pytest.raises(CheckpointError) as caught:
            act()
        assert str(folder) in caught.value.found and "train" in caught.value.remedy and caught.value.expected
        path.write_bytes(whole)


@pytest.mark.parametrize("name", ALIKE)
def test_a_model_that_does_not_fit_its_description_is_refused(name: str, workspace: Workspace) -> None:
    folder = run(name, workspace, tiny(name, 2))
    about = json.loads((folder / "config.json").read_text())
    changes: list[dict[str, Any]] = [
        {"model": "strange"},
        {"options": {"strange": 1}},
        {"options": None},
        {"size": None},
    ]
    if name not in ("dcgan-deconvolution", "dcgan"):  # an RGB network does not depend on the number of parts
        changes.append({"schema": {"parts": []}})
    for change in changes:
        (folder / "config.json").write_text(json.dumps(about | change))
        with pytest.raises(CheckpointError, match=rf"{folder}(.|\n)*train it again"):
            LOAD[TINY[name][0]](folder)
    (folder / "config.json").write_text(json.dumps({k: v for k, v in about.items() if k != "schema"}))
    with pytest.raises(CheckpointError, match="schema"):
        LOAD[TINY[name][0]](folder)


@pytest.mark.parametrize("stage", sorted(LOAD))
def test_a_folder_without_a_model_says_to_train(stage: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"not finished(.|\n)*a finished model(.|\n)*train it first"):
        LOAD[stage](tmp_path)
    with pytest.raises(CheckpointError, match=r"all: no model was trained here yet\n(.|\n)*train it first"):
        LOAD[stage](tmp_path / "all")


@pytest.mark.parametrize(("name", "player"), [("dcgan-deconvolution", "D"), ("translator", "D")])
def test_a_loss_that_is_not_finite_ends_the_run(
    name: str, player: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tiny(name, 4)
    adversarial = settings.mask.adversarial if TINY[name][0] == "mask" else settings.image.adversarial
    calls = {"n": 0}
    loss = ADVERSARIAL[adversarial].discriminator

    def breaks_at_third(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        calls["n"] += 1
        scales = 1 if TINY[name][0] == "mask" else 2
        return loss(real, fake) * (float("nan") if calls["n"] > 2 * scales else 1.0)

    monkeypatch.setitem(
        ADVERSARIAL._entries, adversarial, replace(ADVERSARIAL[adversarial], discriminator=breaks_at_third)
    )
    with pytest.raises(TrainingError, match=f"step 3, player {player}, term adversarial: loss is nan"):
        run(name, workspace, settings)
    stage = TINY[name][0]
    folder = workspace.model(stage, "all")
    assert not is_finished(folder) and load_state(folder / "checkpoint.safetensors")[0]["step"] == 2


def test_a_batch_that_the_microbatches_cannot_share_is_refused(workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match=r"batch 4(.|\n)*3"):
        run("mask-vae", workspace, tiny("mask-vae", 2, "mask.microbatches=3"))


def test_options_of_the_other_kind_of_mask_model_are_refused(workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match=r"mask\.adversarial set, but mask-vae"):
        run("mask-vae", workspace, tiny("mask-vae", 2, "mask.adversarial=hinge"))
    with pytest.raises(ConfigError, match=r"mask\.kl_weight set, but dcgan-upsampling"):
        run("dcgan-upsampling", workspace, tiny("dcgan-upsampling", 2, "mask.kl_weight=1"))


def test_an_unknown_option_of_the_discriminator_is_refused(workspace: Workspace) -> None:
    for value in ("{bass: 3}", "{norm: group}"):
        with pytest.raises(ConfigError, match=r"bass|norm 'group'"):
            run("translator", workspace, tiny("translator", 2, f"image.discriminator={value}"))


def test_bodies_are_drawn_where_silhouettes_show_them(workspace: Workspace) -> None:
    plain = tiny("mask-vae", 2)
    store = ModelStore.open(workspace, plain)
    rows = store.rows.rows
    assert store.drawn.schema is store.schema and not store.drawn.facts
    with pytest.raises(DataError, match="no training pair has a silhouette"):
        _ = ModelStore.open(workspace, changed(plain, ["body=true"])).drawn
    before = store.fingerprint("mask", "all")

    workspace.silhouettes.mkdir()
    for row in rows:
        mask = read_mask(workspace.mask(row.id))
        car = cv2.dilate((mask % IGNORE > 0).astype(np.uint8), np.ones((7, 7))) > 0
        write_silhouette(workspace.silhouette(row.id), car)
    write_table(workspace, [SilhouetteRow(row.id, "test", "key") for row in rows])
    store = ModelStore.open(workspace, plain)
    assert store.drawn.schema.channels == store.schema.channels + 1
    assert store.fingerprint("mask", "all").keys() - before.keys() == {"body"}
    assert ModelStore.open(workspace, changed(plain, ["body=false"])).fingerprint("mask", "all") == before

    sampler, about = load_mask_sampler(run("mask-vae", workspace, plain))
    check_parts(workspace.root, about, store.schema)
    assert sampler.schema.digest == store.drawn.schema.digest
    photos, _ = load_photo_sampler(run("translator", workspace, tiny("translator", 2)))
    shown = photos.bank.at(0).pair.mask
    assert (shown == store.schema.channels).any()
    assert photos.paint(without_ignore(shown)[None], rows[0].car_class, [0]).photos.shape[0] == 1
