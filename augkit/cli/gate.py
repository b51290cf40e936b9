"""``augkit gate``: fits the gate, and judges finished shards again without making any pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from augkit.cli._app import app
from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session

if TYPE_CHECKING:
    from rich.table import Table


@app.command("gate")
def gate(
    *,
    refit: Annotated[bool, typer.Option("--refit", help="Fit the judges again, even where nothing changed.")] = False,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge the pairs in the shards again, e.g. with other bounds; what is accepted follows."""
    from augkit.balance.references import open_references
    from augkit.cli._progress import Bars
    from augkit.gate.judge_again import judge_again

    session = open_session(workspace, as_json, config, overrides)
    with Bars() as bars:
        result = judge_again(open_references(session.workspace, session.settings, bars.steps), refit)
    session.emit(result, _table(result))


def _table(result: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table("class", "tried", title="The gate: candidates that are left after each check")
    for found in list(result["classes"].values())[:1]:
        for step in found["steps"]:
            table.add_column(step["check"], justify="right")
    for name, found in result["classes"].items():
        table.add_row(name, str(found["tried"]), *(str(step["left"]) for step in found["steps"]))
    changed = ", ".join(f"{name} {was} -> {now}" for name, (was, now) in result["changed"].items()) or "none"
    table.caption = (
        f"accepted pairs that changed: {changed}\nshards written anew: {len(result['rewritten'])}\n"
        f"rejects {result['rejected_real']:.1%} of the real pairs; written to {result['report']}"
    )
    return table
