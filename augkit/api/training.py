"""Training one stage, or the segmentation network that reads the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from augkit.api.bars import shown
from augkit.api.opened import Changes, Config, Place, open_workspace, settings_of
from augkit.api.shown import Shown
from augkit.core.errors import ConfigError
from augkit.core.launcher import is_main_process
from augkit.core.nearest import one_of
from augkit.core.remote_workspace import remote_workspaces
from augkit.core.trackers import require_trackers

if TYPE_CHECKING:
    from rich.console import RenderableType

    from augkit.core.progress import Progress
    from augkit.core.workspace import Workspace
    from augkit.settings import Settings
    from augkit.stages.model_store import Stage

WHAT = ("mask", "image", "image-unconditional", "segmenter", "teacher")
_SECTIONS = {"mask": "mask", "image": "image", "image-unconditional": "unconditional"}
"""Stages that can start from another run's networks, and the sections of their settings."""


@dataclass(frozen=True)
class TrainedModels(Shown):
    """The folders of the models, each with what there is to say of its run; a segmenter's IoU by part on held-out
    pairs (in the main process)."""

    models: Mapping[Path, str]
    scores: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        notes = {str(folder): note for folder, note in self.models.items()}
        scores = {"val_iou": dict(self.scores)} if self.scores else {}
        return {"models": list(notes), "notes": notes, **scores}

    def table(self) -> RenderableType:
        """See ``Shown``."""
        scores = [f"IoU on held-out pairs: {', '.join(f'{n} {v:.3f}' for n, v in self.scores.items())}"]
        lines = [f"trained: {folder}" + (f"\n  {note}" if note else "") for folder, note in self.models.items()]
        return "\n".join([*(scores if self.scores else []), *lines])


@remote_workspaces()
def train(
    workspace: Place,
    what: str,
    *,
    model: str | None = None,
    resume: bool | None = None,
    fresh: bool = False,
    source: str | None = None,
    init_from: str | Path | None = None,
    part_map: str | None = None,
    background: str | None = None,
    backgrounds: str | None = None,
    precision: str | None = None,
    config: Config = None,
    changes: Changes = (),
    progress: Progress | None = None,
) -> TrainedModels:
    """Trains ``mask`` (stage I), ``image`` (stage II), ``image-unconditional``, ``segmenter`` or ``teacher``.

    A run that is here goes on from its last checkpoint, unless ``fresh`` removes it or ``resume`` is False: then it is
    an error. ``model`` trains this one only (``all``, or a group of classes). ``source`` is what a segmenter learns
    from; ``part_map``, ``background`` and ``backgrounds`` are settings of stage II. Raises ConfigError, DataError,
    CheckpointError.
    """
    from augkit.data.audit.result import require_sound

    if what not in WHAT:
        raise ConfigError(f"train {what!r}", one_of(what, WHAT))
    if resume and fresh:
        raise ConfigError("--resume and --fresh together", "one of them")
    going_on = not fresh if resume is None else resume
    of_image = {"background": background, "backgrounds": backgrounds, "part_map": part_map}
    _refuse_idle(what, model, source, init_from, [name for name, value in of_image.items() if value])
    given = {
        "segmenter.source": source,
        "precision": precision,
        f"{_SECTIONS.get(what)}.init_from": init_from and Path(init_from).resolve(),
        **{f"image.{name}": value for name, value in of_image.items()},
    }
    place = open_workspace(workspace)
    chosen = {key: value for key, value in given.items() if value}
    settings = settings_of(place, settings_of(place, config, changes), chosen)
    require_trackers(settings.track)
    require_sound(place)
    with shown(progress) as told:
        if what == "segmenter":
            return _train_segmenter(place, settings, going_on, told, fresh)
        if what == "teacher":
            return _train_teacher(place, settings, told, fresh)
        return _train_stage(place, settings, cast("Stage", what), model, resume=going_on, progress=told, fresh=fresh)


def _refuse_idle(
    what: str, model: str | None, source: str | None, init_from: str | Path | None, of_image: list[str]
) -> None:
    if what in ("segmenter", "teacher") and model is not None:
        raise ConfigError(f"--model with train {what}", "no --model: there is one segmenter a source, and one teacher")
    if what != "segmenter" and source is not None:
        raise ConfigError(f"--source with train {what}", "no --source: generators only ever see real training pairs")
    if of_image and what != "image":
        options = ", ".join("--" + name.replace("_", "-") for name in of_image)
        raise ConfigError(f"{options} with train {what}", "train image: these are settings of stage II")
    if init_from is not None and what not in _SECTIONS:
        raise ConfigError(f"--init-from with train {what}", "train " + " or ".join(_SECTIONS))


def _train_stage(
    place: Workspace, settings: Settings, stage: Stage, model: str | None, *, resume: bool, progress: Progress,
    fresh: bool,
) -> TrainedModels:  # fmt: skip
    from augkit.data.catalogue import count_classes
    from augkit.stages.model_store import ModelStore

    store = ModelStore.open(place, settings)
    known = [name for _, name in store.needed(count_classes(store.rows.rows), [stage])]
    if model is not None and model not in known:
        remedy = f"{_SECTIONS.get(stage, stage)}.per_class_from decides which there are"
        raise ConfigError(f"--model {model}", one_of(model, known), remedy)
    folders = [store.train(stage, name, resume, progress, fresh) for name in ([model] if model else known)]
    return TrainedModels({folder: _fate(folder) for folder in folders})


def _train_segmenter(
    place: Workspace, settings: Settings, resume: bool, progress: Progress, fresh: bool
) -> TrainedModels:
    from augkit.stages.segmenter import evaluate_segmenter, train_segmenter

    folder = place.model("segmenter", settings.segmenter.source)
    train_segmenter(place, settings, resume, progress, fresh)
    scores = evaluate_segmenter(place, settings) if is_main_process() else {}
    return TrainedModels({folder: _fate(folder)}, scores)


def _train_teacher(place: Workspace, settings: Settings, progress: Progress, fresh: bool) -> TrainedModels:
    from augkit.data.readings import ReadingFolder
    from augkit.stages.teacher import Teacher

    teacher = Teacher(place, settings, progress)
    rounds = teacher.train(fresh)
    teacher.read()
    told = ", ".join(f"round {result.number + 1} {result.agreement:.3f}" for result in rounds)
    note = f"mean IoU on labelled photos that its segmenters had not seen: {told}"
    if teacher.photos:
        pairs = len(ReadingFolder(place.readings).pairs())
        note += f"; {pairs} of {len(teacher.photos)} photos without masks are pairs now"
    return TrainedModels({teacher.folder: note})


def _fate(folder: Path) -> str:
    """What there is to say of a run besides that it is done, in the process that has it on its disk for sure."""
    if not is_main_process():
        return ""
    from augkit.train.model_folder import load_description

    about = load_description(folder)
    chosen = f"kept the state of step {about['chosen_step']}" if "chosen_step" in about else ""
    stopped = f"ended early; {about['stopped']}" if "stopped" in about else ""
    return "; ".join(note for note in (chosen, stopped, *about.get("health", [])) if note)
