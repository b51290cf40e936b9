"""How a stage is trained: its builder's task, in the loop that trains everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from augkit.core.memory import release_memory
from augkit.stages.trainable import StageRun
from augkit.train.machine import accelerator
from augkit.train.run import TrainingRun, TrainingTask, run_task


def trained_by(build: Callable[..., TrainingTask]) -> Callable[[StageRun], Path]:
    """What trains the tasks of ``build(model, workspace, rows, schema, settings, device, **start)``."""

    def train(run: StageRun) -> Path:
        def task(device: torch.device) -> TrainingTask:
            own = build(run.model, run.workspace, run.rows, run.schema, run.settings, device, **run.start)
            return replace(own, name=run.title, describe=own.describe | dict(run.about))

        training = TrainingRun(
            folder=run.folder, options=run.settings.run, seed=run.seed, fingerprint=dict(run.fingerprint),
            resume=run.resume, fresh=run.fresh, progress=run.progress, seconds=run.seconds, photos=run.photos,
        )  # fmt: skip
        folder = run_task(task, training, accelerator(run.precision, run.track, run.folder))
        release_memory()
        return folder

    return train
