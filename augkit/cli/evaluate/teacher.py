"""``augkit evaluate teacher``: how right what the teacher read is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augkit.cli._session import JsonOption, WorkspaceOption, open_session
from augkit.cli._verb import Verb
from augkit.cli.evaluate._app import evaluate


@evaluate.command("teacher", cls=Verb)
def teacher(
    labels: Annotated[
        Path, typer.Option("--labels", help="A workspace with pairs of the photos that are unlabelled here.")
    ],
    *,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare what the teacher kept of unlabelled photos with labels that were hidden from it."""
    from augkit.api.evaluate import teacher as measured

    session = open_session(workspace, as_json)
    session.show(measured(session.workspace, labels))
