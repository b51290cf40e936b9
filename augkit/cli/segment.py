"""``augkit segment``: reads the parts of photos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augkit.cli._app import app
from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli._verb import Verb


@app.command("segment", cls=Verb)
def segment(
    source: Annotated[Path, typer.Argument(metavar="PHOTO|DIR", help="A photo, or a folder of photos.")],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of what is written; WORKSPACE/reports/segmented by default.")
    ] = None,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the parts of the car in each photo with the teacher: the square around it, its mask, an overlay."""
    from augkit.api.segmenting import segment as read
    from augkit.cli._progress import Bars

    session = open_session(workspace, as_json, config, overrides)
    with Bars() as bars:
        result = read(session.workspace, source, out=out, config=session.settings, progress=bars)
    session.show(result)
