"""A trainable thing, and a run of it: from rows and options to a model folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from numpy.typing import NDArray
from torch import nn

from augkit.core.errors import CheckpointError, ConfigError
from augkit.core.lock import held
from augkit.core.progress import Progress, silent
from augkit.core.seeds import derive
from augkit.data.draws import Pairs
from augkit.gan.game import Game
from augkit.train.checkpoint import load_state, save_state
from augkit.train.health import Health
from augkit.train.hooks import Average, Checkpoint, Metrics, ProgressHook, SampleImages
from augkit.train.loop import Hook, fit
from augkit.train.lost_process import lost_process_told
from augkit.train.model_folder import CHECKPOINT, save_model
from augkit.train.run_options import RunOptions
from augkit.train.sampling import Sampling, evenly
from augkit.train.selector import Selector, last_state
from augkit.train.stopping import Deadline, StopSignal
from augkit.train.stream import ProcessShare, StreamPlan, stream
from augkit.train.tracking import Tracking

Make = Callable[[], nn.Module]


@dataclass(frozen=True)
class TrainingTask:
    """What a builder returns.

    ``learner`` is the network whose moving average is used afterwards. ``finish(averaged learner)`` gives the module
    to save (a sampler with its banks, or the learner itself); ``picture(module)`` a sample grid (H, W, 3);
    ``describe`` is what a later load needs to know; ``select(make, folder, brake)`` is what chooses the best state;
    ``sampling(number of pairs)`` says which pairs a step sees.
    """

    name: str
    pairs: Pairs
    game: Game
    learner: nn.Module
    finish: Callable[[nn.Module], nn.Module]
    picture: Callable[[nn.Module], NDArray[np.uint8]]
    describe: dict[str, Any]
    select: Callable[[Make, Path, StopSignal], Selector] = last_state
    sampling: Callable[[int], Sampling] = evenly


@dataclass(frozen=True)
class TrainingRun:
    """Where and how long a task trains. ``fingerprint`` is what a resumed run must have in common, and whoever uses the
    model; ``photos`` are the names of the photos it learns from (see ``train.fingerprint``).

    Where an earlier run is in the folder, ``resume`` goes on with it and ``fresh`` removes it. ``seconds`` ends the
    run early.
    """

    folder: Path
    options: RunOptions
    seed: int
    fingerprint: dict[str, Any]
    resume: bool = False
    fresh: bool = False
    progress: Progress = silent
    seconds: float = float("inf")
    photos: Sequence[str] = ()


Builder = Callable[[torch.device], TrainingTask]


def run_task(build: Builder, run: TrainingRun, backend: Accelerator) -> Path:
    """Trains a task to its end and writes the model folder; returns it.

    Raises CheckpointError where a run is in the way, or is resumed with other settings, ConfigError where the
    processes cannot share the batch evenly, BusyError where another command trains this model, and TrainingError where
    another process of the run is gone.
    """
    lock = held(run.folder) if backend.is_main_process else nullcontext()
    with lock, lost_process_told(backend.num_processes):
        return _trained(build, run, backend)


def _trained(build: Builder, run: TrainingRun, backend: Accelerator) -> Path:
    options = run.options
    plan = StreamPlan(options.steps, options.rows, run.seed, options.turns)
    share = ProcessShare(backend.process_index, backend.num_processes)
    _check_share(plan, share, options.microbatches)
    set_seed(derive(run.seed, "weights") % 2**32)  # equal initial weights in every process
    task = build(backend.device)  # before anything is removed: settings that cannot be are refused here
    if run.fresh and backend.is_main_process and run.folder.exists():
        shutil.rmtree(run.folder)
    backend.wait_for_everyone()
    state = _RunState(task, run, backend)
    first = state.restore(_earlier_state(run))
    _require_one_start(run.folder, first, backend)
    batches = stream(task.pairs, plan, share, first, options.workers, backend.device, task.sampling)
    tracking = Tracking(backend, task.name, run.fingerprint, first)
    try:
        fit(task.game, state.stop.until(batches), [*state.hooks(first), tracking], backend)
    finally:
        tracking.finish()
    backend.wait_for_everyone()
    if backend.is_main_process:
        state.finish()
    backend.wait_for_everyone()
    return run.folder


class _RunState:
    """What a run consists of besides the game: its moving average, its choice of a state, its end, its hooks."""

    def __init__(self, task: TrainingTask, run: TrainingRun, backend: Accelerator) -> None:
        self.task, self.run, self.backend = task, run, backend
        self.average = Average(task.learner, run.options.ema)
        self.stop = StopSignal(backend)
        self.selector = task.select(self.module, run.folder, self.stop)
        self.health = Health(run.folder, run.options.steps)
        self.samples = SampleImages(run.folder / "samples", run.options.sample_every, run.options.steps, self.picture)

    def module(self) -> nn.Module:
        """What the run would end with now."""
        return self.task.finish(self.average.network)

    def restore(self, state: dict[str, Any] | None) -> int:
        """Takes an earlier state up; returns the first step to do."""
        if state is None:
            return 1
        try:
            self.task.game.load_state_dict(state["game"])
            self.average.load_state_dict(state["average"])
            self.selector.load_state_dict(state["selector"])
            self.stop.reached = int(state["step"])
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise CheckpointError(
                f"{self.run.folder / CHECKPOINT}: {error!r:.300}", "a checkpoint of this run", "--fresh starts over"
            ) from error
        return self.stop.reached + 1

    def save(self, step: int) -> None:
        """The checkpoint."""
        state = {
            "game": self.task.game.state_dict(), "average": self.average.state_dict(),
            "selector": self.selector.state_dict(), "step": step,
        }  # fmt: skip
        save_state(state, self.run.folder / CHECKPOINT, self.run.fingerprint)

    def hooks(self, first: int) -> list[Hook]:
        """The average in every process; the rest in the one that writes."""
        if not self.backend.is_main_process:
            return [self.average]
        run, options = self.run, self.run.options
        return [
            self.average,
            Metrics(run.folder, first),
            self.health,
            self.samples,
            self.selector,
            Checkpoint(options.save_every, options.steps, self.save),
            ProgressHook(self.task.name, options.steps, run.progress),
            Deadline(run.seconds, self.stop),
        ]

    def picture(self) -> NDArray[np.uint8]:
        """A sample grid of the present state."""
        return self.task.picture(self.module())

    def finish(self) -> None:
        """Writes the model: the chosen state, and what became of the run."""
        if self.stop.reason:
            self.save(self.stop.reached)
            self.samples.write(self.stop.reached)
        module = self.module()
        about = {"steps": self.stop.reached, "processes": self.backend.num_processes} | self.selector.choose(module)
        if self.stop.reason:
            about["stopped"] = self.stop.reason
        notes = {"fingerprint": self.run.fingerprint, "photos": list(self.run.photos)}
        notes["health"] = self.health.sentences(self.task.game)
        save_model(module, self.run.folder, self.task.describe | about, notes)


def _earlier_state(run: TrainingRun) -> dict[str, Any] | None:
    """The state to go on from; None where the run is the folder's first."""
    path = run.folder / CHECKPOINT
    if not path.exists():
        return None
    if not run.resume:
        raise CheckpointError(
            f"{run.folder}: an earlier run is here",
            "an empty folder",
            "--resume to go on with it, or --fresh to start over",
        )
    state, notes = load_state(path)
    differing = {key for key in {*notes, *run.fingerprint} if notes.get(key) != run.fingerprint.get(key)}
    if differing:
        listed = "; ".join(f"{k}: {notes.get(k)} then, {run.fingerprint.get(k)} now" for k in sorted(differing))
        raise CheckpointError(
            f"{path}: made with other settings ({listed})", "the same settings", "use the old settings, or --fresh"
        )
    return state


def _require_one_start(folder: Path, first: int, backend: Accelerator) -> None:
    """Raises CheckpointError, in every process, where one of another host has found another checkpoint, or none."""
    starts = backend.gather(torch.tensor([first], device=backend.device)).tolist() if backend.num_processes > 1 else []
    if len(set(starts)) > 1:
        raise CheckpointError(
            f"{folder}: the processes would begin with steps {', '.join(map(str, sorted(set(starts))))}",
            "one checkpoint that all hosts see",
            "run it again when the folder is the same on every host, or --fresh to start over",
        )


def _check_share(plan: StreamPlan, share: ProcessShare, microbatches: int) -> None:
    batch, rest = divmod(plan.batch, plan.turns)
    if rest or batch % (share.world * microbatches):
        raise ConfigError(
            f"batch {batch} over {share.world} processes and {microbatches} microbatches",
            "a batch that divides evenly",
            "choose another batch (it counts over all processes)",
        )
