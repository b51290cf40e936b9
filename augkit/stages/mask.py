"""Stage I as a task: from training pairs to a ``MaskSampler``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from augkit.core.classes import CarClass
from augkit.core.errors import CheckpointError, ConfigError
from augkit.core.parts import PartSchema, without_ignore
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, count_classes, part_pixels
from augkit.data.dataset import PairDataset
from augkit.data.pair import Pair
from augkit.data.whole_car import body_of
from augkit.gan.image_tensors import Show, background_fill, categorical, channels_of, colours, palette_of
from augkit.gan.latent_game import LatentGenerator
from augkit.gan.samplers import LatentBank, MaskSampler, Prior
from augkit.gan.terms import reconstruction_term, squared_error_term
from augkit.losses.likelihood import part_weights
from augkit.settings import MaskSettings
from augkit.stages.checkpoint_judge import selector_of, split_for_judging, with_mirrors
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
from augkit.train.stream import collate

SHEET_COLUMNS = 8


def mask_task(  # noqa: PLR0917  # what every stage is built from
    name: str,
    workspace: Workspace,
    rows: TrainingRows,
    schema: PartSchema,
    settings: MaskSettings,
    device: torch.device,
) -> TrainingTask:
    """Stage I on the given rows."""
    training, judging = split_for_judging(rows, settings)
    pairs = PairDataset(workspace, training.rows, schema, settings.size, settings.augment)
    held = PairDataset(workspace, judging.rows, schema, settings.size) if judging.rows else None
    game, networks = generative_game(settings, mask_subject(settings, pairs, schema, device), "mask", device)

    def finish(averaged: nn.Module) -> nn.Module:
        assert isinstance(averaged, LatentGenerator)
        prior: Prior = prior_of(settings, networks.latent)
        if networks.kind == "vae":
            prior = latent_bank(averaged.encoder, pairs, mask_show(settings, schema))
        return MaskSampler(averaged.generator, prior, settings.output, schema, settings.size).to("cpu")

    anchors = {"anchors": [row.id for row in training.rows]} if networks.kind == "vae" else {}
    return TrainingTask(
        name=f"mask {name}",
        pairs=pairs,
        game=game,
        learner=networks.learner,
        finish=finish,
        picture=lambda sampler: _picture(sampler, training, pairs),
        describe={
            "stage": "mask",
            **network_of(settings),
            "schema": schema.to_dict(),
            "pairs": len(pairs),
            "parameters": networks.parameters(),
            **anchors,
        },
        select=selector_of(held, partial(_shown, schema), partial(_sampled, schema), settings),
    )


def check_mask(settings: MaskSettings, schema: PartSchema) -> None:
    """Raises what ``mask_task`` would for these settings, without the networks' weights."""
    check_networks(settings, 3 if settings.output == "rgb" else schema.channels, frozenset(), "mask")


def mask_subject(settings: MaskSettings, pairs: PairDataset, schema: PartSchema, device: torch.device) -> PictureKind:
    """Masks, as one channel a part or as pictures in the schema's colours."""
    if settings.output == "rgb":
        return PictureKind(
            3, colours, mask_show(settings, schema), background_fill(schema, colours), squared_error_term()
        )
    weights = part_weights(torch.tensor(_pixels(pairs), dtype=torch.float32))
    likelihood = reconstruction_term(weights.to(device))
    fill = background_fill(schema, categorical)
    return PictureKind(schema.channels, categorical, mask_show(settings, schema), fill, likelihood)


def _pixels(pairs: PairDataset) -> list[int]:
    """Pixels by part id over all pairs; the catalogue, which counts those of parts, knows no bodies."""
    if body_of(pairs.schema) is None:
        return part_pixels(pairs.rows)
    counts = [pairs.plain(index).histogram(pairs.schema.channels) for index in range(len(pairs))]
    return [int(count) for count in np.sum(counts, 0)]


def mask_show(settings: MaskSettings, schema: PartSchema) -> Show:
    """What networks see of real masks."""
    return palette_of(schema) if settings.output == "rgb" else channels_of(schema.channels)


@torch.no_grad()
def latent_bank(encoder: nn.Module, pairs: PairDataset, show: Show) -> LatentBank:
    """Posterior means of every training mask and of its mirror image, with their classes and the parts they show."""
    device = next(encoder.parameters()).device
    items = with_mirrors(pairs)
    means: list[Tensor] = []
    for begin in range(0, len(items), 64):
        batch = collate(items[begin : begin + 64], 0, 0, len(items)).to(device)
        means.append(encoder(show(batch), batch.classes)[0].float().cpu())
    shows = np.stack([item.histogram(pairs.schema.channels) > 0 for item in items])
    numbers = torch.tensor([item.car_class.number for item in items])
    return LatentBank(torch.cat(means), numbers, torch.from_numpy(shows))


def _shown(schema: PartSchema, item: Pair) -> Picture:
    """A real mask in colours; what was ignored counts as background."""
    return schema.colourise(without_ignore(item.mask))


def _sampled(schema: PartSchema, sampler: nn.Module, car_class: CarClass, seeds: Sequence[int]) -> Picture:
    """Made masks in colours, (N, S, S, 3)."""
    assert isinstance(sampler, MaskSampler)
    masks = sampler.sample(car_class, seeds, sampler.size).masks
    return np.stack([schema.colourise(mask) for mask in masks])


def load_mask_sampler(folder: Path) -> tuple[MaskSampler, dict[str, Any]]:
    """A trained stage I and its description. Raises CheckpointError where the folder does not hold one."""
    about = load_description(folder)
    state = load_weights(folder)
    try:
        schema = PartSchema.from_dict(about["schema"])
        settings = MaskSettings.model_validate(network_in(about, MaskSettings))
        channels = 3 if settings.output == "rgb" else schema.channels
        model, generator = generator_of(settings, channels, "mask")
        prior: Prior = prior_of(settings, model.latent)
        if model.kind == "vae":
            prior = LatentBank(state["prior.latents"], state["prior.classes"], state["prior.shows"])
        sampler = MaskSampler(generator, prior, settings.output, schema, settings.size)
        sampler.load_state_dict(state)
    except (KeyError, TypeError, ValueError, RuntimeError, ConfigError) as error:
        raise CheckpointError(f"{folder}: {error}", "a stage-I model of this version", "train it again") from error
    return sampler.eval(), about


def _picture(sampler: nn.Module, rows: TrainingRows, pairs: PairDataset) -> Picture:
    """A row a class: four real masks, then four made ones."""
    assert isinstance(sampler, MaskSampler)
    schema, half = pairs.schema, SHEET_COLUMNS // 2
    lines = []
    for car_class in count_classes(rows.rows):
        own = [i for i, row in enumerate(pairs.rows) if row.car_class == car_class][:half]
        real = [pairs.plain(index).mask for index in own]
        real += [real[0] * 0] * (half - len(real))
        seeds = [derive(0, "sheet", car_class.name, number) for number in range(half)]
        made = sampler.eval().sample(car_class, seeds, pairs.size).masks
        lines.append([schema.colourise(mask) for mask in [*real, *made]])
    return grid(lines)


TRAINABLE.register("mask")(TrainableStage(lambda settings: settings.mask, trained_by(mask_task), load_mask_sampler))
