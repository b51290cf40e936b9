"""``augkit evaluate utility``: what generated pairs are worth to a segmenter on unseen photos."""

from __future__ import annotations

from typing import Annotated

import typer

from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli.evaluate._app import evaluate
from augkit.core.errors import ConfigError


@evaluate.command("utility")
def utility(
    *,
    arms: Annotated[
        str | None,
        typer.Option("--arms", help="Comma-separated, e.g. real,real+classical; see docs/evaluate.md for all."),
    ] = None,
    ratios: Annotated[
        str | None, typer.Option("--ratios", help="Shares of generated pairs in a batch, comma-separated (0.25,0.5).")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Training runs of each arm.")] = 3,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Steps of every run; by default segmenter.steps.")
    ] = None,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train the same segmenter with and without generated pairs; compare both on held-out real photos."""
    from augkit.cli._progress import Bars
    from augkit.evaluate.utility.arms import DEFAULT, RATIOS, arms_of
    from augkit.evaluate.utility.study import compare_arms
    from augkit.report.tables.utility_table import utility_tables
    from augkit.report.utility_chart import utility_chart

    session = open_session(workspace, as_json, config, overrides)
    kinds = DEFAULT if arms is None else tuple(word.strip() for word in arms.split(","))
    chosen = arms_of(kinds, RATIOS if ratios is None else _shares(ratios))
    length = steps or session.settings.segmenter.steps
    with Bars() as bars:
        study = compare_arms(session.workspace, session.settings, chosen, seeds, length, progress=bars)
    chart = utility_chart(study, session.workspace.reports / "utility.png")
    result = study.to_dict() | {"chart": str(chart)}
    session.keep("utility", result)
    session.emit(result, utility_tables(study))


def _shares(words: str) -> list[float]:
    try:
        return [float(word) for word in words.split(",")]
    except ValueError as error:
        raise ConfigError(f"--ratios {words}", "numbers between 0 and 1 with commas, e.g. 0.25,0.5") from error
