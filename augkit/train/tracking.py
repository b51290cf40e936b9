"""Experiment trackers beside a run, through Accelerate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from accelerate import Accelerator

from augkit.gan.game import Game
from augkit.train.hooks import METRICS_EVERY

PROJECT = "augkit"


class Tracking:
    """A hook that tells Accelerate's trackers of the losses, as often as ``metrics.jsonl`` has them; of none, nothing.

    ``name`` is the run's, ``facts`` what it is made of.
    """

    def __init__(self, backend: Accelerator, name: str, facts: Mapping[str, Any], first: int) -> None:
        self.backend, self.first = backend, first
        if backend.log_with:
            config = {key: _plain(value) for key, value in facts.items()}
            named = {"wandb": {"name": name}, "trackio": {"name": name}, "mlflow": {"run_name": name}}
            backend.init_trackers(PROJECT, config, named)

    def after_step(self, step: int, game: Game) -> None:
        """Tells of the first step and of every ``METRICS_EVERY``th."""
        if step % METRICS_EVERY and step != self.first:
            return
        losses = {f"{p.name}/{name}": float(loss) for p in game.players for name, loss in p.losses.items()}
        self.backend.log(losses, step=step)

    def finish(self) -> None:
        """Ends the trackers' runs; the processes stay together, which ``end_training`` would part."""
        if self.backend.log_with:
            for tracker in self.backend.trackers:
                tracker.finish()


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else json.dumps(value, default=str)
