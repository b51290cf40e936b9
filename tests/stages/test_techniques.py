"""Every technique: it has an effect, it resumes bit-exactly, and where it makes no sense it is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from augkit.core.errors import CheckpointError, ConfigError
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, read_catalogue
from augkit.gan.latents import NormalPrior, UniformPrior
from augkit.gan.samplers import MaskSampler
from augkit.settings import load_settings
from augkit.stages.mask import check_mask, mask_task
from augkit.train.checkpoint import load_state

from .runs import KilledError, killed_at, run, tiny

GAN, VAE = "dcgan-upsampling", "mask-vae"
LAYERED, SPECTRAL = (f"mask.options={{latent: 4, norm: {norm}}}" for norm in ("layer", "spectral"))
TECHNIQUES: dict[str, tuple[str, list[str]]] = {
    "hinge": (GAN, ["mask.adversarial=hinge"]),
    "lsgan": (GAN, ["mask.adversarial=lsgan"]),
    "wgan-gp": (GAN, [LAYERED, "mask.adversarial=wgan", "mask.gradient_penalty=10"]),
    "r1": (GAN, [LAYERED, "mask.r1=1", "mask.r1_every=2"]),
    "lecam": (GAN, ["mask.lecam=0.3"]),
    "orthogonal": (GAN, ["mask.orthogonal=0.01", "mask.initialise=orthogonal"]),
    "xavier": (GAN, ["mask.initialise=xavier", "mask.clip=0.5"]),
    "diffaugment": (GAN, ["mask.diffaugment=[translation, cutout]"]),
    "unconditional": (GAN, ["mask.condition=none"]),
    "acgan": (GAN, ["mask.condition=auxiliary"]),
    "logan": (GAN, [SPECTRAL, "mask.latent_optimisation={}"]),
    "bidirectional logan": (GAN, [SPECTRAL, "mask.latent_optimisation={steps: 2}", "mask.bidirectional=true"]),
    "several moves of D": (GAN, ["mask.d_steps=2", "mask.batch=2"]),
    "microbatches": (GAN, ["mask.microbatches=2", "mask.lecam=0.3"]),
    "rgb": (GAN, ["mask.output=rgb"]),
    "critic": (VAE, ["mask.critic={model: dcgan-upsampling}", "mask.lecam=0.1"]),
    "critic with a class head": (VAE, ["mask.critic={model: dcgan-upsampling}", "mask.condition=auxiliary"]),
    "rgb vae": (VAE, ["mask.output=rgb"]),
    "selection": (VAE, ["mask.selection={every: 1, share: 0.3}"]),
}


def _tensors(state: Any, path: str = "") -> dict[str, Tensor]:
    if isinstance(state, Tensor):
        return {path: state}
    items = state.items() if isinstance(state, dict) else enumerate(state) if isinstance(state, list) else ()
    return {name: tensor for key, item in items for name, tensor in _tensors(item, f"{path}/{key}").items()}


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_four_steps_are_two_and_two(technique: str, workspace: Workspace, tmp_path: Path) -> None:
    name, overrides = TECHNIQUES[technique]
    settings = tiny(name, 4, *overrides)
    kept = run(name, workspace, settings).rename(tmp_path / "whole")
    with pytest.raises(KilledError):
        run(name, workspace, settings, progress=killed_at(3))
    again = run(name, workspace, settings, resume=True)
    ours, theirs = (_tensors(load_state(folder / "checkpoint.safetensors")[0]) for folder in (again, kept))
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert (again / "model.safetensors").read_bytes() == (kept / "model.safetensors").read_bytes()


@pytest.mark.parametrize("technique", [name for name in TECHNIQUES if name not in ("selection", "microbatches")])
def test_a_technique_changes_what_is_learnt(technique: str, workspace: Workspace, tmp_path: Path) -> None:
    name, overrides = TECHNIQUES[technique]
    plain = [o for o in overrides if o.startswith(("mask.batch", "mask.options"))]
    models = []
    for number, more in enumerate((overrides, plain)):
        folder = run(name, workspace, tiny(name, 3, *more))
        state = _tensors(load_state(folder / "checkpoint.safetensors")[0])
        models.append({key: value for key, value in state.items() if "/G/module/generator" in key})
        folder.rename(tmp_path / str(number))
    shared = models[0].keys() & models[1].keys()
    assert not all(models[0][k].shape == models[1][k].shape and torch.equal(models[0][k], models[1][k]) for k in shared)


CLASHES = {
    "an interval of nothing": (["mask.model=dcgan", "mask.r1_every=4"], "r1 is 0"),
    "frozen random weights": (["mask.model=dcgan", "mask.freeze_d=2"], "set init_from"),
    "a weight of no loss": (["mask.model=dcgan", "mask.auxiliary=2"], "condition is not auxiliary"),
    "weights that are replaced": (["mask.init_from=x", "mask.initialise=normal"], "init_from replaces"),
    "a selection that never is": (["mask.steps=100", "mask.selection={every: 101}"], "no state would be judged"),
    "one view twice": (["mask.model=dcgan", "mask.diffaugment=[cutout, cutout]"], "names a policy twice"),
}


@pytest.mark.parametrize("clash", CLASHES)
def test_a_clash_is_refused_when_the_settings_are_read(clash: str) -> None:
    overrides, reason = CLASHES[clash]
    with pytest.raises(ConfigError, match=reason):
        load_settings("smoke", overrides)


def _built(*overrides: str) -> None:
    """The networks of masks of three parts, without weights."""
    schema = PartSchema.from_names(["hood", "door"])
    check_mask(load_settings("smoke", ["mask.options={}", *overrides]).mask, schema)


UNMET = {
    "wgan without bounds": (["mask.model=dcgan", "mask.adversarial=wgan"], r"dcgan gives no D of bounded slope"),
    "a critic without bounds": (
        ["mask.critic={}", "mask.adversarial=wgan"],
        r"mask-vae with the critic dcgan gives no D",
    ),
    "two heads of D": (
        ["mask.model=dcgan", "mask.bidirectional=true", "mask.condition=auxiliary"],
        r"mask\.condition=auxiliary and mask\.bidirectional set",
    ),
    "colours on masks": (["mask.model=dcgan", "mask.diffaugment=[colour]"], r"no pictures whose colours may change"),
    "R1 of a score of all": (["mask.model=dcgan", "mask.r1=1"], r"mask\.r1 set, but dcgan gives no score of a picture"),
    "WGAN-GP of one": (["mask.model=resnet18-gan", "mask.gradient_penalty=10"], r"but resnet18-gan gives no score of"),
    "LOGAN of one": (
        ["mask.model=dcgan", "mask.latent_optimisation={}"],
        r"latent_optimisation set, but dcgan gives no",
    ),
    "R1 of a critic of one": (["mask.critic={}", "mask.r1=1"], r"mask-vae with the critic dcgan gives no score of"),
}


@pytest.mark.parametrize("unmet", UNMET)
def test_what_networks_do_not_give_is_refused_with_both_names(unmet: str) -> None:
    overrides, reason = UNMET[unmet]
    with pytest.raises(ConfigError, match=reason):
        _built(*overrides)


@pytest.mark.parametrize(
    "overrides",
    [
        ["mask.critic={options: {spectral: true}}", "mask.adversarial=wgan"],
        ["mask.model=dcgan", "mask.adversarial=wgan", "mask.options={norm: spectral}"],
        ["mask.model=dcgan", "mask.adversarial=wgan", "mask.gradient_penalty=10", "mask.options={norm: layer}"],
        ["mask.model=dcgan", "mask.r1=1", "mask.options={norm: none}"],
    ],
)
def test_what_they_give_is_used(overrides: list[str]) -> None:
    _built(*overrides)


@pytest.mark.parametrize("options", ["{latent: 0}", "{latent: -3}", "{latent: 4.5}", "{latent: x}", "{lantern: 4}"])
def test_options_that_no_network_takes_are_refused(options: str, workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match=r"mask\.options .* for dcgan-upsampling"):
        run(GAN, workspace, tiny(GAN, 2, f"mask.options={options}"))


def test_a_critics_options_are_those_of_d(workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match=r"mask\.critic\.options\.latent set"):
        run(VAE, workspace, tiny(VAE, 2, "mask.critic={options: {latent: 4}}"))


IDLE = {
    "a GAN's KL": (GAN, "mask.kl_weight=1", "mask.kl_weight"),
    "a GAN's critic": (GAN, "mask.critic={}", "mask.critic"),
    "a VAE's loss of D": (VAE, "mask.adversarial=hinge", "mask.adversarial"),
    "a VAE's D": (VAE, "mask.lecam=0.3", "mask.lecam"),
    "a VAE's latent optimisation": (VAE, "mask.latent_optimisation={}", "mask.latent_optimisation"),
    "a VAE's class head": (VAE, "mask.condition=auxiliary", "mask.condition=auxiliary"),
}


@pytest.mark.parametrize("idle", IDLE)
def test_an_option_without_effect_is_refused(idle: str, workspace: Workspace) -> None:
    name, override, named = IDLE[idle]
    with pytest.raises(ConfigError, match=f"{named} set, but {name}"):
        run(name, workspace, tiny(name, 2, override))


def _game(folder: Path) -> dict[str, Any]:
    game: dict[str, Any] = load_state(folder / "checkpoint.safetensors")[0]["game"]
    return game


def test_frozen_blocks_stay_equal_bit_for_bit(workspace: Workspace, tmp_path: Path) -> None:
    first = run(GAN, workspace, tiny(GAN, 2)).rename(tmp_path / "first")
    second = run(GAN, workspace, tiny(GAN, 2, f"mask.init_from={first}", "mask.freeze_d=2", "seed=5"))
    before, after = (_game(folder)["D"]["module"] for folder in (first, second))
    frozen = [name for name in before if name.startswith(("trunk.blocks.0.", "trunk.blocks.1."))]
    assert len(frozen) > 4 and all(torch.equal(before[name], after[name]) for name in frozen)
    assert not any(torch.equal(before[name], after[name]) for name in before if name.endswith("blocks.2.0.weight"))


def test_a_run_starts_from_another(workspace: Workspace, tmp_path: Path) -> None:
    first = run(VAE, workspace, tiny(VAE, 2)).rename(tmp_path / "first")
    with pytest.raises(KilledError):  # the settings of a step too small to move a weight show where it started
        run(VAE, workspace, tiny(VAE, 3, f"mask.init_from={first}", "mask.optim.lr=1e-30"), progress=killed_at(3))
    before, after = (_game(folder)["G"]["module"] for folder in (first, workspace.model("mask", "all")))
    assert all(torch.allclose(before[name], after[name]) for name in before)


@pytest.mark.parametrize(
    ("overrides", "error", "reason"),
    [
        (["mask.options={base: 16, latent: 4}"], CheckpointError, "same model, size, options and condition"),
        (["mask.critic={}", "mask.freeze_d=1"], ConfigError, r"mask\.freeze_d set, but .* gives no D that was trained"),
    ],
)
def test_a_start_that_does_not_fit_is_refused(
    overrides: list[str], error: type[Exception], reason: str, workspace: Workspace, tmp_path: Path
) -> None:
    first = run(VAE, workspace, tiny(VAE, 2)).rename(tmp_path / "first")
    with pytest.raises(error, match=reason):
        run(VAE, workspace, tiny(VAE, 2, f"mask.init_from={first}", *overrides))
    with pytest.raises(CheckpointError, match="checkpoint"):
        run(VAE, workspace, tiny(VAE, 2, f"mask.init_from={tmp_path}"))


def test_more_frozen_blocks_than_there_are_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    first = run(GAN, workspace, tiny(GAN, 2)).rename(tmp_path / "first")
    with pytest.raises(ConfigError, match=r"freeze_d 99: D has \d+ blocks"):
        run(GAN, workspace, tiny(GAN, 2, f"mask.init_from={first}", "mask.freeze_d=99"))


def test_ds_moves_see_pairs_of_their_own(workspace: Workspace) -> None:
    settings = tiny(GAN, 2, "mask.batch=2", "mask.d_steps=3")
    assert settings.mask.run.rows == 6
    folder = run(GAN, workspace, settings)
    about = json.loads((folder / "config.json").read_text())
    assert about["steps"] == 2 and about["health"] == []
    steps = [float(s["step"]) for s in _game(folder)["D"]["optimiser"]["state"].values()]
    assert set(steps) == {6.0}  # three a step


@pytest.mark.parametrize(
    ("override", "terms"),
    [
        ("mask.latent_optimisation={}", {"latent_moves"}),
        ("mask.condition=auxiliary", {"auxiliary"}),
        ("mask.orthogonal=0.01", {"orthogonal"}),
        ("mask.bidirectional=true", set()),
    ],
)
def test_techniques_of_both_players_are_terms_of_both(override: str, terms: set[str], workspace: Workspace) -> None:
    folder = run(GAN, workspace, tiny(GAN, 2, SPECTRAL, override))
    losses = json.loads((folder / "metrics.jsonl").read_text().splitlines()[0])
    named = {name for name in losses if "/" in name}
    assert named == {f"{player}/{term}" for player in "DG" for term in {"adversarial", *terms}}


def test_latents_and_clipping_are_as_asked(rendered_workspace: Workspace) -> None:
    """What is sampled from is what was trained with; every player clips."""
    rows = TrainingRows.of(read_catalogue(rendered_workspace.catalogue))
    schema = PartSchema.load(rendered_workspace.schema)
    for asked, prior, clip in (
        ([SPECTRAL, "mask.latent_optimisation={}", "mask.clip=0.5"], UniformPrior, 0.5),
        ([], NormalPrior, float("inf")),
    ):
        settings = tiny(GAN, 2, *asked).mask
        task = mask_task("all", rendered_workspace, rows, schema, settings, torch.device("cpu"))
        sampler = task.finish(task.learner)
        assert isinstance(sampler, MaskSampler) and isinstance(sampler.prior, prior)
        assert {(player.name, player.clip) for player in task.game.players} == {("D", clip), ("G", clip)}
