"""``augkit balance``: the main job."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from augkit.cli._app import app
from augkit.cli._session import (
    ConfigOption,
    JsonOption,
    SetOption,
    TrackOption,
    WorkspaceOption,
    open_session,
    track_setting,
)
from augkit.cli._verb import CatalogueVerb
from augkit.core.errors import ConfigError, PartialError

PRESETS = ("smoke", "quick", "cpu", "gpu")
"""Those that --presets times; others take minutes for a step on a CPU."""


@app.command("balance", cls=CatalogueVerb)
def balance(
    *,
    target: Annotated[
        int | None, typer.Option("--target-per-class", help="Pairs for training that each class should have.")
    ] = None,
    parts: Annotated[
        list[str] | None,
        typer.Option("--target-part", help="Share of the cars' pixels a part should have, e.g. trunk=2%; repeatable."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print plan and time, and stop.")] = False,
    presets: Annotated[
        bool, typer.Option("--presets", help="With --dry-run: how long it would take with other presets, too.")
    ] = False,
    executor: Annotated[str, typer.Option("--executor", help="local (this process) or ray.")] = "ray",
    seed: Annotated[int | None, typer.Option("--seed", help="Another seed gives other pairs.")] = None,
    no_train: Annotated[bool, typer.Option("--no-train", help="Fail where a model or the gate is missing.")] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Generate for this class only; may be repeated.")
    ] = None,
    exemplar: Annotated[
        str | None,
        typer.Option("--exemplar", "--style-from", help="One exemplar for all photos: a pair's id, or a photo's file."),
    ] = None,
    sources: Annotated[
        str | None,
        typer.Option("--sources", help="What lacking pairs are taken from, of pseudo, generated and rendered."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove the shards that are here first.")] = False,
    track: TrackOption = None,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Generate photo + mask pairs until every class has its target, and write them with the real ones as shards."""
    from augkit.api.balancing import balance as balanced
    from augkit.api.balancing import plan as planned
    from augkit.balance.part_targets import parse_targets
    from augkit.cli._progress import Bars
    from augkit.report.tables.plan_table import plan_table

    chosen = [*(overrides or []), *track_setting(track), *([f"seed={seed}"] if seed is not None else [])]
    session = open_session(workspace, as_json, config, chosen)
    asked: dict[str, Any] = {
        "parts": parse_targets(parts) if parts else None, "only": only or (), "exemplar": exemplar, "fresh": fresh,
        "executor": executor, "sources": sources.split(",") if sources is not None else None,
        "config": session.settings,
    }  # fmt: skip
    if presets and not dry_run:
        raise ConfigError("--presets without --dry-run", "both: it only tells how long a run would take")
    if dry_run:
        with Bars() as bars:
            plan = planned(session.workspace, target, **asked, presets=PRESETS if presets else (), progress=bars)
        session.show(plan)
        return
    with Bars() as bars:
        result = balanced(
            session.workspace, target, **asked, train=not no_train, progress=bars,
            on_plan=lambda plan: session.console.print(plan_table(plan)),
        )  # fmt: skip
    session.show(result)
    if result.problems:
        raise PartialError(
            "\n  ".join(["part of the target was not reached", *result.problems]),
            remedy="see the reasons above: train longer, widen the gate, or allow more with --set balance.attempts=N",
        )
