"""Coarse-to-fine training of stage II (Wang et al. 2018, section 3.2): what the fine run takes over from the coarse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from augkit.core.errors import CheckpointError
from augkit.gan.conditional_generator import ConditionalGenerator
from augkit.models.patch import MultiScaleDiscriminator
from augkit.models.pix2pixhd import EnhancedFeatures, coarse_options
from augkit.models.registries import PhotoDiscriminator
from augkit.settings import ImageSettings
from augkit.train.checkpoint import load_state
from augkit.train.model_folder import CHECKPOINT


def coarse_settings(settings: ImageSettings) -> ImageSettings:
    """The settings of the coarse run: half the size, its own steps, all the rest alike."""
    assert settings.coarse is not None
    model, options = coarse_options(settings.options)
    changes = {
        "model": model, "options": options, "size": settings.size // 2, "steps": settings.coarse.steps, "coarse": None,
    }  # fmt: skip
    return ImageSettings.model_validate(settings.model_dump() | changes)


def coarse_part(painter: ConditionalGenerator) -> nn.Module:
    """What of a painter's generator was trained alone before."""
    features = painter.generator.features
    assert isinstance(features, EnhancedFeatures), "settings with `coarse` are those of an enhanced generator"
    return features.coarse


def hand_over(folder: Path, painter: ConditionalGenerator, discriminator: PhotoDiscriminator) -> None:
    """Gives painter and D the weights of the coarse run, before the first step.

    The coarse features and the conditioners are the coarse run's; its last convolution is dropped. D's scales are
    matched from the coarsest on, as in the authors' code, so that with one scale more in the fine run each sees
    pictures of the size it knows. Raises CheckpointError where the folder holds no such run.
    """
    assert isinstance(discriminator, MultiScaleDiscriminator), "settings with `coarse` are those of a PatchGAN"
    state, _ = load_state(folder / CHECKPOINT)
    try:
        game: dict[str, Any] = state["game"]
        coarse_part(painter).load_state_dict(_part(game["G"]["module"], "generator.features."))
        painter.guides.load_state_dict(_part(game["G"]["module"], "guides."))
        theirs = _scales(game["D"]["module"])
        for scale, weights in zip(reversed(discriminator.scales), reversed(theirs), strict=False):
            scale.load_state_dict(weights)
    except (KeyError, RuntimeError) as error:
        raise CheckpointError(
            f"{folder}: {error}", "a run of the coarse generator with these options", "train with --fresh"
        ) from error


def _part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _scales(state: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    count = 1 + max(int(name.split(".")[1]) for name in state)
    return [_part(state, f"scales.{number}.") for number in range(count)]
