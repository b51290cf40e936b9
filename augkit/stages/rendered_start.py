"""Rendered cars, whose every pixel is known, before and beside a segmenter's photos.

Only parts and their order on a car carry over to photos; so light and colours of these cars change far more than
photos' do (the preset ``rendered``). The cars, and what a network learns from them alone, depend on no workspace: they
are kept once for all of a user's, in ``$XDG_CACHE_HOME/augkit/rendered``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
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
from augkit.data.draws import Draw, ExemplarPair, Pairs
from augkit.data.pair import Pair
from augkit.settings import MIXING, SegmenterSettings
from augkit.shards.index import MANIFEST_FILE
from augkit.shards.reader import ShardDataset
from augkit.sources.render.rendered_samples import even_counts
from augkit.sources.render.rendered_shards import RenderRequest, write_rendered
from augkit.stages.training_mix import EncodedPairs
from augkit.train.fingerprint import CODE
from augkit.train.machine import accelerator
from augkit.train.model_folder import CHECKPOINT, is_finished, load_weights
from augkit.train.run import Builder, TrainingRun, TrainingTask, run_task

CARS, PRESET = 500, "rendered"
_SEED = 0
PATIENCE = 600.0
"""Seconds that another process may take to draw the cars: far more than it does."""
WAIT = 2.0
"""Seconds between two looks whether another process is done."""

Build = Callable[[EncodedPairs, SegmenterSettings, torch.device], TrainingTask]


class BesideRendered:
    """Pairs, and rendered cars after them, each side augmented in its own way: the interface of ``PairDataset``."""

    def __init__(self, pairs: Pairs, cars: Pairs) -> None:
        self.pairs, self.cars = pairs, cars

    def __len__(self) -> int:
        return len(self.pairs) + len(self.cars)

    def plain(self, index: int) -> Pair:
        """The pair as it is."""
        first = len(self.pairs)
        return self.pairs.plain(index) if index < first else self.cars.plain(index - first)

    def __getitem__(self, draw: Draw) -> Pair | ExemplarPair:
        """The pair, augmented with the draw's seed."""
        first = len(self.pairs)
        return self.pairs[draw] if draw.index < first else self.cars[Draw(draw.index - first, draw.seed)]


def rendered_cars(schema: PartSchema, size: int) -> ShardDataset:
    """Cars with these parts; drawn where that was not done, and waited for while another process does it.

    Raises DataError where the schema has parts that no rendered car shows.
    """
    place = cache_folder() / "rendered" / f"cars-{_digest({'schema': schema.digest, 'size': size})}"
    if not (place / MANIFEST_FILE).is_file():
        write_rendered(place, place, RenderRequest(even_counts(CARS), size, _SEED), schema, patience=PATIENCE)
    return ShardDataset(place)


def rendered_start(build: Build, cars: EncodedPairs, settings: SegmenterSettings) -> dict[str, Tensor]:
    """The weights after ``rendered_steps`` steps of ``build``'s task on the cars; trained where that was not done.

    While another process does that it is waited for: trainings side by side start from the same one.
    """
    own = settings.model_copy(
        update={
            "steps": settings.rendered_steps, "sample_every": settings.rendered_steps, "rendered_steps": 0,
            "augment": PRESET, "source": "real", "rare_classes": 0.0,
        }
        | {name: SegmenterSettings.model_fields[name].default for name in MIXING}
    )  # fmt: skip
    precision: Precision = "bf16" if AcceleratorState().mixed_precision == "bf16" else "fp32"  # the asking run's
    about: dict[str, Any] = own.description(("save_every", "workers")) | {
        "schema": cars.schema.digest, "precision": precision, "augment_steps": load_recipe(PRESET).digest,
    }  # fmt: skip
    folder = cache_folder() / "rendered" / _digest(about)
    run = TrainingRun(folder, own.run, derive(_SEED, PRESET), about, resume=True)
    while not is_finished(folder):
        try:
            _train(lambda device: build(cars, own, device), run, precision)
        except BusyError:
            time.sleep(WAIT)
    return load_weights(folder)


def _train(build: Builder, run: TrainingRun, precision: Precision) -> None:
    logging.getLogger(__name__).info("%d steps from rendered cars, once for all: %s", run.options.steps, run.folder)
    with torch.random.fork_rng():
        run_task(build, run, accelerator(precision))
    (run.folder / CHECKPOINT).unlink(missing_ok=True)  # four times the model, and nobody goes on from here


def _digest(about: dict[str, Any]) -> str:
    told = about | {"code": CODE, "cars": CARS}
    return f"{derive(_SEED, *(f'{key}={told[key]}' for key in sorted(told))):016x}"
