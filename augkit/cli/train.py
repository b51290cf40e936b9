"""``augkit train mask|image|segmenter``; ``accelerate launch -m augkit.train`` takes the same words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

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
from augkit.core.errors import ConfigError

if TYPE_CHECKING:
    from augkit.stages.model_store import Stage

WHAT = ("mask", "image", "image-unconditional", "segmenter")
_SECTIONS = {"mask": "mask", "image": "image", "image-unconditional": "unconditional"}
"""Stages that can start from another run's networks, and the sections of their settings."""
_OF_IMAGE = {"--background": "background", "--backgrounds": "backgrounds", "--part-map": "part_map"}
"""Options of stage II, and their settings."""


@app.command("train")
def train(
    what: Annotated[str, typer.Argument(help="mask (stage I), image (stage II), image-unconditional or segmenter.")],
    *,
    model: Annotated[
        str | None, typer.Option("--model", help="Train this one only: all, or a group such as front-5.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove an earlier run first.")] = False,
    source: Annotated[
        str | None,
        typer.Option("--source", help="Segmenter only: what it learns from, e.g. real, all, real+classical."),
    ] = None,
    init_from: Annotated[
        Path | None,
        typer.Option("--init-from", help="Generators only: a model folder to start from."),
    ] = None,
    part_map: Annotated[
        str | None,
        typer.Option("--part-map", help="image: the parts of --init-from here; names, silhouette or a YAML file."),
    ] = None,
    background: Annotated[
        str | None, typer.Option("--background", help="image: learnt, green or composite (docs/augmentation.md).")
    ] = None,
    backgrounds: Annotated[
        str | None,
        typer.Option("--backgrounds", help="image, composite: a folder of landscapes, or inpainted."),
    ] = None,
    precision: Annotated[str | None, typer.Option("--precision", help="auto, fp32 or bf16.")] = None,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train one stage, or the segmentation network that reads the result."""
    from augkit.data.audit.result import require_sound

    if what not in WHAT:
        raise ConfigError(f"train {what!r}", "one of " + ", ".join(WHAT))
    if resume and fresh:
        raise ConfigError("--resume and --fresh together", "one of them")
    own = dict(zip(_OF_IMAGE, (background, backgrounds, part_map), strict=True))
    _refuse_idle_options(what, model, source, init_from, [option for option, value in own.items() if value])
    given = (
        ("segmenter.source", source), ("precision", precision),
        (f"{_SECTIONS.get(what)}.init_from", init_from and init_from.resolve()),
        *((f"image.{_OF_IMAGE[option]}", value) for option, value in own.items()),
    )  # fmt: skip
    chosen = [*(overrides or []), *(f"{key}={value}" for key, value in given if value)]
    session = open_session(workspace, as_json, config, chosen)
    require_sound(session.workspace)
    run = _train_segmenter if what == "segmenter" else _train_stage
    folders = run(session, what, model, resume, fresh)
    about = {str(folder): _fate(folder) for folder in folders}
    lines = [f"trained: {folder}" + (f"\n  {fate}" if fate else "") for folder, fate in about.items()]
    session.emit({"models": list(about), "notes": about}, "\n".join(lines))


def _fate(folder: Path) -> str:
    """What there is to say of a run besides that it is done."""
    from augkit.train.model_folder import load_description

    about = load_description(folder)
    chosen = f"kept the state of step {about['chosen_step']}" if "chosen_step" in about else ""
    stopped = f"ended early; {about['stopped']}" if "stopped" in about else ""
    return "; ".join(note for note in (chosen, stopped, *about.get("health", [])) if note)


def _refuse_idle_options(
    what: str, model: str | None, source: str | None, init_from: Path | None, of_image: list[str]
) -> None:
    if what == "segmenter" and model is not None:
        raise ConfigError("--model with train segmenter", "no --model: there is one segmenter a source")
    if what != "segmenter" and source is not None:
        raise ConfigError(f"--source with train {what}", "no --source: generators only ever see real training pairs")
    if of_image and what != "image":
        raise ConfigError(f"{', '.join(of_image)} with train {what}", "train image: these are settings of stage II")
    if init_from is not None and what not in _SECTIONS:
        raise ConfigError(f"--init-from with train {what}", "train " + " or ".join(_SECTIONS))


def _train_stage(session: Session, what: str, model: str | None, resume: bool, fresh: bool) -> list[Path]:
    from augkit.cli._progress import Bars
    from augkit.data.catalogue import count_classes
    from augkit.stages.model_store import ModelStore

    stage = cast("Stage", what)
    store = ModelStore.open(session.workspace, session.settings)
    known = [name for _, name in store.needed(count_classes(store.rows.rows), [stage])]
    if model is not None and model not in known:
        remedy = f"{_SECTIONS.get(what, what)}.per_class_from decides which there are"
        raise ConfigError(f"--model {model}", "one of " + ", ".join(known), remedy)
    names = [model] if model else known
    folders = []
    with Bars() as bars:
        for name in names:
            folders.append(store.train(stage, name, resume, bars, fresh))
    return folders


def _train_segmenter(session: Session, what: str, model: str | None, resume: bool, fresh: bool) -> list[Path]:
    from augkit.cli._progress import Bars
    from augkit.stages.segmenter import evaluate_segmenter, train_segmenter

    del what, model
    folder = session.workspace.model("segmenter", session.settings.segmenter.source)
    with Bars() as bars:
        train_segmenter(session.workspace, session.settings, resume, bars, fresh)
    if is_main_process():
        session.console.print(evaluate_segmenter(session.workspace, session.settings))
    return [folder]
