"""Photos without masks as a task: from training pairs to a ``PictureSampler``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from augkit.core.classes import CarClass
from augkit.core.errors import CheckpointError, ConfigError
from augkit.core.needs import FREE_COLOURS
from augkit.core.parts import PartSchema
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, count_classes
from augkit.data.dataset import PairDataset
from augkit.gan.image_tensors import colours, photos
from augkit.gan.latent_game import LatentGenerator
from augkit.gan.samplers import PictureSampler
from augkit.gan.terms import squared_error_term
from augkit.settings import UnconditionalSettings
from augkit.stages.checkpoint_judge import selector_of, split_for_judging
from augkit.stages.latent_generator import (
    PictureKind,
    check_networks,
    generative_game,
    generator_of,
    network_in,
    network_of,
    prior_of,
)
from augkit.stages.stage_training import trained_by
from augkit.stages.trainable import TRAINABLE, TrainableStage
from augkit.train.image_grid import Picture, grid
from augkit.train.model_folder import load_description, load_weights
from augkit.train.run import TrainingTask

SHEET_COLUMNS = 8
GIVES = frozenset({FREE_COLOURS})


def unconditional_task(  # noqa: PLR0917  # what every stage is built from
    name: str,
    workspace: Workspace,
    rows: TrainingRows,
    schema: PartSchema,
    settings: UnconditionalSettings,
    device: torch.device,
) -> TrainingTask:
    """Photos of the given rows; their masks are not read by any network."""
    training, judging = split_for_judging(rows, settings)
    pairs = PairDataset(workspace, training.rows, schema, settings.size, settings.augment)
    held = PairDataset(workspace, judging.rows, schema, settings.size) if judging.rows else None
    subject = PictureKind(3, colours, photos, torch.zeros(3), squared_error_term(), GIVES)
    game, networks = generative_game(settings, subject, "unconditional", device)

    def finish(averaged: nn.Module) -> nn.Module:
        assert isinstance(averaged, LatentGenerator)
        return PictureSampler(averaged.generator, prior_of(settings, networks.latent)).to("cpu")

    return TrainingTask(
        name=f"image-unconditional {name}",
        pairs=pairs,
        game=game,
        learner=networks.learner,
        finish=finish,
        picture=lambda sampler: _picture(sampler, training, pairs),
        describe={
            "stage": "image-unconditional",
            **network_of(settings),
            "schema": schema.to_dict(),
            "pairs": len(pairs),
            "parameters": networks.parameters(),
        },
        select=selector_of(held, lambda item: item.photo, _sampled, settings),
    )


def check_unconditional(settings: UnconditionalSettings) -> None:
    """Raises what ``unconditional_task`` would for these settings, without the networks' weights."""
    check_networks(settings, 3, GIVES, "unconditional")


def _sampled(sampler: nn.Module, car_class: CarClass, seeds: Sequence[int]) -> Picture:
    """Made photos, (N, S, S, 3)."""
    assert isinstance(sampler, PictureSampler)
    return sampler.sample(car_class, seeds)


def load_picture_sampler(folder: Path) -> tuple[PictureSampler, dict[str, Any]]:
    """A trained generator and its description. Raises CheckpointError where the folder does not hold one."""
    about = load_description(folder)
    state = load_weights(folder)
    try:
        PartSchema.from_dict(about["schema"])
        settings = UnconditionalSettings.model_validate(network_in(about, UnconditionalSettings))
        model, generator = generator_of(settings, 3, "unconditional")
        sampler = PictureSampler(generator, prior_of(settings, model.latent))
        sampler.load_state_dict(state)
    except (KeyError, TypeError, ValueError, RuntimeError, ConfigError) as error:
        raise CheckpointError(f"{folder}: {error}", "a picture model of this version", "train it again") from error
    return sampler.eval(), about


def _picture(sampler: nn.Module, rows: TrainingRows, pairs: PairDataset) -> Picture:
    """A row a class: four real photos, then four made ones."""
    assert isinstance(sampler, PictureSampler)
    half = SHEET_COLUMNS // 2
    lines = []
    for car_class in count_classes(rows.rows):
        own = [i for i, row in enumerate(pairs.rows) if row.car_class == car_class][:half]
        real = [pairs.plain(index).photo for index in own]
        real += [real[0] * 0] * (half - len(real))
        seeds = [derive(0, "sheet", car_class.name, number) for number in range(half)]
        lines.append([*real, *sampler.eval().sample(car_class, seeds)])
    return grid(lines)


TRAINABLE.register("image-unconditional")(
    TrainableStage(lambda settings: settings.unconditional, trained_by(unconditional_task), load_picture_sampler)
)
