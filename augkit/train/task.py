"""A trainable thing, and a run of it: from rows and settings to a model folder.

MODEL FOLDER/
  model.safetensors    weights for use (moving averages), with what sampling needs
  config.json          what the weights are; written last, so its presence means "finished"
  checkpoint.safetensors, metrics.jsonl, samples/, tensorboard/
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from numpy.typing import NDArray
from torch import nn

from augkit.config import TrainSettings
from augkit.data.pairs import Pairs
from augkit.errors import CheckpointError, ConfigError
from augkit.gan.game import Game
from augkit.seeds import derive
from augkit.train.checkpoint import load_state, save_state
from augkit.train.hooks import Average, Checkpoint, Metrics, Progress, Report, Samples
from augkit.train.loop import Hook, fit
from augkit.train.stream import Plan, Share, stream

MODEL, CONFIG, CHECKPOINT = "model.safetensors", "config.json", "checkpoint.safetensors"


@dataclass(frozen=True)
class Task:
    """What a builder returns.

    ``learner`` is the network whose moving average is used afterwards. ``finish(averaged learner)`` gives the module
    to save (a sampler with its banks, or the learner itself); ``picture(module)`` a sample grid (H, W, 3);
    ``describe`` is what a later load needs to know.
    """

    name: str
    pairs: Pairs
    game: Game
    learner: nn.Module
    finish: Callable[[nn.Module], nn.Module]
    picture: Callable[[nn.Module], NDArray[np.uint8]]
    describe: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """Where and how long a task trains. ``fingerprint`` is what a resumed run must have in common.

    Where an earlier run is in the folder, ``resume`` goes on with it and ``fresh`` removes it.
    """

    folder: Path
    settings: TrainSettings
    seed: int
    fingerprint: dict[str, Any]
    resume: bool = False
    fresh: bool = False
    report: Report | None = None


Builder = Callable[[torch.device], Task]


def run_task(build: Builder, run: Run, backend: Accelerator) -> Path:
    """Trains a task to its end and writes the model folder; returns it.

    Raises CheckpointError where a run is in the way, or is resumed with other settings, and ConfigError where the
    processes cannot share the batch evenly.
    """
    plan = Plan(run.settings.steps, run.settings.batch, run.seed)
    share = Share(backend.process_index, backend.num_processes)
    _check_share(plan, share, run.settings.microbatches)
    set_seed(derive(run.seed, "weights") % 2**32)  # equal initial weights in every process
    task = build(backend.device)  # before anything is removed: settings that cannot be are refused here
    if run.fresh and backend.is_main_process:
        shutil.rmtree(run.folder, ignore_errors=True)
    backend.wait_for_everyone()
    state = _earlier_state(run)
    average = Average(task.learner, run.settings.ema)
    first = 1
    if state is not None:
        task.game.load_state_dict(state["game"])
        average.load_state_dict(state["average"])
        first = int(state["step"]) + 1
    hooks = _hooks(task, run, average, backend, first)
    batches = stream(task.pairs, plan, share, first, run.settings.workers, backend.device)
    fit(task.game, batches, hooks, backend)
    backend.wait_for_everyone()
    if backend.is_main_process:
        length = {"steps": run.settings.steps, "processes": backend.num_processes}
        save_model(task.finish(average.network), run.folder, task.describe | length)
    backend.wait_for_everyone()
    return run.folder


def save_model(module: nn.Module, folder: Path, description: dict[str, Any]) -> None:
    """Weights first, then ``config.json``: whoever sees the second may load the first."""
    save_state(module.state_dict(), folder / MODEL, description)
    temporary = folder / (CONFIG + ".tmp")
    temporary.write_text(json.dumps(description, indent=1) + "\n")
    temporary.replace(folder / CONFIG)


def load_description(folder: Path) -> dict[str, Any]:
    """``config.json`` of a finished model. Raises CheckpointError."""
    try:
        description: dict[str, Any] = json.loads((folder / CONFIG).read_text())
    except (OSError, ValueError) as error:  # text that is no JSON, or bytes that are no text
        raise CheckpointError(
            f"{folder}: {error}", "a finished model", "train it first: augkit train --help"
        ) from error
    return description


def is_finished(folder: Path) -> bool:
    """Whether a folder holds a model that can be used."""
    return (folder / CONFIG).is_file() and (folder / MODEL).is_file()


def _hooks(task: Task, run: Run, average: Average, backend: Accelerator, first: int) -> list[Hook]:
    hooks: list[Hook] = [average]
    if not backend.is_main_process:
        return hooks
    settings = run.settings

    def save(step: int) -> None:
        state = {"game": task.game.state_dict(), "average": average.state_dict(), "step": step}
        save_state(state, run.folder / CHECKPOINT, run.fingerprint)

    hooks.append(Metrics(run.folder, first))
    hooks.append(
        Samples(run.folder / "samples", settings.sample_every, settings.steps, lambda: _picture(task, average))
    )
    hooks.append(Checkpoint(settings.save_every, settings.steps, save))
    hooks.append(Progress(task.name, settings.steps, run.report))
    return hooks


def _picture(task: Task, average: Average) -> NDArray[np.uint8]:
    return task.picture(task.finish(average.network))


def _earlier_state(run: Run) -> dict[str, Any] | None:
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


def _check_share(plan: Plan, share: Share, microbatches: int) -> None:
    if plan.batch % (share.world * microbatches):
        raise ConfigError(
            f"batch {plan.batch} over {share.world} processes and {microbatches} microbatches",
            "a batch that divides evenly",
            "choose another batch (it counts over all processes)",
        )
