"""Where a segmenter starts that has seen rendered cars, whose every pixel is known, before any photo.

What is learnt from them depends on no workspace, so it is kept once for all of a user's:
``$XDG_CACHE_HOME/augkit/rendered/DIGEST``, a model folder. Only parts and their order on a car carry over to photos;
so the cars' light and colours change far more than photos' do (the preset ``rendered``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate.state import AcceleratorState
from torch import Tensor

from augkit.core.arithmetic import Precision
from augkit.core.errors import BusyError
from augkit.core.parts import PartSchema
from augkit.core.presets import load_recipe
from augkit.core.seeds import derive
from augkit.core.user_cache import cache_folder
from augkit.settings import SegmenterSettings
from augkit.sources.render.rendered_pairs import RenderedPairs, own_parts
from augkit.stages.training_mix import EncodedPairs
from augkit.train.fingerprint import CODE
from augkit.train.machine import accelerator
from augkit.train.model_folder import CHECKPOINT, is_finished, load_weights
from augkit.train.run import TrainingRun, TrainingTask, run_task

CARS, PRESET = 500, "rendered"
_SEED = 0
WAIT = 2.0
"""Seconds between two looks whether another process is done."""

Build = Callable[[EncodedPairs, SegmenterSettings, torch.device], TrainingTask]


def rendered_start(build: Build, schema: PartSchema, settings: SegmenterSettings) -> dict[str, Tensor]:
    """The weights after ``rendered_steps`` steps of ``build``'s task on rendered cars; trained where that was not done.

    While another process does that it is waited for: trainings side by side start from the same one. Raises DataError
    where the schema has parts that no rendered car shows.
    """
    own_parts(schema)
    own = settings.model_copy(
        update={
            "steps": settings.rendered_steps, "sample_every": settings.rendered_steps, "rendered_steps": 0,
            "augment": PRESET, "source": "real", "rare_classes": 0.0,
        }
    )  # fmt: skip
    precision: Precision = "bf16" if AcceleratorState().mixed_precision == "bf16" else "fp32"  # the asking run's
    about: dict[str, Any] = own.description() | {
        "schema": schema.digest, "code": CODE, "cars": CARS, "precision": precision,
        "augment_steps": load_recipe(PRESET).digest,
    }  # fmt: skip
    folder = cache_folder() / "rendered" / f"{derive(_SEED, *(f'{key}={about[key]}' for key in sorted(about))):016x}"
    while not is_finished(folder):
        try:
            _train(build, schema, own, folder, about, precision)
        except BusyError:
            time.sleep(WAIT)
    return load_weights(folder)


def _train(  # noqa: PLR0917  # each is a different thing
    build: Build, schema: PartSchema, own: SegmenterSettings, folder: Path, about: dict[str, Any], precision: Precision
) -> None:
    logging.getLogger(__name__).info("%d steps from rendered cars, once for all: %s", own.steps, folder)
    pairs = RenderedPairs(schema, CARS, own.size, _SEED)
    run = TrainingRun(folder, own.run, derive(_SEED, PRESET), about, resume=True)
    with torch.random.fork_rng():
        run_task(lambda device: build(pairs, own, device), run, accelerator(precision))
    (folder / CHECKPOINT).unlink(missing_ok=True)  # four times the model, and nobody goes on from here
