"""``augkit evaluate gate``: what the gate itself is worth."""

from __future__ import annotations

from typing import Annotated

import typer

from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli.evaluate._app import evaluate


@evaluate.command("gate")
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
    from augkit.balance.plain_options import open_references
    from augkit.cli._progress import Bars
    from augkit.core.errors import ConfigError
    from augkit.evaluate.gate import measure
    from augkit.gate.fit import ready_gate
    from augkit.report.tables.gate_table import fault_table

    session = open_session(workspace, as_json, config, overrides)
    if not session.settings.gate.checks:
        raise ConfigError("gate.checks is empty", "at least one check to measure", "e.g. --config cpu")
    with Bars() as bars:
        references = open_references(session.workspace, session.settings, bars)
        lines = measure(references, ready_gate(references), pairs, bars)
    result = {"faults": [vars(line) | {"by": line.reasons} for line in lines]}
    session.keep("planted", result)
    session.emit(result, fault_table(lines))
