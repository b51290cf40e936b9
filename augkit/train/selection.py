"""Choosing the best checkpoint while training, and noticing that there will be no better one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from augkit.core.atomic_file import write_text
from augkit.core.errors import CheckpointError
from augkit.core.regular_file import ANNOTATIONS, read_plain
from augkit.gan.game import Game
from augkit.metrics.frechet import frechet_distance
from augkit.metrics.kernel import unbiased_mmd
from augkit.metrics.spread import spread
from augkit.train.checkpoint import load_state, save_state
from augkit.train.run_options import SelectionOptions
from augkit.train.stopping import StopSignal

BEST, JUDGEMENTS = "best.safetensors", "judgements.jsonl"

NO_LOSS = 0.02
"""D has won where its adversarial loss stays below this, if the loss ends at 0."""

Features = NDArray[np.float32]


@dataclass(frozen=True)
class CheckpointScore:
    """``distance`` of the samples to held-out pictures, and how much they differ from each other, relative to those."""

    distance: float
    diversity: float


class CheckpointJudge:
    """Compares what a module samples with held-out pictures, by features (N, D).

    ``sample(module)`` gives features of its samples, as many and of the same classes as ``real``.
    """

    def __init__(self, real: Features, sample: Callable[[nn.Module], Features], figure: str) -> None:
        self.real, self.sample = real, sample
        self.figure = {"frechet": frechet_distance, "kernel": unbiased_mmd}[figure]

    def __call__(self, module: nn.Module) -> CheckpointScore:
        """Judges one state of a run."""
        made = self.sample(module)
        return CheckpointScore(float(self.figure(made, self.real)), spread(made) / max(spread(self.real), 1e-12))


class BestState:
    """Judges every so many steps, keeps the best state on disk, and pulls the brake on a collapse.

    ``watched`` says whether D's loss tells that D has won.
    """

    def __init__(  # noqa: PLR0917  # each is a different thing
        self, options: SelectionOptions, judge: CheckpointJudge, make: Callable[[], nn.Module], folder: Path,
        stop: StopSignal, watched: bool = True,
    ) -> None:  # fmt: skip
        self.options, self.judge, self.make, self.folder, self.stop = options, judge, make, folder, stop
        self.watched, self.best, self.step = watched, float("inf"), 0
        self.lost, self.alike = 0, 0
        self._losses: list[float] = []

    def after_step(self, step: int, game: Game) -> None:
        """Judges when due; D's losses are watched in every step."""
        if self.watched:
            self._losses += [float(p.losses["adversarial"]) for p in game.players if p.name == "D"]
        if step % self.options.every:
            return
        module = self.make()
        judgement = self.judge(module)
        self._write(step, judgement)
        if judgement.distance < self.best:
            self.best, self.step = judgement.distance, step
            save_state(module.state_dict(), self.folder / BEST, {"step": step, "distance": judgement.distance})
        self._watch(step, judgement)

    def choose(self, module: nn.Module) -> dict[str, Any]:
        """The best state judged, where there is one."""
        if not self.step:
            return {}
        state, notes = load_state(self.folder / BEST)
        if notes["step"] != self.step:
            raise CheckpointError(f"{self.folder / BEST}: of step {notes['step']}", f"step {self.step}", "train again")
        module.load_state_dict(state)
        return {"chosen_step": self.step, "distance": self.best}

    def state_dict(self) -> dict[str, Any]:
        """What was judged so far."""
        return {
            "best": self.best if self.step else None, "step": self.step, "lost": self.lost, "alike": self.alike,
            "losses": self._losses,
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse of ``state_dict``.

        Where a later state was best before the run was killed, it has replaced the one that ``state`` names; the run
        will come to it again, and until then there is no best one.
        """
        kept = state["best"] is not None and self._step_kept() == state["step"]
        self.step, self.best = (state["step"], state["best"]) if kept else (0, float("inf"))
        self.lost, self.alike, self._losses = state["lost"], state["alike"], list(state["losses"])

    def _step_kept(self) -> int:
        """The step whose state is on disk, 0 where there is none."""
        path = self.folder / BEST
        return int(load_state(path)[1]["step"]) if path.is_file() else 0

    def _watch(self, step: int, judgement: CheckpointScore) -> None:
        """Counts judgements in a row that found a collapse, and gives up after ``patience`` of them."""
        losses, self._losses = self._losses, []
        self.lost = self.lost + 1 if losses and abs(float(np.mean(losses))) < NO_LOSS else 0
        self.alike = self.alike + 1 if judgement.diversity < self.options.diversity else 0
        if self.lost >= self.options.patience:
            self.stop.request(
                f"step {step}: D tells all real from all made pictures (mean loss {np.mean(losses):.4f}), so G learns "
                "nothing more; try lecam=0.3, diffaugment, r1=1, or a lower optim_d.lr"
            )
        if self.alike >= self.options.patience:
            self.stop.request(
                f"step {step}: the samples have collapsed, they differ from each other by {judgement.diversity:.0%} of "
                "what real pictures do; try diffaugment, lecam=0.3, another adversarial loss, or condition=none"
            )

    def _write(self, step: int, judgement: CheckpointScore) -> None:
        """A line of ``judgements.jsonl``; a resumed run drops the lines that it repeats."""
        path = self.folder / JUDGEMENTS
        lines = read_plain(path, ANNOTATIONS).splitlines(keepends=True) if path.exists() else []
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] < step]
        line = {"step": step, "distance": judgement.distance, "diversity": judgement.diversity}
        write_text(path, "".join([*kept, json.dumps(line) + "\n"]))
