"""``augkit report``: the result as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augkit.cli._app import app
from augkit.cli._session import JsonOption, WorkspaceOption, open_session
from augkit.cli._verb import Verb

if TYPE_CHECKING:
    from rich.console import RenderableType

    from augkit.report.page import Summary
    from augkit.report.report_data import WrittenSettings


@app.command("report", cls=Verb)
def report(
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; WORKSPACE/reports/report.html.")
    ] = None,
    per_class: Annotated[int, typer.Option("--per-class", min=1, help="Generated pairs to show of each class.")] = 8,
    license: Annotated[
        str | None, typer.Option("--license", help="Licence for the dataset card, e.g. cc-by-4.0; it is kept.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was asked and what came out, on one page that needs no network; say what is missing."""
    from augkit.cli._progress import Bars
    from augkit.report.page import write_report

    session = open_session(workspace, as_json)
    path = output or session.workspace.reports / "report.html"
    with Bars() as bars:
        summary = write_report(
            session.workspace, path, written_settings, per_class=per_class, license=license, progress=bars
        )
    session.emit(summary.to_dict(), _summary(summary))


def written_settings(path: Path) -> WrittenSettings:
    """What a report tells of a workspace's settings. Raises ConfigError."""
    from augkit.report.report_data import WrittenSettings
    from augkit.settings import dump_settings, load_settings

    settings = load_settings(path)
    return WrittenSettings(dump_settings(settings), settings.seed, settings.balance.target_per_class)


def _summary(summary: Summary) -> RenderableType:
    from rich.text import Text

    size = summary.path.stat().st_size / 2**20
    lines = [f"page  {summary.path}  ({size:.1f} MB, {summary.shown} pairs)"]
    for gap in summary.gaps:
        lines.append(f"missing: {gap.what}" + (f"\n         run {gap.remedy}" if gap.remedy else ""))
    return Text("\n".join(lines))
