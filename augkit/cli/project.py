"""``augkit project``: the latents behind pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augkit.cli._app import app
from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli._verb import CatalogueVerb
from augkit.core.errors import ConfigError
from augkit.core.nearest import one_of

if TYPE_CHECKING:
    from augkit.stages.projection.projections import Projection
    from augkit.stages.projection.projector import Projector


@app.command("project", cls=CatalogueVerb)
def project(
    pictures: Annotated[
        list[str],
        typer.Argument(metavar="PHOTO|MASK...", help="Photos, masks (grey PNGs of part ids), or ids of pairs."),
    ],
    *,
    stage: Annotated[
        str | None, typer.Option("--stage", help="mask or image-unconditional; by default what the picture is.")
    ] = None,
    car_class: Annotated[
        str | None, typer.Option("--class", help="Class, e.g. front-left-5; by default the mask's own.")
    ] = None,
    encoder_steps: Annotated[
        int | None, typer.Option("--encoder-steps", min=1, help="Train the encoder at least so long (500).")
    ] = None,
    refine_steps: Annotated[int, typer.Option("--refine-steps", min=1, help="Steps of gradient descent.")] = 200,
    perceptual: Annotated[
        float, typer.Option("--perceptual", help="Weight of the perceptual error; 0 leaves it out.")
    ] = 1.0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Train the encoder again.")] = False,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the latents that make a generator draw given pictures: an encoder's guess, then gradient descent."""
    from augkit.cli._progress import Bars
    from augkit.core.classes import CarClass
    from augkit.report.tables.projection_table import projection_tables
    from augkit.stages.model_store import ModelStore
    from augkit.stages.projection.latent_model import LATENT_STAGES
    from augkit.stages.projection.projector import ProjectionBudget, Projector
    from augkit.stages.projection.targets import read_source

    if stage is not None and stage not in LATENT_STAGES:
        raise ConfigError(f"--stage {stage}", one_of(stage, LATENT_STAGES))
    effort = ProjectionBudget(encoder_steps, refine_steps, perceptual, fresh)
    session = open_session(workspace, as_json, config, overrides)
    asked = CarClass.parse(car_class) if car_class else None
    with Bars() as bars:
        projector = Projector(ModelStore.open(session.workspace, session.settings), effort, bars)
        found = projector.project_all([read_source(projector.store, word, stage, asked) for word in pictures])
    session.emit(_result(projector, found), projection_tables(projector, found))


def _result(projector: Projector, found: list[Projection]) -> dict[str, Any]:
    return {
        "projections": [projection.to_dict() | _files(projector.folder, projection) for projection in found],
        "encoders": [
            {"folder": str(e.folder), "steps": e.steps, "trained_now": e.now} for e in projector.encoders.values()
        ],
    }


def _files(folder: Path, projection: Projection) -> dict[str, str]:
    stem = str(folder / projection.name)
    return {"picture": f"{stem}.png", "latent": f"{stem}.safetensors"}
