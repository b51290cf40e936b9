"""``augkit augment``: classical augmentation as a data set of its own, the opponent of the generated one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augkit.cli._app import app
from augkit.cli._session import ConfigOption, JsonOption, Session, SetOption, WorkspaceOption, open_session
from augkit.cli._verb import CatalogueVerb
from augkit.core.errors import ConfigError, PartialError
from augkit.core.nearest import one_of

if TYPE_CHECKING:
    from augkit.balance.classical import ClassicalJob
    from augkit.balance.run_plan import RunOutcome


@app.command("augment", cls=CatalogueVerb)
def augment(
    *,
    preset: Annotated[str, typer.Option("--preset", help="Augmentation preset, or a YAML file.")] = "strong",
    per_class: Annotated[
        int | None, typer.Option("--per-class", min=1, help="Pairs for training that each class should have.")
    ] = None,
    factor: Annotated[
        int | None, typer.Option("--factor", min=1, help="Instead: new pairs for each real training pair.")
    ] = None,
    backgrounds: Annotated[
        Path | None, typer.Option("--backgrounds", help="Folder of landscapes (WORKSPACE/backgrounds).")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where the shards go (WORKSPACE/classical).")] = None,
    executor: Annotated[str, typer.Option("--executor", help="local (this process) or ray.")] = "local",
    seed: Annotated[int | None, typer.Option("--seed", help="Another seed gives other pairs.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove the shards that are there first.")] = False,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fill the classes with classically augmented pairs: real and classical ones as shards, without a network.

    The workspace's settings stay as they are: those of `augkit balance` belong to its own shards.
    """
    from augkit.report.tables.classical_table import classical_table

    chosen = [*(overrides or []), *([f"seed={seed}"] if seed is not None else [])]
    session = open_session(workspace, as_json, config, chosen)
    if per_class is not None and factor is not None:
        raise ConfigError("--per-class and --factor together", "one of them")
    job = _open(
        session, preset, place=out or session.workspace.classical, target=per_class, factor=factor,
        backgrounds=backgrounds, executor=executor, fresh=fresh,
    )  # fmt: skip
    if dry_run:
        session.emit({**_plan(job), "todo": job.todo()}, classical_table(job, {}, "Plan"))
        return
    outcome = _run(job)
    result = _result(session, job, outcome)
    session.emit(
        result, classical_table(job, outcome.accepted, f"Shards in {result['shards']}\nsheet {result['contact_sheet']}")
    )
    if outcome.failures:
        lines = [f"{failure.shard} ({failure.class_name}): {failure.error}" for failure in outcome.failures]
        raise PartialError("part of the target was not reached\n  " + "\n  ".join(lines), remedy="run it again")


def _open(
    session: Session, preset: str, *, place: Path | str, target: int | None, executor: str, **asked: Any
) -> ClassicalJob:
    from augkit.balance.classical import ClassicalJob, ClassicalRequest
    from augkit.balance.executors import EXECUTORS
    from augkit.core.presets import load_recipe

    if executor not in EXECUTORS:
        raise ConfigError(f"--executor {executor}", one_of(executor, EXECUTORS))
    if place == session.workspace.shards or Path(place).resolve() == Path(session.workspace.shards).resolve():
        raise ConfigError(f"--out {place}: `augkit balance` writes there", "a folder of its own", "leave --out out")
    target = target or session.settings.balance.target_per_class
    request = ClassicalRequest(load_recipe(preset), place, target, executor=executor, **asked)
    return ClassicalJob(session.workspace, session.settings, request)


def _run(job: ClassicalJob) -> RunOutcome:
    from augkit.cli._progress import Bars

    with Bars() as bars:
        return job.generate(bars)


def _plan(job: ClassicalJob) -> dict[str, Any]:
    classes = {c.name: {"training": job.training.get(c, 0), "need": job.need.get(c, 0)} for c in job.real}
    return {"preset": job.request.recipe.name, "classes": classes, "shards": len(job.plan.rows)}


def _result(session: Session, job: ClassicalJob, outcome: RunOutcome) -> dict[str, Any]:
    from augkit.report.contact_sheet import contact_sheet

    sheet = contact_sheet(job.request.place, session.workspace.reports / "classical-sheet.png", made=["classical"])
    classes = {
        c.name: {"training": job.training.get(c, 0), "classical": outcome.accepted.get(c.name, 0)} for c in job.real
    }
    return {
        "preset": job.request.recipe.name,
        "classes": classes,
        "made_now": outcome.generated_now,
        "failures": [vars(failure) for failure in outcome.failures],
        "shards": str(job.request.place),
        "contact_sheet": str(sheet),
    }
