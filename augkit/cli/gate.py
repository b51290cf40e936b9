"""``augkit gate``: fits the gate, and judges finished shards again without making any pair."""

from __future__ import annotations

from typing import Annotated

import typer

from augkit.cli._app import app
from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli._verb import CatalogueVerb


@app.command("gate", cls=CatalogueVerb)
def gate(
    *,
    refit: Annotated[bool, typer.Option("--refit", help="Fit the judges again, even where nothing changed.")] = False,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit the gate where need be, and judge the pairs in the shards again, e.g. with other bounds."""
    from augkit.balance.plain_options import open_references
    from augkit.cli._progress import Bars
    from augkit.gate.judge_again import judge_again
    from augkit.report.tables.gate_table import funnel_table

    session = open_session(workspace, as_json, config, overrides)
    with Bars() as bars:
        result = judge_again(open_references(session.workspace, session.settings, bars), refit)
    session.emit(result, funnel_table(result))
