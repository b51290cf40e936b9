"""A workspace opened for projection: its generators and their encoders, each loaded or trained once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import nn

from augkit.core.errors import ConfigError
from augkit.core.progress import Progress, silent
from augkit.models.lite0 import Lite0Features
from augkit.stages.model_store import ModelStore
from augkit.stages.projection.encoder import TrainedEncoder, require_encoder
from augkit.stages.projection.forms import target_of
from augkit.stages.projection.latent_model import LatentModel, LatentStage, open_model
from augkit.stages.projection.projections import Projection, folder_of, save_projection
from augkit.stages.projection.refine import RATE, ReconstructionError, refine
from augkit.stages.projection.strip import write_strip
from augkit.stages.projection.targets import ProjectionSource

REFINE_STEPS, PERCEPTUAL = 200, 1.0


@dataclass(frozen=True)
class ProjectionBudget:
    """``encoder_steps`` None takes any finished encoder of the generator; ``perceptual`` is that error's weight."""

    encoder_steps: int | None = None
    refine_steps: int = REFINE_STEPS
    perceptual: float = PERCEPTUAL
    fresh: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.perceptual < float("inf"):
            raise ConfigError(f"--perceptual {self.perceptual}", "0 (without), or a weight")


class Projector:
    """Finds the latents of pictures."""

    def __init__(self, store: ModelStore, effort: ProjectionBudget | None = None, progress: Progress = silent) -> None:
        self.store, self.effort, self.progress = store, effort or ProjectionBudget(), progress
        self.encoders: dict[tuple[LatentStage, str], TrainedEncoder] = {}
        self._models: dict[tuple[LatentStage, str], LatentModel] = {}

    @property
    def folder(self) -> Path:
        """Where projections are written."""
        return folder_of(self.store.workspace)

    @cached_property
    def features(self) -> nn.Module:
        """What sees the perceptual error."""
        return Lite0Features()

    def model(self, stage: LatentStage, name: str) -> LatentModel:
        """Raises CheckpointError where it is not trained."""
        if (stage, name) not in self._models:
            self._models[stage, name] = open_model(self.store, stage, name)
        return self._models[stage, name]

    def model_of(self, source: ProjectionSource) -> LatentModel:
        """The model that serves the picture's class. Raises DataError where it does not know the class."""
        model = self.model(source.stage, self.store.model(source.stage, source.car_class))
        model.require(source.car_class)
        return model

    def encoder(self, model: LatentModel) -> TrainedEncoder:
        """Trains it where there is none."""
        key = (model.stage, model.name)
        if key not in self.encoders:
            self.encoders[key] = require_encoder(
                self.store.workspace, model, self.store.settings,
                steps=self.effort.encoder_steps, fresh=self.effort.fresh, progress=self.progress,
            )  # fmt: skip
        return self.encoders[key]

    def project_all(self, sources: Sequence[ProjectionSource]) -> list[Projection]:
        """Projects and writes them. What cannot be is refused before anything is trained or written."""
        names = [source.name for source in sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigError(f"pictures of one name: {', '.join(twice)}", "names that differ", "rename a file")
        for source in sources:
            self.model_of(source)
        return [self._project_and_write(source) for source in sources]

    def project(self, source: ProjectionSource) -> Projection:
        """The encoder's guess, refined."""
        model = self.model_of(source)
        target = target_of(model.form, source.at(model.size))
        misfit = ReconstructionError(model, source.car_class, target, self.features, self.effort.perceptual)
        network = self.encoder(model).network  # before gradients are off: it may be trained here
        with torch.no_grad():
            guess = model.clip(network(target.shown, torch.tensor([source.car_class.number])))
        found = refine(
            guess, lambda z: misfit.total(misfit.parts(z)), self.effort.refine_steps, RATE * model.moments[1],
            model.clip,
        )  # fmt: skip
        errors = {"guess": _errors(misfit, guess), "refined": _errors(misfit, found.z)}
        return Projection(
            source.name, source.word, model.stage, model.name, model.digest, source.car_class, found.z[0], guess[0],
            errors, found.step,
        )  # fmt: skip

    def _project_and_write(self, source: ProjectionSource) -> Projection:
        projection = self.project(source)
        model, car_class = self.model_of(source), source.car_class
        own = source.at(model.size)
        given = self.store.schema.colourise(own.mask) if source.stage == "mask" else own.photo
        made = [model.picture(z, car_class) for z in (projection.guess, projection.z)]
        write_strip(self.folder / f"{source.name}.png", [given, *made], ["input", "encoder's guess", "refined"])
        save_projection(projection, self.folder)
        return projection


@torch.no_grad()
def _errors(misfit: ReconstructionError, z: torch.Tensor) -> dict[str, float]:
    parts = misfit.parts(z)
    return {"total": float(misfit.total(parts))} | {name: float(error) for name, error in parts.items()}
