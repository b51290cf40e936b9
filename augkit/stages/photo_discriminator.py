"""Stage II's discriminator: as the settings name it, and as a run left it."""

from __future__ import annotations

from pathlib import Path

from augkit.core.errors import CheckpointError, ConfigError
from augkit.models.registries import PHOTO_DISCRIMINATORS, PhotoDiscriminator
from augkit.settings import ImageSettings
from augkit.train.checkpoint import load_state
from augkit.train.model_folder import CHECKPOINT
from augkit.train.transfer import discriminator_of, load_part

PATCH, COLOURS = "patch", 3


def build_discriminator(settings: ImageSettings, parts: int) -> PhotoDiscriminator:
    """D for ``parts`` mask channels. Raises ConfigError for options that it does not take."""
    options = {"model": PATCH, **settings.discriminator}
    try:
        return PHOTO_DISCRIMINATORS[options.pop("model")](parts + 1 + COLOURS, **options)
    except TypeError as error:
        raise ConfigError(f"image.discriminator {settings.discriminator}: {error}") from error


def load_discriminator(folder: Path, settings: ImageSettings, parts: int) -> PhotoDiscriminator | None:
    """D as the run in the folder left it, for use; None where its checkpoint is gone.

    Raises CheckpointError where it is of other settings.
    """
    try:
        state, _ = load_state(folder / CHECKPOINT)
    except CheckpointError:
        return None
    weights = discriminator_of(state.get("game", {}))
    if weights is None:
        return None
    discriminator = build_discriminator(settings, parts)
    load_part(discriminator, weights, "", folder)
    return discriminator.eval()
