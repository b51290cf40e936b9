"""The latent encoder as a task: it learns from what G makes of fresh latents, so it needs no pictures."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.errors import CheckpointError
from augkit.core.memory import release_memory
from augkit.core.progress import Progress, silent
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.draws import Draw
from augkit.data.pair import Pair
from augkit.gan.batch import Batch
from augkit.gan.game import Game
from augkit.gan.players import Player, StepOutputs, Term
from augkit.models.latent_encoder import LatentEncoder
from augkit.settings import Settings
from augkit.stages.projection.latent_model import LatentModel
from augkit.train.checkpoint import load_state
from augkit.train.image_grid import Picture, grid
from augkit.train.machine import accelerator, resolve_precision
from augkit.train.model_folder import CHECKPOINT, is_finished, load_description, load_weights
from augkit.train.optim import adam, constant
from augkit.train.run import TrainingRun, TrainingTask, run_task
from augkit.train.run_options import AdamOptions, RunOptions

STEPS, BATCH, SAVE_EVERY = 500, 32, 100
OPTIM = AdamOptions(lr=1e-3, betas=(0.9, 0.999))
SHEET_COLUMNS = 8


@dataclass(frozen=True)
class TrainedEncoder:
    """An encoder in use, where it is, how many steps it took, and whether it took them now."""

    network: LatentEncoder
    folder: Path
    steps: int
    now: bool


class ClassRows:
    """What the encoder's steps draw from: classes. Its pictures are made in the step, so these are one empty pixel."""

    def __init__(self, classes: tuple[CarClass, ...]) -> None:
        self.classes = classes

    def __len__(self) -> int:
        return len(self.classes)

    def plain(self, index: int) -> Pair:
        """One class."""
        return Pair(np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8), self.classes[index])

    def __getitem__(self, draw: Draw) -> Pair:
        """The same: there is nothing to augment."""
        return self.plain(draw.index)


def require_encoder(
    workspace: Workspace,
    model: LatentModel,
    settings: Settings,
    *,
    steps: int | None = None,
    fresh: bool = False,
    progress: Progress = silent,
) -> TrainedEncoder:
    """The generator's encoder; trained here where there is none yet of this generator, or one of fewer ``steps``.

    None takes any finished one. A run that was interrupted goes on; an encoder of another generator is replaced.
    """
    folder = workspace.model(f"encoder-{model.stage}", model.name)
    finished = 0 if fresh else _finished_steps(folder, model)
    if finished and finished >= (steps or 1):
        return TrainedEncoder(load_encoder(folder, model), folder, finished, now=False)
    own = RunOptions(steps or STEPS, BATCH, save_every=SAVE_EVERY)
    seed = derive(settings.seed, f"encoder-{model.stage}", model.name)
    fingerprint = {
        "generator": model.digest, "seed": seed, "batch": BATCH, "optim": asdict(OPTIM) | {"betas": list(OPTIM.betas)},
        "classes": [car_class.name for car_class in model.classes], "precision": resolve_precision(settings.precision),
    }  # fmt: skip
    foreign = fresh or not _is_of(folder, model)
    run = TrainingRun(folder, own, seed, fingerprint, resume=True, fresh=foreign, progress=progress)
    run_task(lambda device: encoder_task(model, device), run, accelerator(settings.precision))
    release_memory()
    return TrainedEncoder(load_encoder(folder, model), folder, own.steps, now=True)


def encoder_task(model: LatentModel, device: torch.device) -> TrainingTask:
    """ResNet18 on pairs (G(z), z), z drawn from the generator's prior; G is a frozen copy."""
    network = build_encoder(model).to(device)
    generator = copy.deepcopy(model.generator).to(device).eval().requires_grad_(False)
    player = Player("encoder", network, [latent_term(network)], adam(network.parameters(), OPTIM), constant)

    def outputs(batch: Batch) -> StepOutputs:
        z = latents(model, batch)
        with torch.no_grad():
            pictures = model.form.seen(generator(z, batch.classes))
        return StepOutputs(real=z, fake=network(pictures, batch.classes), classes=batch.classes)

    return TrainingTask(
        name=f"encoder-{model.stage} {model.name}",
        pairs=ClassRows(model.classes),
        game=Game((player,), {"encoder": outputs}),
        learner=network,
        finish=lambda averaged: averaged.to("cpu"),
        picture=lambda module: _picture(module, model),
        describe={"stage": f"encoder-{model.stage}", "model": "resnet18", "generator": model.digest},
    )


def build_encoder(model: LatentModel) -> LatentEncoder:
    """A fresh encoder for the generator."""
    centre, scale = model.moments
    return LatentEncoder(model.form.channels, centre, scale, len(ALL_CLASSES) if model.told else 0)


def latents(model: LatentModel, batch: Batch) -> Tensor:
    """A latent for each row of the batch, drawn as in sampling, whichever process has the row."""
    rows = [
        model.prior.draw(ALL_CLASSES[number], derive(batch.seed, "latent", batch.start + row))
        for row, number in enumerate(batch.classes.tolist())
    ]
    return torch.stack(rows).to(batch.classes.device)


def latent_term(network: LatentEncoder) -> Term:
    """Squared error of the guess, in units of the latents' variance: guessing their mean scores 1."""
    return Term("latent", 1.0, lambda outputs: ((outputs.fake.float() - outputs.real) / network.scale).square().mean())


def load_encoder(folder: Path, model: LatentModel) -> LatentEncoder:
    """A finished encoder. Raises CheckpointError where the folder does not hold one of this generator."""
    if load_description(folder).get("generator") != model.digest:
        raise CheckpointError(f"{folder}: of another generator", f"of {model.digest[:12]}", "project with --fresh")
    state = load_weights(folder)
    network = build_encoder(model)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise CheckpointError(f"{folder}: {error}", "an encoder of this version", "project with --fresh") from error
    return network.eval()


def _finished_steps(folder: Path, model: LatentModel) -> int:
    """0 where the folder holds no finished encoder of this generator."""
    if not is_finished(folder):
        return 0
    about: dict[str, Any] = load_description(folder)
    return int(about["steps"]) if about.get("generator") == model.digest else 0


def _is_of(folder: Path, model: LatentModel) -> bool:
    """Whether the run in the folder, finished or not, is of this generator."""
    path = folder / CHECKPOINT
    return path.exists() and load_state(path)[1].get("generator") == model.digest


@torch.inference_mode()
def _picture(module: nn.Module, model: LatentModel) -> Picture:
    """What G makes of latents, and below what it makes of the guesses at them."""
    classes = [model.classes[number % len(model.classes)] for number in range(SHEET_COLUMNS)]
    drawn = [model.prior.draw(c, derive(0, "encoder-sheet", number)) for number, c in enumerate(classes)]
    rows: list[list[Picture]] = [[], []]
    for z, car_class in zip(drawn, classes, strict=True):
        seen = model.form.seen(model.raw(z[None], car_class))
        guess = module.eval()(seen, torch.tensor([car_class.number]))[0]
        rows[0].append(model.picture(z, car_class))
        rows[1].append(model.picture(model.clip(guess), car_class))
    return grid(rows)
