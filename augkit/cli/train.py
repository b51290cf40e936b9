"""``augkit train mask|image|segmenter|teacher``; ``accelerate launch -m augkit.train`` takes the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augkit.cli._app import app
from augkit.cli._session import (
    ConfigOption,
    JsonOption,
    SetOption,
    TrackOption,
    WorkspaceOption,
    open_session,
    track_setting,
)
from augkit.cli._verb import CatalogueVerb


@app.command("train", cls=CatalogueVerb)
def train(
    what: Annotated[
        str, typer.Argument(help="mask (stage I), image (stage II), image-unconditional, segmenter, teacher.")
    ],
    *,
    model: Annotated[
        str | None, typer.Option("--model", help="Train this one only: all, or a group such as front-5.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint (the default).")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove an earlier run first.")] = False,
    source: Annotated[
        str | None,
        typer.Option("--source", help="Segmenter only: what it learns from, e.g. real, all, real+classical."),
    ] = None,
    init_from: Annotated[
        Path | None,
        typer.Option("--init-from", help="Generators only: a model folder to start from."),
    ] = None,
    part_map: Annotated[
        str | None,
        typer.Option("--part-map", help="image: the parts of --init-from here; names, silhouette or a YAML file."),
    ] = None,
    background: Annotated[
        str | None, typer.Option("--background", help="image: learnt, green or composite (docs/augmentation.md).")
    ] = None,
    backgrounds: Annotated[
        str | None,
        typer.Option("--backgrounds", help="image, composite: a folder of landscapes, or inpainted."),
    ] = None,
    precision: Annotated[str | None, typer.Option("--precision", help="auto, fp32 or bf16.")] = None,
    track: TrackOption = None,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train one stage, or the segmentation network that reads the result."""
    from augkit.api.training import train as trained
    from augkit.cli._progress import Bars

    session = open_session(workspace, as_json, config, [*(overrides or []), *track_setting(track)])
    with Bars() as bars:
        result = trained(
            session.workspace, what, model=model, resume=resume or None, fresh=fresh, source=source,
            init_from=init_from,
            part_map=part_map, background=background, backgrounds=backgrounds, precision=precision,
            config=session.settings, progress=bars,
        )  # fmt: skip
    session.show(result)
