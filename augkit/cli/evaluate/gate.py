"""``augkit evaluate gate``: what the gate itself is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli.evaluate._app import evaluate

if TYPE_CHECKING:
    from rich.table import Table

    from augkit.evaluate.gate import FaultResult


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
    from augkit.balance.references import open_references
    from augkit.cli._progress import Bars
    from augkit.core.errors import ConfigError
    from augkit.evaluate.gate import measure
    from augkit.gate.fit import ready_gate

    session = open_session(workspace, as_json, config, overrides)
    if not session.settings.gate.checks:
        raise ConfigError("gate.checks is empty", "at least one check to measure", "e.g. --config cpu")
    with Bars() as bars:
        references = open_references(session.workspace, session.settings, bars.steps)
        lines = measure(references, ready_gate(references), pairs, bars.steps)
    result = {"faults": [vars(line) | {"by": line.reasons} for line in lines]}
    session.keep("planted", result)
    session.emit(result, _table(lines))


def _table(lines: list[FaultResult]) -> Table:
    from rich.table import Table

    table = Table(title="Share of pairs that the gate rejects")
    table.add_column("fault", no_wrap=True)
    table.add_column("pairs", justify="right")
    table.add_column("rejected", justify="right")
    table.add_column("by", overflow="fold")
    for line in lines:
        table.add_row(line.name, str(line.pairs), f"{line.caught:.0%}", line.reasons)
    table.caption = "Bounds set on one half of the real pairs, measured on the other, both ways"
    return table
