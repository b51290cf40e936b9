"""``augkit balance``: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from augkit.cli._app import app
from augkit.cli._session import ConfigOption, JsonOption, Session, SetOption, WorkspaceOption, open_session
from augkit.core.errors import ConfigError, PartialError

if TYPE_CHECKING:
    from rich.table import Table

    from augkit.balance.job import Balance, ClassPlan, PartPlan, RunOutcome
    from augkit.balance.planner import ClassProgress
    from augkit.balance.worker import ShardReport


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
    style: Annotated[
        str | None, typer.Option("--style-from", help="Paint after this pair (its id), or this photo and its mask.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove the shards that are here first.")] = False,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Generate photo + mask pairs until every class has its target, and write them with the real ones as shards."""
    shares = _shares(parts) if parts else None
    given = (
        ("seed", seed),
        ("balance.target_per_class", target),
        ("balance.target_parts", shares),
        ("balance.style_from", style),
    )
    chosen = [*(overrides or []), *(f"{key}={value}" for key, value in given if value is not None)]
    session = open_session(workspace, as_json, config, chosen)
    job = _open(session, only or [], executor, fresh)
    lines = job.lines()
    if dry_run:
        _show_plan(session, job, lines)
        return
    session.console.print(_plan_table(job, lines))
    result = run_balance(session, job, no_train)
    session.emit(result, _summary(result))
    if problems := _problems(result):
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
    order = BalanceRequest(target, tuple(CarClass.parse(name) for name in only), executor, fresh)
    job = Balance(session.workspace, session.settings, order)
    require_sound(session.workspace)
    return job


def _show_plan(session: Session, job: Balance, lines: list[ClassPlan]) -> None:
    """The plan, beside the data it starts from: pairs by class, pixels by part."""
    from rich.console import Group

    from augkit.cli._tables import overview_tables
    from augkit.data.audit.overview import Overview
    from augkit.report.chart import overview_chart

    overview = Overview.of(job.rows, job.store.schema)
    chart = str(overview_chart(overview, session.workspace.reports / "parts.png"))
    _, parts = overview_tables(overview)  # the plan itself counts the classes
    result = {**_plan_json(job, lines), "overview": overview.to_dict(), "chart": chart}
    session.emit(result, Group(parts, _plan_table(job, lines), f"chart {chart}"))


def run_balance(session: Session, job: Balance, no_train: bool) -> dict[str, Any]:
    """Trains, generates, draws the sheet and the chart; returns the result as plain data."""
    from augkit.balance.job import train_missing
    from augkit.cli._progress import Bars
    from augkit.settings import save_settings

    _require_models(job, no_train)
    save_settings(session.settings, session.workspace.settings)
    with Bars() as bars:
        train_missing(job, bars.steps)
        outcome = job.generate(bars.pairs({line.car_class.name: line.standing.todo for line in job.lines()}))
    return _result(session, job, outcome)


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


def _result(session: Session, job: Balance, outcome: RunOutcome) -> dict[str, Any]:
    from augkit.report.chart import class_chart
    from augkit.report.contact_sheet import contact_sheet

    reports = session.workspace.reports
    real = {car_class.name: job.training.get(car_class, 0) for car_class in job.real}
    sheet = contact_sheet(session.workspace.shards, reports / "contact-sheet.png")
    chart = class_chart(real, outcome.accepted, job.order.target, reports / "classes.png")
    generated = {name: outcome.accepted.get(name, 0) for name in real}
    return {
        "target": job.order.target,
        "precision": job.computed.precision,
        "classes": {name: {"training": real[name], "generated": generated[name]} for name in real},
        "generated_now": outcome.generated_now,
        "tried": sum(report.tried for report in outcome.reports if report.class_name),
        "reasons": _added(report.reasons for report in outcome.reports),
        "short": {name: _shortage(standing) for name, standing in outcome.short.items()},
        "parts": _parts_json(job, outcome.reports),
        "rounds": outcome.rounds,
        "failures": [vars(failure) for failure in outcome.failures],
        "shards": str(session.workspace.shards),
        "contact_sheet": str(sheet),
        "chart": str(chart),
    }


def _shortage(standing: ClassProgress) -> dict[str, Any]:
    return {
        "wanted": standing.need, "accepted": standing.accepted, "tried": standing.tried,
        "accept_rate": round(standing.rate.mean, 4), "given_up": standing.given_up,
        "reasons": _added([standing.reasons]),
    }  # fmt: skip


def _parts_json(job: Balance, reports: list[ShardReport]) -> dict[str, Any]:
    return {
        line.name: {
            "target": line.share, "real": round(line.real, 6), "now": round(line.now, 6),
            "expected": round(line.expected, 6), "holds": line.holds, "classes": line.classes,
        }
        for line in job.part_lines(reports)
    }  # fmt: skip


def _added(counts: Any) -> dict[str, int]:
    total: dict[str, int] = {}
    for count in counts:
        for name, number in count.items():
            total[name] = total.get(name, 0) + number
    return dict(sorted(total.items(), key=lambda item: -item[1]))


def _plan_json(job: Balance, lines: list[ClassPlan]) -> dict[str, Any]:
    return {
        "target": job.order.target,
        "precision": job.computed.precision,
        "classes": {line.car_class.name: _line_json(line) for line in lines},
        "parts": _parts_json(job, job.reports),
        "untrained": [list(model) for model in job.untrained()],
        "candidates": sum(line.standing.candidates for line in lines),
        "shards": len(job.plan.rows),
        "megabytes": round(_megabytes(job), 1),
        "seconds": job.seconds(),
    }


def _line_json(line: ClassPlan) -> dict[str, Any]:
    standing = line.standing
    return {
        "real": line.real, "training": line.training, "need": standing.need, "extra": standing.extra,
        "accepted": standing.accepted, "todo": standing.todo, "given_up": standing.given_up,
        "tried": standing.tried, "accept_rate": round(standing.rate.mean, 4), "candidates": standing.candidates,
        "mask_model": line.mask_model, "image_model": line.image_model,
    }  # fmt: skip


def _megabytes(job: Balance) -> float:
    return sum(row.want for row in job.plan.rows) * job.bytes_per_pair() / 2**20


def _plan_table(job: Balance, lines: list[ClassPlan]) -> Table:
    from rich.table import Table

    table = Table(title=f"Plan: {job.order.target} pairs for training in every class")
    table.add_column("class", no_wrap=True)
    for column in ("real", "train", "lacking", "to do", "rate", "candidates"):
        table.add_column(column, justify="right")
    table.add_column("models")
    for line in lines:
        rate = f"{line.standing.rate.mean:.0%}" + ("" if line.standing.tried else "?")
        models = " + ".join(dict.fromkeys((line.mask_model, line.image_model)))
        table.add_row(line.car_class.name, *map(str, _counts(line)), rate, str(line.standing.candidates), models)
    table.add_section()
    sums = [sum(counts) for counts in zip(*map(_counts, lines), strict=True)]
    table.add_row("all", *map(str, sums), "", str(sum(line.standing.candidates for line in lines)))
    untrained = ", ".join(f"{stage} {name}" for stage, name in job.untrained()) or "nothing"
    seconds = job.seconds()
    duration = "known once the models are trained" if seconds is None else f"about {seconds / 60:.1f} min"
    size = f"{len(job.plan.rows)} shards, about {_megabytes(job):.1f} MB"
    notes = [f"{size}; to train first: {untrained}; generation {duration}", str(job.computed)]
    notes += [
        f"{line.car_class.name} was given up: {_chance(line.standing)}" for line in lines if line.standing.given_up
    ]
    table.caption = "\n".join([*notes, *map(_part_note, job.part_lines(job.reports))])
    return table


def _counts(line: ClassPlan) -> tuple[int, int, int, int]:
    return line.real, line.training, line.standing.need + line.standing.extra, line.standing.todo


def _part_note(line: PartPlan) -> str:
    return (
        f"{line.name}: {line.real:.2%} of the cars' pixels in real pairs, {line.now:.2%} now, {line.expected:.2%} with "
        f"what is to be made; target {line.share:.2%}, by {', '.join(line.classes)}"
    )


def _chance(standing: ClassProgress) -> str:
    return f"{standing.accepted} of {standing.need} pairs after {standing.tried} candidates"


def _summary(result: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table("class", "real for training", "generated", "sum", title="Balanced")
    for name, counts in result["classes"].items():
        total = counts["training"] + counts["generated"]
        table.add_row(name, str(counts["training"]), str(counts["generated"]), str(total))
    rejected = ", ".join(f"{reason} {count}" for reason, count in list(result["reasons"].items())[:8]) or "none"
    parts = "".join(
        f"{name}: {about['real']:.2%} of the cars' pixels before, {about['now']:.2%} after, target "
        f"{about['target']:.2%}\n"
        for name, about in result["parts"].items()
    )
    table.caption = (
        f"tried {result['tried']} in {result['rounds']} rounds; rejected for: {rejected}\n{parts}"
        f"shards {result['shards']}\nsheet {result['contact_sheet']}\nchart {result['chart']}"
    )
    return table


def _problems(result: dict[str, Any]) -> list[str]:
    """What is lacking, and why; a line each."""
    lines = [
        f"{name}: {about['accepted']} of {about['wanted']} pairs after {about['tried']} candidates"
        + (f", given up (accept rate {about['accept_rate']:.1%})" if about["given_up"] else "")
        + "; rejected for "
        + (", ".join(f"{reason} ({count})" for reason, count in list(about["reasons"].items())[:5]) or "nothing")
        for name, about in result["short"].items()
    ]
    lines += [
        f"{name}: {about['now']:.2%} of the cars' pixels, target {about['target']:.2%}; no more pairs of "
        f"{', '.join(about['classes'])} are tried for"
        for name, about in result["parts"].items()
        if not about["holds"]
    ]
    return lines + [f"{lost['shard']} ({lost['class_name']}): {lost['error']}" for lost in result["failures"]]
