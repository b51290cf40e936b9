"""The generator stages of a workspace: what is to be trained, and training it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from augkit.core.classes import CarClass
from augkit.core.errors import CheckpointError, DataError
from augkit.core.inside import inside
from augkit.core.parts import PartSchema
from augkit.core.presets import load_recipe
from augkit.core.progress import Progress, silent
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, read_catalogue
from augkit.data.part_name_faults import require_counterparts
from augkit.settings import Settings, StartSettings, TrainSettings
from augkit.stages.assignment import model_for, rows_of
from augkit.stages.drawn_parts import DrawnParts
from augkit.stages.trainable import TRAINABLE, StageRun
from augkit.train.fingerprint import CODE, pairs_digest, photo_names, require_fit, require_no_held_out
from augkit.train.machine import resolve_precision
from augkit.train.model_folder import CHECKPOINT, check_parts, is_finished, load_description

Stage = Literal["mask", "image", "image-coarse", "image-unconditional"]
STAGES: tuple[Stage, ...] = ("mask", "image")
"""Those that balancing needs."""
_DRAW_BODIES = {"mask", "image", "image-coarse"}


@dataclass(frozen=True)
class ModelStore:
    """A workspace opened for generator training: rows, schema and settings."""

    workspace: Workspace
    rows: TrainingRows
    schema: PartSchema
    settings: Settings
    models: Path
    again: str = "augkit train {stage} --model {model} --fresh"
    """The command that trains a model anew, for messages."""

    @classmethod
    def open(cls, workspace: Workspace, settings: Settings) -> ModelStore:
        """Raises DataError where there is nothing to train on."""
        rows = TrainingRows.of(read_catalogue(workspace.require_catalogue()))
        if not rows.rows:
            raise DataError(f"{workspace.root}: no usable training pairs", "at least one", "see `augkit classes`")
        return cls(workspace, rows, PartSchema.load(workspace.schema), settings, workspace.root / "models")

    @cached_property
    def drawn(self) -> DrawnParts:
        """What the stages draw that make masks or read them. Raises what ``DrawnParts.of`` does."""
        return DrawnParts.of(self.workspace, self.rows.rows, self.schema, self.settings.body)

    def _parts(self, stage: Stage) -> DrawnParts:
        return self.drawn if stage in _DRAW_BODIES else DrawnParts(self.schema)

    def stage(self, stage: Stage) -> StartSettings:
        """The settings of a stage."""
        found = TRAINABLE[stage].settings(self.settings)
        assert isinstance(found, StartSettings)
        return found

    def model(self, stage: Stage, car_class: CarClass) -> str:
        """Name of the model that serves a class."""
        return model_for(car_class, self.rows, self.stage(stage).per_class_from)

    def folder(self, stage: Stage, model: str) -> Path:
        """Where a model is, or will be."""
        return self.workspace.bring(inside(self.models, f"{stage}/{model}"))

    def needed(self, classes: Iterable[CarClass], stages: Sequence[Stage] = STAGES) -> list[tuple[Stage, str]]:
        """All models that the classes need, in order of training."""
        wanted = list(classes)
        return [(s, m) for s in stages for m in dict.fromkeys(self.model(s, c) for c in wanted)]

    def missing(self, classes: Iterable[CarClass]) -> list[tuple[Stage, str]]:
        """Those of ``needed`` that are not trained yet, or not for as many steps as the settings ask for.

        Raises CheckpointError for a model that was trained with other settings or on other pairs.
        """
        return [(stage, model) for stage, model in self.needed(classes) if not self.is_trained(stage, model)]

    def is_trained(self, stage: Stage, model: str) -> bool:
        """Whether a model is finished, with as many steps as the settings ask for or ended early for a reason.

        Raises CheckpointError for one that was trained with other settings or on other pairs.
        """
        folder, settings = self.usable(stage, model), self.stage(stage)
        if not is_finished(folder):
            return False
        about = load_description(folder)
        return "stopped" in about or int(about.get("steps", settings.steps)) >= settings.steps

    def usable(self, stage: Stage, model: str) -> Path:
        """The folder of a model that is to be used; whether it is finished is not asked.

        Raises CheckpointError for one that was trained with other settings, on other pairs or by other code: it may
        have seen what is held out now.
        """
        folder = self.folder(stage, model)
        if is_finished(folder):
            about, rows = load_description(folder), rows_of(model, self.rows)
            remedy = f"train it again: {self.again.format(stage=stage, model=model)} (or use the settings it had)"
            if "schema" in about:
                check_parts(folder, about, self.schema)
            self._check_earlier(folder, about, self.stage(stage), rows, remedy)
            require_fit(folder, about, self.fingerprint(stage, model), self.held_out, remedy)
        return folder

    @cached_property
    def held_out(self) -> list[str]:
        """Names of the photos that no model may have seen."""
        rows = read_catalogue(self.workspace.require_catalogue())
        return photo_names([row for row in rows if row.split != "train"])

    def _check_earlier(
        self, folder: Path, about: dict[str, Any], settings: StartSettings, rows: TrainingRows, remedy: str
    ) -> None:
        """Of models of versions that noted no fingerprint: the settings must be the present ones, and the pairs, which
        some of them name, training pairs.

        Raises CheckpointError for other settings or pairs, and where the pairs are not named.
        """
        if "fingerprint" in about:
            return
        asked, trained = _kept(settings), about.get("settings", {})
        other = [f"{key}: {trained.get(key)} then, {asked[key]} now" for key in asked if trained.get(key) != asked[key]]
        if other:
            raise CheckpointError(
                f"{folder}: trained with other settings ({'; '.join(other)})", "the settings of this command", remedy
            )
        names = about.get("exemplars", about.get("anchors"))
        if names is None:
            raise CheckpointError(f"{folder}: does not say on which pairs it was trained", "a model that does", remedy)
        if not set(names) <= {row.id for row in rows.rows}:
            raise CheckpointError(f"{folder}: trained on other pairs", "the training pairs as they are now", remedy)

    def train(
        self,
        stage: Stage,
        model: str,
        resume: bool,
        progress: Progress = silent,
        fresh: bool = False,
        *,
        seconds: float = float("inf"),
    ) -> Path:
        """Trains one model of one stage, and first what it starts from.

        ``resume``, ``fresh`` and ``seconds`` as in ``train.run.TrainingRun``.
        """
        require_counterparts(self.schema, f"train {stage}")  # banks, judges and warps mirror, whatever augments
        start = self._start(stage, model, resume, progress, fresh)
        settings, rows = self.stage(stage).rooted(self.workspace.root), rows_of(model, self.rows)
        if settings.init_from is not None:
            self.workspace.bring(Path(settings.init_from))
        self._check_start(settings)
        run = StageRun(
            model=model, title=f"{stage} {model}", workspace=self.workspace, rows=rows, settings=settings,
            schema=self._parts(stage).schema, precision=self.settings.precision, folder=self.folder(stage, model),
            seed=self._seed(stage, model), fingerprint=self.fingerprint(stage, model), start=start,
            about={"settings": _kept(self.stage(stage))}, photos=tuple(photo_names(rows.rows)), resume=resume,
            fresh=fresh, progress=progress, seconds=seconds, track=self.settings.track,
        )  # fmt: skip
        return TRAINABLE[stage].train(run)

    def _start(self, stage: Stage, model: str, resume: bool, progress: Progress, fresh: bool) -> dict[str, Path]:
        """What a stage's builder is told of the run that it goes on from, which is trained where it is not yet."""
        if stage != "image" or self.settings.image.coarse is None:
            return {}
        if fresh or not self.is_trained("image-coarse", model):
            self.train("image-coarse", model, resume, progress, fresh)
        return {"coarse": self.usable("image-coarse", model)}

    def _seed(self, stage: Stage, model: str) -> int:
        return derive(self.settings.seed, stage, model)

    def _check_start(self, settings: StartSettings) -> None:
        """Raises CheckpointError where ``init_from`` has seen what is held out, or does not say what it has seen."""
        start = settings.init_from
        if start is None or not (Path(start) / CHECKPOINT).is_file():
            return  # what loads it says that there is no run
        if not is_finished(Path(start)):
            raise CheckpointError(
                f"{start}: an unfinished run, which does not say what it was trained on",
                "a finished run to start from",
                "train it to its end first: --resume",
            )
        require_no_held_out(Path(start), load_description(Path(start)), self.held_out)

    def fingerprint(self, stage: Stage, model: str) -> dict[str, Any]:
        """What a run must share with the one it goes on from, and a model with its use; how long it ran is free."""
        settings, rows = self.stage(stage), rows_of(model, self.rows)
        precision, parts = resolve_precision(self.settings.precision), self._parts(stage)
        return _kept(settings) | {
            "seed": self._seed(stage, model), "pairs": pairs_digest(rows.rows), "code": CODE, "precision": precision,
            "schema": parts.schema.digest, "augment_steps": load_recipe(settings.augment).digest, **parts.facts,
        }  # fmt: skip


def _kept(settings: TrainSettings) -> dict[str, Any]:
    """What of a stage's settings decides what is learnt, however long it takes and whoever computes it."""
    return settings.description(exclude=("steps", "sample_every", "save_every", "workers", "per_class_from"))
