"""Projections on disk: the latent, and whose it is.

WORKSPACE/reports/projections/
  {name}.safetensors   z and guess (latent,), and as notes what the rest of ``Projection`` says
  {name}.png           the picture, what G makes of the encoder's guess, and what it makes of z
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from augkit.core.classes import CarClass
from augkit.core.errors import CheckpointError, ConfigError
from augkit.core.inside import inside
from augkit.core.workspace import Workspace
from augkit.stages.projection.latent_model import LATENT_STAGES, LatentStage
from augkit.train.checkpoint import load_state, save_state

SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Projection:
    """The latent ``z`` of a picture, and the encoder's ``guess`` at it, each (latent,).

    ``source`` is the picture as the user named it, ``generator`` the hash of the weights that the latent is for.
    ``errors`` are those of the guess and of z, by name; ``total`` is what was minimised. ``step`` is the step of the
    refinement that found z, 0 where none was better than the guess.
    """

    name: str
    source: str
    stage: LatentStage
    model: str
    generator: str
    car_class: CarClass
    z: Float[Tensor, " latent"]
    guess: Float[Tensor, " latent"]
    errors: dict[str, dict[str, float]] = field(default_factory=dict)
    step: int = 0

    def to_dict(self) -> dict[str, Any]:
        """All but the latents, as plain data."""
        return {
            "name": self.name, "source": self.source, "stage": self.stage, "model": self.model,
            "generator": self.generator, "class": self.car_class.name, "errors": self.errors, "step": self.step,
        }  # fmt: skip


def folder_of(workspace: Workspace) -> Path:
    """Where a workspace's projections are."""
    return workspace.reports / "projections"


def save_projection(projection: Projection, folder: Path) -> Path:
    """Writes ``{name}.safetensors``; an earlier one of the name is replaced."""
    path = inside(folder, projection.name + SUFFIX)
    save_state({"z": projection.z, "guess": projection.guess}, path, {"projection": projection.to_dict()})
    return path


def load_projection(path: Path) -> Projection:
    """Raises CheckpointError where the file is none."""
    state, notes = load_state(path)
    try:
        about = dict(notes["projection"])
        if about["stage"] not in LATENT_STAGES:
            raise ValueError(f"stage {about['stage']!r}")
        about["car_class"] = CarClass.parse(about.pop("class"))
        return Projection(**about, z=state["z"], guess=state["guess"])
    except (KeyError, TypeError, ValueError, ConfigError) as error:
        raise CheckpointError(
            f"{path}: {error!r}", "a projection of this version", "make it with `augkit project`"
        ) from error
