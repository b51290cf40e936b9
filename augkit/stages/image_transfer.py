"""Stage II from another run's networks, whose parts may be others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from augkit.core.errors import CheckpointError
from augkit.core.parts import PartSchema
from augkit.settings import ImageSettings
from augkit.stages.part_map import part_map
from augkit.train.model_folder import load_description
from augkit.train.transfer import discriminator_of, input_axes, load_part, players_of, reread

Build = Callable[[int], nn.Module]
"""A network for so many mask channels."""

_NETWORK = {"model": "model", "options": "options", "guides": "conditioning", "repair": "repair"}
"""What makes the networks: by the key in a model's description, the setting."""

_POWER_ITERATIONS, _SIDE = 15, 64


def start(
    settings: ImageSettings, schema: PartSchema, painter: tuple[nn.Module, Build], judge: tuple[nn.Module, Build]
) -> bool:
    """Loads the networks of ``init_from`` into G and D, each given with what builds it; whether D has some now.

    Raises CheckpointError where the folder holds no stage II of these networks, SchemaError where the schemas have no
    part in common, and ConfigError for a part map that is none.
    """
    if settings.init_from is None:
        return False
    folder = Path(settings.init_from)
    game = players_of(folder, "a run of stage II")
    source = _schema_of(folder, settings)
    shares = torch.from_numpy(part_map(settings.part_map, source, schema).shares())
    weights = {"G": game["G"]["module"], "D": discriminator_of(game)}
    same = torch.equal(shares, torch.eye(*shares.shape))
    for name, (network, build) in (("G", painter), ("D", judge)):
        if weights[name] is not None:
            axes = {} if same else input_axes(build, schema.channels)
            load_part(network, reread(weights[name], axes, shares), "", folder)
    if not same:
        _settle(judge[0], schema.channels + 1 + 3)
    return weights["D"] is not None


def _schema_of(folder: Path, settings: ImageSettings) -> PartSchema:
    """The schema of the run. Raises CheckpointError where G was told other things than this one is."""
    about = load_description(folder)
    if about.get("stage") != "image":
        raise CheckpointError(
            f"{folder}: a model of the stage {about.get('stage', '?')}", "a model of stage II (image)",
            "set image.init_from to a folder that `augkit train image` made",
        )  # fmt: skip
    own = settings.description()
    other = [
        f"image.{name}: {about.get(key)} there, {own[key]} here"
        for key, name in _NETWORK.items()
        if about.get(key) != own[key]
    ]
    if other:
        raise CheckpointError(
            f"{folder}: other networks ({'; '.join(other)})", "networks of the same model, options and conditioning",
            "set these as they were there, or init_from to another run",
        )  # fmt: skip
    return PartSchema.from_dict(about["schema"])


@torch.no_grad()
def _settle(discriminator: nn.Module, channels: int) -> None:
    """Spectral norm's power iteration moves a step a call; blocks that are frozen afterwards keep what it has found."""
    for _ in range(_POWER_ITERATIONS):
        discriminator(torch.zeros(1, channels, _SIDE, _SIDE))
