"""``augkit evaluate utility``: what generated pairs are worth to a segmenter on unseen photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli._verb import CatalogueVerb
from augkit.cli.evaluate._app import evaluate
from augkit.core.errors import ConfigError

if TYPE_CHECKING:
    from augkit.api.shown import Shown


@evaluate.command("utility", cls=CatalogueVerb)
def utility(
    *,
    arms: Annotated[
        str | None,
        typer.Option("--arms", help="Comma-separated, e.g. real,real+classical; see docs/evaluate.md for all."),
    ] = None,
    ratios: Annotated[
        str | None, typer.Option("--ratios", help="Shares of generated pairs in a batch, comma-separated (0.25,0.5).")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", min=1, help="Training runs of each arm (3; 8 with --labels).")
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Steps of every run; by default segmenter.steps.")
    ] = None,
    tune: Annotated[
        bool,
        typer.Option("--tune", help="Choose preset, learning rates and length of each arm on val first (utility.*)."),
    ] = False,
    labels: Annotated[
        str | None,
        typer.Option("--labels", help="Compare at these numbers of labels, e.g. 16,64,all; the rest is unlabelled."),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Trainings side by side, in processes of their own.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would cost, and stop.")] = False,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train the same segmenter with and without generated pairs; compare both on held-out real photos."""
    from augkit.api.evaluate import utility as measured
    from augkit.api.label_equivalents import label_equivalents, utility_cost
    from augkit.cli._progress import Bars

    session = open_session(workspace, as_json, config, overrides)
    kinds = None if arms is None else [word.strip() for word in arms.split(",")]
    shares = None if ratios is None else _shares(ratios)
    numbers = None if labels is None else [word.strip() for word in labels.split(",")]
    runs = seeds or (3 if numbers is None else 8)
    with Bars() as bars:
        asked: dict[str, Any] = {
            "arms": kinds, "ratios": shares, "seeds": runs, "steps": steps, "tune": tune, "config": session.settings,
            "progress": bars,
        }  # fmt: skip
        if dry_run:
            result: Shown = utility_cost(session.workspace, labels=numbers, **asked)
        elif numbers is not None:
            result = label_equivalents(session.workspace, numbers, jobs=jobs, **asked)
        else:
            result = measured(session.workspace, jobs=jobs, **asked)
    session.show(result)


def _shares(words: str) -> list[float]:
    try:
        return [float(word) for word in words.split(",")]
    except ValueError as error:
        raise ConfigError(f"--ratios {words}", "numbers between 0 and 1 with commas, e.g. 0.25,0.5") from error
