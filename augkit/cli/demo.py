"""``augkit demo``: the whole story on rendered cars."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augkit.cli._app import app
from augkit.cli._session import ConfigOption, JsonOption, Session, SetOption, open_session
from augkit.cli._verb import Verb

CARS = 160


@app.command("demo", cls=Verb)
def demo(
    *,
    workspace: Annotated[Path, typer.Option("--workspace", "-w", help="Where the demo works.")] = Path("augkit-demo"),
    count: Annotated[int, typer.Option("--count", min=24, help="Rendered cars to start from.")] = CARS,
    config: ConfigOption = "quick",
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a lopsided set of cars, balance it, and train a segmenter on the result: minutes on two cores."""
    from rich.console import Group

    from augkit.api.balancing import balance
    from augkit.api.plain_data import keep
    from augkit.api.rendering import render
    from augkit.cli._progress import Bars
    from augkit.report.tables.score_table import score_table

    session = open_session(workspace, as_json, config, overrides)
    if not session.workspace.catalogue.is_file():
        with Bars() as bars:
            render(session.workspace, count, lopsided=True, config=session.settings, progress=bars)
    with Bars() as bars:
        balanced = balance(session.workspace, config=session.settings, progress=bars)
    scores = {source: _segment(session, source) for source in ("real", "all")}
    keep(session.workspace, "demo", {"val_iou": scores})
    page = _page(session)
    result = {**balanced.to_dict(), "val_iou": scores, "report": str(page)}
    session.emit(result, Group(score_table(scores), f"look at {page}\n    and {balanced.contact_sheet}"))


def _segment(session: Session, source: str) -> dict[str, float]:
    """IoU by part on the held-out cars of a segmenter trained on real pairs, or on all."""
    from augkit.cli._progress import Bars
    from augkit.settings import parse_settings
    from augkit.stages.segmenter import evaluate_segmenter, train_segmenter

    tree = session.settings.model_dump(mode="json")
    tree["segmenter"]["source"] = source
    settings = parse_settings(tree, "the demo")
    with Bars() as bars:
        train_segmenter(session.workspace, settings, resume=True, progress=bars)
    return evaluate_segmenter(session.workspace, settings)


def _page(session: Session) -> Path:
    """The report of it all."""
    from augkit.cli._progress import Bars
    from augkit.cli.report import written_settings
    from augkit.report.page import write_report

    path = session.workspace.reports / "report.html"
    with Bars() as bars:
        return write_report(session.workspace, path, written_settings, progress=bars).path
