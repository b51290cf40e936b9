"""What happens beside the training: moving averages, checkpoints, metrics, sample pictures, progress."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.tensorboard import SummaryWriter

from augkit.core.atomic_file import write_text
from augkit.core.progress import Progress
from augkit.gan.game import Game
from augkit.train.image_grid import write_picture
from augkit.train.step_lines import METRICS, step_lines

METRICS_EVERY = 10


class Average:
    """An exponential moving average of a network, warmed up so that the first steps do not linger.

    The decay at step t is min(decay, (1 + t) / (10 + t)); 0 keeps the latest weights.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.source, self.decay, self.steps = network, decay, 0
        self._average = AveragedModel(network, multi_avg_fn=self._blend)

    @property
    def network(self) -> nn.Module:
        """A copy of the averaged network in evaluation mode: whoever takes it may move it to another device."""
        module: nn.Module = copy.deepcopy(self._average.module)
        return module.eval()

    def after_step(self, step: int, game: Game) -> None:
        """Takes the network's present weights in."""
        del step, game
        self.steps += 1
        self._average.update_parameters(self.source)

    def state_dict(self) -> dict[str, Any]:
        """The average and its age."""
        return {"average": self._average.state_dict(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse of ``state_dict``."""
        self._average.load_state_dict(state["average"])
        self.steps = int(state["steps"])

    def _blend(self, averaged: Any, current: Any, count: Any) -> None:
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps)) if self.decay else 0.0
        get_ema_multi_avg_fn(decay)(averaged, current, count)  # type: ignore[no-untyped-call]


class Checkpoint:
    """Saves every ``every`` steps and at the end."""

    def __init__(self, every: int, steps: int, save: Callable[[int], None]) -> None:
        self.every, self.steps, self.save = every, steps, save

    def after_step(self, step: int, game: Game) -> None:
        """Saves when due."""
        del game
        if step % self.every == 0 or step == self.steps:
            self.save(step)


class Metrics:
    """Losses as ``metrics.jsonl`` and TensorBoard curves; on resume, lines of steps to be repeated are dropped."""

    def __init__(self, folder: Path, first: int) -> None:
        self.path = folder / METRICS
        kept = self._lines_before(first)
        write_text(self.path, "".join(kept))
        self.board = SummaryWriter(folder / "tensorboard", purge_step=first)
        self.began, self.first = time.monotonic(), first

    def after_step(self, step: int, game: Game) -> None:
        """Writes a line for the first step and every ``METRICS_EVERY`` steps."""
        if step % METRICS_EVERY and step != self.first:
            return
        losses = {f"{p.name}/{name}": float(loss) for p in game.players for name, loss in p.losses.items()}
        seconds = (time.monotonic() - self.began) / (step - self.first + 1)
        with self.path.open("a") as file:
            file.write(json.dumps({"step": step, "seconds_per_step": round(seconds, 4), **losses}) + "\n")
        for name, value in losses.items():
            self.board.add_scalar(name, value, step)
        self.board.flush()

    def _lines_before(self, first: int) -> list[str]:
        return [f"{json.dumps(line)}\n" for line in step_lines(self.path) if line["step"] < first]


class SampleImages:
    """A picture of what the averaged network makes, every ``every`` steps and at the end."""

    def __init__(self, folder: Path, every: int, steps: int, picture: Callable[[], NDArray[np.uint8]]) -> None:
        self.folder, self.every, self.steps, self.picture = folder, every, steps, picture

    def after_step(self, step: int, game: Game) -> None:
        """Writes a picture when due."""
        del game
        if step % self.every == 0 or step == self.steps:
            self.write(step)

    def write(self, step: int) -> None:
        """Writes ``step-000500.png``."""
        write_picture(self.folder / f"step-{step:06d}.png", self.picture())


class ProgressHook:
    """Tells the caller how far the run is."""

    def __init__(self, name: str, steps: int, progress: Progress) -> None:
        self.name, self.steps, self.progress = name, steps, progress

    def after_step(self, step: int, game: Game) -> None:
        """Tells every step; the caller decides how often to show it."""
        del game
        self.progress(self.name, step, self.steps)
