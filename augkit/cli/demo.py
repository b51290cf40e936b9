"""``augkit demo``: the whole story on rendered cars."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augkit.cli._app import app
from augkit.cli._session import ConfigOption, JsonOption, Session, SetOption, open_session
from augkit.cli._verb import Verb

CARS = 160
ARMS, SEEDS = ("real+classical", "real+classical+generated"), 3


@app.command("demo", cls=Verb)
def demo(
    *,
    workspace: Annotated[Path, typer.Option("--workspace", "-w", help="Where the demo works.")] = Path("augkit-demo"),
    count: Annotated[int, typer.Option("--count", min=24, help="Rendered cars to start from.")] = CARS,
    config: ConfigOption = "quick",
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a lopsided set of cars, balance it, and say what that did for a segmenter: minutes on two cores."""
    from rich.console import Group

    from augkit.api.balancing import balance
    from augkit.api.evaluate import utility
    from augkit.api.rendering import render
    from augkit.cli._progress import Bars

    session = open_session(workspace, as_json, config, overrides)
    if not session.workspace.catalogue.is_file():
        with Bars() as bars:
            render(session.workspace, count, lopsided=True, config=session.settings, progress=bars)
    with Bars() as bars:
        balanced = balance(session.workspace, config=session.settings, progress=bars)
    with Bars() as bars:
        helps = utility(
            session.workspace, arms=ARMS, ratios=[0.25], seeds=SEEDS, config=session.settings, progress=bars
        )
    page = _page(session)
    result = {**balanced.to_dict(), "utility": helps.to_dict(), "report": str(page)}
    look = f"look at {page}\n    and {balanced.contact_sheet}"
    session.emit(result, Group(helps.table(), look, helps.study.verdict.sentence))


def _page(session: Session) -> Path:
    """The report of it all."""
    from augkit.cli._progress import Bars
    from augkit.cli.report import written_settings
    from augkit.report.page import write_report

    path = session.workspace.reports / "report.html"
    with Bars() as bars:
        return write_report(session.workspace, path, written_settings, progress=bars).path
