"""``augkit evaluate gate``: what the gate itself is worth."""

from __future__ import annotations

from typing import Annotated

import typer

from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli._verb import CatalogueVerb
from augkit.cli.evaluate._app import evaluate


@evaluate.command("gate", cls=CatalogueVerb)
def gate(
    *,
    pairs: Annotated[int, typer.Option("--pairs", min=1, help="Real pairs that each fault is planted in.")] = 80,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Plant faults in real pairs and count what the gate catches, beside the real pairs that it rejects.

    The table is kept in WORKSPACE/reports/planted.json, and `augkit report` shows it.
    """
    from augkit.api.evaluate import gate as measured
    from augkit.cli._progress import Bars

    session = open_session(workspace, as_json, config, overrides)
    with Bars() as bars:
        result = measured(session.workspace, pairs=pairs, config=session.settings, progress=bars)
    session.show(result)
