"""``augkit balance``: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from augkit.cli._app import app
from augkit.cli._session import ConfigOption, JsonOption, Session, SetOption, WorkspaceOption, open_session
from augkit.core.errors import ConfigError, PartialError

if TYPE_CHECKING:
    from augkit.balance.job import Balance
    from augkit.balance.plan_summary import RunSummary


@app.command("balance")
def balance(
    *,
    target: Annotated[
        int | None, typer.Option("--target-per-class", help="Pairs for training that each class should have.")
    ] = None,
    parts: Annotated[
        list[str] | None,
        typer.Option("--target-part", help="Share of the cars' pixels a part should have, e.g. trunk=2%; repeatable."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
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
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove the shards that are here first.")] = False,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Generate photo + mask pairs until every class has its target, and write them with the real ones as shards."""
    from augkit.report.tables.plan_table import plan_table, run_table

    shares = _shares(parts) if parts else None
    given = (
        ("seed", seed),
        ("balance.target_per_class", target),
        ("balance.target_parts", shares),
        ("balance.exemplar", exemplar),
    )
    chosen = [*(overrides or []), *(f"{key}={value}" for key, value in given if value is not None)]
    session = open_session(workspace, as_json, config, chosen)
    job = _open(session, only or [], executor, fresh)
    if dry_run:
        _show_plan(session, job)
        return
    session.console.print(plan_table(job.summary()))
    run, places = run_balance(session, job, no_train)
    session.emit(run.to_dict() | places, run_table(run, places))
    if problems := run.problems():
        raise PartialError(
            "\n  ".join(["part of the target was not reached", *problems]),
            remedy="see the reasons above: train longer, widen the gate, or allow more with --set balance.attempts=N",
        )


def _shares(texts: list[str]) -> str:
    """Part targets as the setting is written."""
    import json

    from augkit.balance.part_targets import parse_targets

    return json.dumps(parse_targets(texts))


def _open(session: Session, only: list[str], executor: str, fresh: bool) -> Balance:
    from augkit.balance.executors import EXECUTORS
    from augkit.balance.job import Balance, BalanceRequest
    from augkit.core.classes import CarClass
    from augkit.data.audit.result import require_sound

    if executor not in EXECUTORS:
        raise ConfigError(f"--executor {executor}", "one of " + ", ".join(EXECUTORS))
    target = session.settings.balance.target_per_class
    request = BalanceRequest(target, tuple(CarClass.parse(name) for name in only), executor, fresh)
    job = Balance(session.workspace, session.settings, request)
    require_sound(session.workspace)
    return job


def _show_plan(session: Session, job: Balance) -> None:
    """The plan, beside the data it starts from: pairs by class, pixels by part."""
    from rich.console import Group

    from augkit.data.audit.overview import Overview
    from augkit.report.chart import overview_chart
    from augkit.report.tables.class_table import part_table
    from augkit.report.tables.plan_table import plan_table

    plan, overview = job.summary(), Overview.of(job.rows, job.store.schema)
    chart = str(overview_chart(overview, session.workspace.reports / "parts.png"))
    result = {**plan.to_dict(), "overview": overview.to_dict(), "chart": chart}
    session.emit(result, Group(part_table(overview), plan_table(plan), f"chart {chart}"))


def run_balance(session: Session, job: Balance, no_train: bool) -> tuple[RunSummary, dict[str, str]]:
    """Trains, generates, draws the sheet and the chart; returns what was made, and where what is."""
    from augkit.balance.job import train_missing
    from augkit.cli._progress import Bars
    from augkit.settings import save_settings

    _require_models(job, no_train)
    save_settings(session.settings, session.workspace.settings)
    with Bars() as bars:
        train_missing(job, bars)
        run = job.summary_of(job.generate(bars))
    return run, _draw(session, run)


def _require_models(job: Balance, no_train: bool) -> None:
    missing = job.untrained()
    if no_train and missing:
        raise ConfigError(
            "--no-train, but untrained: " + ", ".join(f"{stage} {name}" for stage, name in missing),
            "trained models for every class that needs pairs",
            "leave --no-train out, or run augkit train",
        )
    if no_train and not job.has_judges():
        raise ConfigError(
            "--no-train, but the gate is not fitted on these pairs with these settings",
            "a fitted gate, or none (gate.checks=[])",
            "leave --no-train out, or run augkit gate",
        )


def _draw(session: Session, run: RunSummary) -> dict[str, str]:
    from augkit.report.chart import class_chart
    from augkit.report.contact_sheet import contact_sheet

    shards, reports = session.workspace.shards, session.workspace.reports
    sheet = contact_sheet(shards, reports / "contact-sheet.png")
    chart = class_chart(run.training, run.outcome.accepted, run.target, reports / "classes.png")
    return {"shards": str(shards), "contact_sheet": str(sheet), "chart": str(chart)}
