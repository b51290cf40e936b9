"""``augkit demo``: the whole story on drawn cars."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augkit.cli._app import app
from augkit.cli._session import ConfigOption, JsonOption, Session, SetOption, open_session
from augkit.cli._verb import Verb

ARMS, SHARE, SEEDS = ("real+classical", "real+classical+rendered+pseudo"), 0.5, 3
DRAWN = "Photos and rendered cars are both drawn here; what real photos gave is in docs/results.md."


@app.command("demo", cls=Verb)
def demo(
    *,
    workspace: Annotated[Path, typer.Option("--workspace", "-w", help="Where the demo works.")] = Path("augkit-demo"),
    labels: Annotated[int, typer.Option("--labels", min=16, help="Drawn cars whose masks are known.")] = 24,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Trainings of the comparison side by side.")] = 2,
    config: ConfigOption = "quick",
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a lopsided set of cars, few of them labelled, balance it, and say what that did for a segmenter."""
    from rich.console import Group

    from augkit.api.balancing import balance
    from augkit.api.demo_set import demo_set
    from augkit.api.evaluate import utility
    from augkit.cli._progress import Bars

    session = open_session(workspace, as_json, config, overrides)
    with Bars() as bars:
        drawn = demo_set(session.workspace, labels, config=session.settings, progress=bars)
    with Bars() as bars:
        balanced = balance(session.workspace, executor="local", config=session.settings, progress=bars)
    with Bars() as bars:
        helps = utility(
            session.workspace, arms=ARMS, ratios=[SHARE], seeds=SEEDS, jobs=jobs, config=session.settings,
            progress=bars,
        )  # fmt: skip
    page = _page(session)
    result = {**balanced.to_dict(), "set": drawn.to_dict(), "utility": helps.to_dict(), "report": str(page)}
    look = f"look at {page}\n    and {balanced.contact_sheet}\n    and {helps.parts}"
    session.emit(result, Group(drawn.table(), balanced.table(), look, DRAWN, helps.table()))


def _page(session: Session) -> Path:
    """The report of it all."""
    from augkit.cli._progress import Bars
    from augkit.cli.report import written_settings
    from augkit.report.page import write_report

    path = session.workspace.reports / "report.html"
    with Bars() as bars:
        return write_report(session.workspace, path, written_settings, progress=bars).path
