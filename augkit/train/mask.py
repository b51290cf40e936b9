"""Stage I as a task: from training pairs to a ``MaskSampler``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from augkit.config import MaskSettings
from augkit.data.catalogue import TrainingRows, count_classes, part_pixels
from augkit.data.pairs import PairDataset
from augkit.errors import CheckpointError, ConfigError
from augkit.gan.condition import one_hot
from augkit.gan.game import Game
from augkit.gan.mask_games import (
    VariationalPair,
    discriminator_play,
    generator_play,
    palette_view,
    variational_play,
)
from augkit.gan.players import Player
from augkit.gan.samplers import LatentBank, MaskSampler, NormalPrior
from augkit.gan.terms import adversarial_d, adversarial_g, kl_term, reconstruction_term
from augkit.losses.adversarial import ADVERSARIAL
from augkit.losses.likelihood import part_weights
from augkit.models.registries import MASK_MODELS, MaskModel
from augkit.parts import PartSchema
from augkit.seeds import derive
from augkit.train.checkpoint import load_state
from augkit.train.grid import Picture, grid
from augkit.train.optim import adam, constant
from augkit.train.task import MODEL, Task, load_description
from augkit.workspace import Workspace

SHEET_COLUMNS = 8


def build_mask_model(settings: MaskSettings, channels: int) -> MaskModel:
    """The network that the settings name. Raises ConfigError for options it does not take."""
    try:
        return MASK_MODELS[settings.model](channels, settings.size, **settings.options)
    except TypeError as error:
        raise ConfigError(f"mask.options {settings.options} for {settings.model}: {error}") from error


def mask_task(  # noqa: PLR0917  # what every stage is built from
    name: str,
    workspace: Workspace,
    rows: TrainingRows,
    schema: PartSchema,
    settings: MaskSettings,
    device: torch.device,
) -> Task:
    """Stage I on the given rows."""
    pairs = PairDataset(workspace, rows.rows, schema, settings.size, settings.augment)
    model = build_mask_model(settings, schema.channels)
    _refuse_idle(settings, model.kind)
    build = _vae_task if model.kind == "vae" else _gan_task
    game, learner, finish = build(model, pairs, schema, settings, device)
    return Task(
        name=f"mask {name}",
        pairs=pairs,
        game=game,
        learner=learner,
        finish=finish,
        picture=lambda sampler: _picture(sampler, rows, pairs),
        describe={
            "stage": "mask",
            "model": settings.model,
            "options": settings.options,
            "size": settings.size,
            "schema": schema.to_dict(),
            "pairs": len(rows),
        },
    )


def _refuse_idle(settings: MaskSettings, kind: str) -> None:
    """Raises ConfigError for an option that was changed although this kind of model does not read it."""
    unread = ("adversarial", "optim_d") if kind == "vae" else ("kl_weight",)
    fields = MaskSettings.model_fields
    idle = [f"mask.{name}" for name in unread if getattr(settings, name) != fields[name].default]
    if idle:
        raise ConfigError(
            f"{', '.join(idle)} set, but {settings.model} is a {kind} and does not read it", "settings with an effect",
            "leave it out, or choose another mask.model",
        )  # fmt: skip


Parts = tuple[Game, nn.Module, Callable[[nn.Module], nn.Module]]


def _vae_task(
    model: MaskModel, pairs: PairDataset, schema: PartSchema, settings: MaskSettings, device: torch.device
) -> Parts:
    pair = VariationalPair(model).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    weights = part_weights(torch.tensor(part_pixels(pairs.rows), dtype=torch.float32))
    terms = [reconstruction_term(weights.to(device)), kl_term(settings.kl_weight)]
    player = Player(
        "vae", pair, terms, adam(pair.parameters(), settings.optim), constant, microbatches=settings.microbatches
    )
    game = Game((player,), {"vae": variational_play(pair, schema.channels, model.latent)})

    def finish(averaged: nn.Module) -> nn.Module:
        assert isinstance(averaged, VariationalPair)
        bank = latent_bank(averaged.encoder, pairs, schema)
        return MaskSampler(averaged.decoder, bank, model.output, schema).to("cpu")

    return game, pair, finish


def _gan_task(
    model: MaskModel, pairs: PairDataset, schema: PartSchema, settings: MaskSettings, device: torch.device
) -> Parts:
    del pairs
    for module in (model.generator, model.opponent):
        module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    losses = ADVERSARIAL[settings.adversarial]
    d = Player(
        "D", model.opponent, [adversarial_d(losses)], adam(model.opponent.parameters(), settings.optim_d), constant,
        microbatches=settings.microbatches,
    )  # fmt: skip
    g = Player(
        "G", model.generator, [adversarial_g(losses)], adam(model.generator.parameters(), settings.optim), constant,
        microbatches=settings.microbatches,
    )  # fmt: skip
    view = palette_view(torch.from_numpy(schema.palette))
    game = Game((d, g), {"D": discriminator_play(model, view), "G": generator_play(model)})

    def finish(averaged: nn.Module) -> nn.Module:
        return MaskSampler(averaged, NormalPrior(model.latent), model.output, schema).to("cpu")

    return game, model.generator, finish


@torch.inference_mode()
def latent_bank(encoder: nn.Module, pairs: PairDataset, schema: PartSchema) -> LatentBank:
    """Posterior means of every training mask and of its mirror image, with their classes."""
    device = next(encoder.parameters()).device
    items = [pairs.plain(index) for index in range(len(pairs))]
    masks = [item.mask for item in items] + [schema.flip(item.mask) for item in items]
    classes = [item.car_class.number for item in items] + [item.car_class.mirror.number for item in items]
    means: list[Tensor] = []
    for begin in range(0, len(masks), 64):
        chunk = torch.stack([torch.from_numpy(mask) for mask in masks[begin : begin + 64]]).long().to(device)
        numbers = torch.tensor(classes[begin : begin + 64], device=device)
        means.append(encoder(one_hot(chunk, schema.channels), numbers)[0].float().cpu())
    return LatentBank(torch.cat(means), torch.tensor(classes))


def load_mask_sampler(folder: Path) -> tuple[MaskSampler, dict[str, Any]]:
    """A trained stage I and its description. Raises CheckpointError where the folder does not hold one."""
    about = load_description(folder)
    state, _ = load_state(folder / MODEL)
    try:
        schema = PartSchema.from_dict(about["schema"])
        model = MASK_MODELS[about["model"]](schema.channels, about["size"], **about["options"])
        prior: LatentBank | NormalPrior = NormalPrior(model.latent)
        if model.kind == "vae":
            prior = LatentBank(state["prior.latents"], state["prior.classes"])
        sampler = MaskSampler(model.generator, prior, model.output, schema)
        sampler.load_state_dict(state)
    except (KeyError, TypeError, RuntimeError, ConfigError) as error:
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
