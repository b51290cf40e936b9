"""How long a job will take, before anything is trained: by the last run's pace, or by that of a short, discarded one.

The short runs train a few steps in a temporary folder, and the models they leave there draw and paint one pair.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from augkit.balance.job import Balance, BalanceRequest
from augkit.balance.job_summary import at_once, class_plans
from augkit.core.progress import Progress, silent
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.settings import Settings
from augkit.stages.gate_segmenters import STAGE, GateSegmenters
from augkit.stages.model_store import ModelStore, Stage
from augkit.stages.trainable import TRAINABLE
from augkit.train.step_lines import last_pace

SECONDS = 3.0
"""Of each short run; it takes at least one step."""
GATE = "gate"


@dataclass(frozen=True)
class StageForecast:
    """``runs`` trainings of ``steps`` more steps each, at ``pace`` seconds a step, which ``source`` tells."""

    name: str
    runs: int
    steps: int
    pace: float
    source: str

    @property
    def seconds(self) -> float:
        """Of all its runs."""
        return self.runs * self.steps * self.pace


@dataclass(frozen=True)
class Forecast:
    """Of a whole job. ``unknown`` names what a short run cannot tell."""

    stages: Sequence[StageForecast]
    generation: float
    unknown: Sequence[str] = ()

    @property
    def seconds(self) -> float:
        """Of everything that is known."""
        return sum(stage.seconds for stage in self.stages) + self.generation

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        stages = [{**vars(stage), "seconds": round(stage.seconds, 1)} for stage in self.stages]
        return {
            "seconds": round(self.seconds, 1), "stages": stages, "generation": round(self.generation, 1),
            "unknown": list(self.unknown),
        }  # fmt: skip


def anew(workspace: Workspace, settings: Settings, request: BalanceRequest, models: Path) -> Balance:
    """The job with other settings, as if nothing were there yet: its models would be in a folder of their own."""
    job = Balance(workspace, settings, replace(request, fresh=True))
    job.store = replace(job.store, models=models)
    return job


def forecast(job: Balance, progress: Progress = silent, seconds: float | None = None) -> Forecast:
    """Trains for ``seconds`` (``SECONDS``) what has no pace yet; nothing of the workspace changes."""
    if job.settings.image.coarse is not None:  # its short run would have to train the coarse generator first
        return Forecast((), 0.0, ("stage II from coarse to fine", "generation"))
    with tempfile.TemporaryDirectory(prefix="augkit-forecast-") as folder:
        trial = _Trial(job, replace(job.store, models=Path(folder)), SECONDS if seconds is None else seconds)
        stages: list[StageForecast] = []
        kinds = list(dict.fromkeys(stage for stage, _ in job.untrained()))
        total = len(kinds) + 2
        for done, stage in enumerate(kinds):
            progress("timing", done, total)
            stages += trial.stage(stage)
        progress("timing", total - 2, total)
        stages += trial.gate()
        progress("timing", total - 1, total)
        generation = trial.generation()
        progress("timing", total, total)
    return Forecast(stages, generation)


@dataclass(frozen=True)
class _Trial:
    """Short runs beside a job: ``aside`` is its store with models in another folder."""

    job: Balance
    aside: ModelStore
    budget: float

    def stage(self, stage: Stage) -> list[StageForecast]:
        """Of all models of a stage that are to be trained: those that have begun, at their pace, and the others."""
        found, fresh = [], []
        total = self.job.store.stage(stage).steps
        for name in (model for other, model in self.job.untrained() if other == stage):
            done, pace = last_pace(self.job.store.folder(stage, name))
            if done:
                found.append(StageForecast(f"{stage} {name}", 1, max(0, total - done), pace, "its run so far"))
            else:
                fresh.append(name)
        if fresh:
            found.append(StageForecast(stage, len(fresh), total, self._short(stage, fresh[0]), "a short run"))
        return found

    def gate(self) -> list[StageForecast]:
        """The segmenters that the gate is fitted with, where it is not yet."""
        gate = self.job.settings.gate
        if self.job.has_judges() or "agreement" not in gate.checks:
            return []
        watch, store = _Stopwatch(), self.job.store
        own = GateSegmenters(store.workspace, store.schema, self.job.settings)
        own.train(store.rows.rows, self.aside.models / GATE, 0, watch, seconds=self.budget)
        steps = TRAINABLE[STAGE].settings(self.job.settings).steps
        return [StageForecast("gate: segmenters", gate.folds, steps, watch.pace, "a short run")]

    def generation(self) -> float:
        """Of the candidates that are expected, and of as many photos as are to be made."""
        classes, lines = self.job.generated(), class_plans(self.job)
        if not classes or not any(line.progress.candidates for line in lines):
            return 0.0
        car_class = classes[0]
        mask, photo = (self._folder(stage, self.job.store.model(stage, car_class)) for stage in ("mask", "image"))
        masks, _ = TRAINABLE["mask"].load(mask)
        photos, _ = TRAINABLE["image"].load(photo, self.job.computed.precision)
        device, batch = torch.device(self.job.device.kind), self.job.device.batch
        masks.on(device)
        photos.on(device)
        for number in range(2):  # the first call allocates
            seeds, began = [derive(self.job.settings.seed, "pace", number, n) for n in range(batch)], time.monotonic()
            drawn = masks.sample(car_class, seeds, self.job.settings.image.size).masks
            painting = time.monotonic()
            photos.paint(drawn, car_class, seeds, None)
        draw, paint = (painting - began) / batch, (time.monotonic() - painting) / batch
        work = sum(line.progress.candidates * draw + line.progress.todo * paint for line in lines)
        return work / at_once(self.job)

    def _folder(self, stage: Stage, model: str) -> Path:
        """Of the trained model, or of one that a short run leaves."""
        if self.job.store.is_trained(stage, model):
            return self.job.store.usable(stage, model)
        if not (self.aside.folder(stage, model) / "config.json").is_file():
            self._short(stage, model)
        return self.aside.folder(stage, model)

    def _short(self, stage: Stage, model: str) -> float:
        watch = _Stopwatch()
        self.aside.train(stage, model, resume=False, progress=watch, fresh=True, seconds=self.budget)
        return watch.pace


class _Stopwatch:
    """A ``Progress`` that knows how long a step takes. The first one is left out where there are others."""

    def __init__(self) -> None:
        self._ticks = [time.monotonic()]

    def __call__(self, name: str, done: int, total: int, /) -> None:
        del name, done, total
        self._ticks.append(time.monotonic())

    @property
    def pace(self) -> float:
        """Seconds of a step."""
        ticks = self._ticks[1:] if len(self._ticks) > 2 else self._ticks
        return (ticks[-1] - ticks[0]) / max(1, len(ticks) - 1)
