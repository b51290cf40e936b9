"""A trainable thing, and a run of it: from rows and options to a model folder.

MODEL FOLDER/
  model.safetensors    weights for use (moving averages), with what sampling needs
  config.json          what the weights are; written last, so its presence means "finished"
  checkpoint.safetensors, metrics.jsonl, samples/, tensorboard/
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from numpy.typing import NDArray
from torch import Tensor, nn

from augkit.core.atomic_file import write_json
from augkit.core.errors import CheckpointError, ConfigError
from augkit.core.parts import PartSchema
from augkit.core.progress import Progress, silent
from augkit.core.seeds import derive
from augkit.data.dataset import Pairs
from augkit.gan.game import Game
from augkit.train.checkpoint import load_state, save_state
from augkit.train.hooks import Average, Checkpoint, Metrics, ProgressHook, SampleImages
from augkit.train.loop import Hook, fit
from augkit.train.run_options import RunOptions
from augkit.train.sampling import Sampling, evenly
from augkit.train.selection import Selector, last_state
from augkit.train.stopping import Deadline, StopSignal
from augkit.train.stream import ProcessShare, StreamPlan, stream

Make = Callable[[], nn.Module]

MODEL, CONFIG, CHECKPOINT = "model.safetensors", "config.json", "checkpoint.safetensors"


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

    Raises CheckpointError where a run is in the way, or is resumed with other settings, and ConfigError where the
    processes cannot share the batch evenly.
    """
    options = run.options
    plan = StreamPlan(options.steps, options.rows, run.seed, options.turns)
    share = ProcessShare(backend.process_index, backend.num_processes)
    _check_share(plan, share, options.microbatches)
    set_seed(derive(run.seed, "weights") % 2**32)  # equal initial weights in every process
    task = build(backend.device)  # before anything is removed: settings that cannot be are refused here
    if run.fresh and backend.is_main_process:
        shutil.rmtree(run.folder, ignore_errors=True)
    backend.wait_for_everyone()
    state = _RunState(task, run, backend)
    first = state.restore(_earlier_state(run))
    batches = stream(task.pairs, plan, share, first, options.workers, backend.device, task.sampling)
    fit(task.game, state.stop.until(batches), state.hooks(first), backend)
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
        self.samples = SampleImages(run.folder / "samples", run.options.sample_every, run.options.steps, self.picture)

    def module(self) -> nn.Module:
        """What the run would end with now."""
        return self.task.finish(self.average.network)

    def restore(self, state: dict[str, Any] | None) -> int:
        """Takes an earlier state up; returns the first step to do."""
        if state is None:
            return 1
        self.task.game.load_state_dict(state["game"])
        self.average.load_state_dict(state["average"])
        self.selector.load_state_dict(state["selector"])
        self.stop.reached = int(state["step"])
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
        save_model(module, self.run.folder, self.task.describe | about, notes)


def save_model(module: nn.Module, folder: Path, description: dict[str, Any], notes: dict[str, Any]) -> None:
    """Weights first, then ``config.json``: whoever sees the second may load the first.

    ``notes`` are in ``config.json`` alone: the hash of the weights' file names the model in every shard.
    """
    save_state(module.state_dict(), folder / MODEL, description)
    write_json(folder / CONFIG, description | notes)


def load_description(folder: Path) -> dict[str, Any]:
    """``config.json`` of a finished model. Raises CheckpointError."""
    try:
        description: dict[str, Any] = json.loads((folder / CONFIG).read_text())
    except (OSError, ValueError) as error:  # text that is no JSON, or bytes that are no text
        raise CheckpointError(
            f"{folder}: {error}", "a finished model", "train it first: augkit train --help"
        ) from error
    return description


def load_weights(folder: Path) -> dict[str, Tensor]:
    """``model.safetensors`` of a finished model, on the CPU.

    Raises CheckpointError where it is missing, cut off or foreign, and for numbers that are not finite: what they make
    would look like pictures all the same.
    """
    state, _ = load_state(folder / MODEL)
    spoilt = [name for name, tensor in state.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if spoilt:
        raise CheckpointError(
            f"{folder / MODEL}: NaN or infinity in {len(spoilt)} of {len(state)} tensors, {spoilt[0]} first",
            "finite numbers", "train it again with --fresh, or put the file of a good copy back",
        )  # fmt: skip
    return state


def check_parts(folder: Path, about: Mapping[str, Any], schema: PartSchema) -> None:
    """Raises CheckpointError where the model in the folder, by its description, was trained with other parts."""
    own = PartSchema.from_dict(about["schema"])
    if own.digest != schema.digest:
        raise CheckpointError(
            f"{folder}: trained on the parts {', '.join(own.names[1:])}",
            f"the workspace's parts: {', '.join(schema.names[1:])}",
            f"train it again: augkit train {folder.parent.name} --model {folder.name} --fresh",
        )


def is_finished(folder: Path) -> bool:
    """Whether a folder holds a model that can be used."""
    return (folder / CONFIG).is_file() and (folder / MODEL).is_file()


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


def _check_share(plan: StreamPlan, share: ProcessShare, microbatches: int) -> None:
    batch, rest = divmod(plan.batch, plan.turns)
    if rest or batch % (share.world * microbatches):
        raise ConfigError(
            f"batch {batch} over {share.world} processes and {microbatches} microbatches",
            "a batch that divides evenly",
            "choose another batch (it counts over all processes)",
        )
