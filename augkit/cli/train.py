"""``augkit train mask|image|segmenter``; ``accelerate launch -m augkit.train`` takes the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from augkit.cli._app import app
from augkit.cli._session import (
    ConfigOption,
    JsonOption,
    Session,
    SetOption,
    WorkspaceOption,
    is_main_process,
    open_session,
)
from augkit.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from augkit.train.stages import Stage

WHAT = ("mask", "image", "segmenter")


@app.command("train")
def train(
    what: Annotated[str, typer.Argument(help="mask (stage I), image (stage II) or segmenter.")],
    *,
    model: Annotated[
        str | None, typer.Option("--model", help="Train this one only: all, or a group such as front-5.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove an earlier run first.")] = False,
    source: Annotated[
        str | None, typer.Option("--source", help="Segmenter only: train on real pairs or on all.")
    ] = None,
    precision: Annotated[str | None, typer.Option("--precision", help="auto, fp32 or bf16.")] = None,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train one stage, or the segmentation network that reads the result."""
    if what not in WHAT:
        raise ConfigError(f"train {what!r}", "one of " + ", ".join(WHAT))
    if resume and fresh:
        raise ConfigError("--resume and --fresh together", "one of them")
    _refuse_idle_options(what, model, source)
    chosen = [*(overrides or [])]
    chosen += [f"{key}={value}" for key, value in (("segmenter.source", source), ("precision", precision)) if value]
    session = open_session(workspace, as_json, config, chosen)
    run = _train_segmenter if what == "segmenter" else _train_stage
    folders = run(session, what, model, resume, fresh)
    session.emit({"models": [str(folder) for folder in folders]}, "trained: " + ", ".join(map(str, folders)))


def _refuse_idle_options(what: str, model: str | None, source: str | None) -> None:
    if what == "segmenter" and model is not None:
        raise ConfigError("--model with train segmenter", "no --model: there is one segmenter a source")
    if what != "segmenter" and source is not None:
        raise ConfigError(f"--source with train {what}", "no --source: generators only ever see real training pairs")


def _train_stage(session: Session, what: str, model: str | None, resume: bool, fresh: bool) -> list[Path]:
    from augkit.cli._progress import Bars
    from augkit.data.catalogue import count_classes
    from augkit.train.stages import Studio

    stage: Stage = "mask" if what == "mask" else "image"
    studio = Studio.open(session.workspace, session.settings)
    known = [name for s, name in studio.needed(count_classes(studio.rows.rows)) if s == stage]
    if model is not None and model not in known:
        remedy = f"{stage}.per_class_from decides which there are"
        raise ConfigError(f"--model {model}", "one of " + ", ".join(known), remedy)
    names = [model] if model else known
    folders = []
    with Bars() as bars:
        for name in names:
            folders.append(studio.train(stage, name, resume, bars.steps, fresh))
    return folders


def _train_segmenter(session: Session, what: str, model: str | None, resume: bool, fresh: bool) -> list[Path]:
    from augkit.cli._progress import Bars
    from augkit.train.segmenter import evaluate_segmenter, train_segmenter

    del what, model
    folder = session.workspace.model("segmenter", session.settings.segmenter.source)
    with Bars() as bars:
        train_segmenter(session.workspace, session.settings, resume, bars.steps, fresh)
    if is_main_process():
        session.console.print(evaluate_segmenter(session.workspace, session.settings))
    return [folder]
