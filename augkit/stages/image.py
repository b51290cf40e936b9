"""Stage II as a task: from training pairs to a ``PhotoSampler``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from augkit.core.arithmetic import Arithmetic
from augkit.core.errors import CheckpointError, ConfigError
from augkit.core.needs import D_LAYERS, REAL_COUNTERPART, TRAINED_D, Need, match
from augkit.core.parts import PartSchema, without_ignore
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows
from augkit.data.dataset import PairDataset
from augkit.data.pair import Pair
from augkit.data.warp.cycle_warp import CycleWarpPairs
from augkit.gan.conditional_generator import ConditionalGenerator, input_channels
from augkit.gan.conditioning import CONDITIONERS, Conditioner
from augkit.gan.conditioning.conditioning import Conditioning, WarpedExemplars
from augkit.gan.exemplars import ExemplarBank
from augkit.gan.fake_pool import FakePool, NoPool
from augkit.gan.game import Game
from augkit.gan.image_game import FakeCache, discriminator_forward, generator_forward
from augkit.gan.photo_background import CompositeBackground, PhotoBackground
from augkit.gan.photo_sampler import PhotoSampler
from augkit.gan.players import Player
from augkit.gan.technique_set import TechniqueSet
from augkit.gan.terms import adversarial_d, adversarial_g
from augkit.gan.unpaired import UnpairedExemplars
from augkit.losses.adversarial import ADVERSARIAL
from augkit.models.registries import PHOTO_GENERATORS, PhotoDiscriminator
from augkit.settings import ImageSettings, Settings
from augkit.stages.backgrounds import backdrop_of, screen_of
from augkit.stages.coarse_to_fine import coarse_part, coarse_settings, hand_over
from augkit.stages.image_transfer import start
from augkit.stages.photo_discriminator import build_discriminator
from augkit.stages.stage_training import trained_by
from augkit.stages.trainable import TRAINABLE, TrainableStage
from augkit.train.image_grid import Picture, grid
from augkit.train.model_folder import load_description, load_weights
from augkit.train.optim import adam, adam_in_turns, linear_decay
from augkit.train.run import TrainingTask
from augkit.train.stream import collate

SHEET_ROWS = 8
BRIEF_ROWS = 8


def build_photo_generator(model: str, options: dict[str, Any], condition: int, size: int) -> nn.Module:
    """The network that the settings name, for ``condition`` input channels.

    Raises ConfigError for options or a size it does not take.
    """
    try:
        generator = PHOTO_GENERATORS[model](condition, **options)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"image.options {options} for {model}: {error}") from error
    divisor = int(generator.divisor)  # type: ignore[arg-type]
    if size % divisor or size < 2 * divisor:  # a single pixel inside has no neighbours to reflect, nor a variance
        below, above = size // divisor * divisor, (size // divisor + 1) * divisor
        raise ConfigError(
            f"image.size {size} for {model}",
            f"a multiple of {divisor}, at least {2 * divisor}",
            f"set image.size to {' or '.join(str(s) for s in (below, above) if s >= 2 * divisor)}",
        )
    return generator


def build_painter(about: Mapping[str, Any], parts: int) -> ConditionalGenerator:
    """The generator with its conditioners, from a model's description or the settings as plain data.

    Raises ConfigError for what the networks do not take, RegistryError for a name that there is not.
    """
    conditioners = [_conditioner(name, parts, about["size"]) for name in about["guides"]]
    condition = input_channels(parts, conditioners)
    generator = build_photo_generator(about["model"], about["options"], condition, about["size"])
    return ConditionalGenerator(generator, conditioners, parts, about["repair"])


def _conditioner(name: str, parts: int, size: int) -> Conditioner:
    conditioner = CONDITIONERS[name](parts)
    if size % conditioner.divisor or size < conditioner.smallest:
        raise ConfigError(
            f"image.size {size} for {name} in image.conditioning",
            f"a multiple of {conditioner.divisor}, at least {conditioner.smallest}",
            f"set another image.size, or leave {name} out",
        )
    return conditioner


def image_task(  # noqa: PLR0917  # what every stage is built from
    name: str,
    workspace: Workspace,
    rows: TrainingRows,
    schema: PartSchema,
    settings: ImageSettings,
    device: torch.device,
    coarse: Path | None = None,
) -> TrainingTask:
    """Stage II on the given rows; ``coarse`` is the run of the coarse generator that it goes on from."""
    backdrop = backdrop_of(workspace, rows, schema, settings)
    pairs = PairDataset(workspace, rows.rows, schema, settings.size, settings.augment, last=screen_of(settings))
    painter, discriminator = build_networks(settings, schema, coarse)
    painter.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    names = [row.id for row in rows.rows]

    def finish(averaged: nn.Module) -> nn.Module:
        assert isinstance(averaged, ConditionalGenerator)
        items = [pairs.plain(index) for index in range(len(pairs))]
        averaged.settle(list(_conditionings(items, device)))
        return PhotoSampler(averaged, ExemplarBank.of(items, names, schema), backdrop).to("cpu")

    return TrainingTask(
        name=f"image {name}",
        pairs=_with_exemplars(pairs, settings) if painter.wants_cycle_warp else pairs,
        game=_game(painter, discriminator, schema, settings, device),
        learner=painter,
        finish=finish,
        picture=lambda sampler: _picture(sampler, pairs),
        describe={
            "stage": "image",
            "model": settings.model,
            "options": settings.options,
            "guides": list(settings.conditioning),
            "repair": settings.repair,
            "size": settings.size,
            "schema": schema.to_dict(),
            "pairs": len(rows),
            "exemplars": names,
            "background": settings.background,
            "parameters": {"G": _count(painter), "D": _count(discriminator)},
        },
    )


def _with_exemplars(pairs: PairDataset, settings: ImageSettings) -> CycleWarpPairs:
    return CycleWarpPairs(pairs, None if settings.unpaired is False else UnpairedExemplars(pairs))


def _conditionings(items: list[Pair], device: torch.device) -> Iterator[Conditioning]:
    """The pairs, each after its own photo."""
    for begin in range(0, len(items), BRIEF_ROWS):
        batch = collate(items[begin : begin + BRIEF_ROWS], 0, 0, len(items)).to(device)
        yield Conditioning(batch.masks, WarpedExemplars.whole(batch.photos), batch.noise)


def build_networks(
    settings: ImageSettings, schema: PartSchema, coarse: Path | None = None
) -> tuple[ConditionalGenerator, nn.Module]:
    """G and D, as they start: from the coarse run where there is one.

    Raises what ``build_painter``, ``start`` and ``hand_over`` do, and ConfigError where the settings need what D does
    not give.
    """

    def g(parts: int) -> ConditionalGenerator:
        return build_painter(settings.description(), parts)

    def d(parts: int) -> PhotoDiscriminator:
        return build_discriminator(settings, parts)

    painter, discriminator = g(schema.channels), d(schema.channels)
    techniques = TechniqueSet.of(settings, "image")
    if coarse is not None:  # which has started from `init_from` itself
        _match(settings, techniques, discriminator.gives | {TRAINED_D})
        hand_over(coarse, painter, discriminator)
        return painter, discriminator
    started = start(settings, schema, (painter, g), (discriminator, d))
    _match(settings, techniques, discriminator.gives | ({TRAINED_D} if started else set()))
    techniques.freeze(discriminator.stacks)
    return painter, discriminator


def _match(settings: ImageSettings, techniques: TechniqueSet, gives: frozenset[Need]) -> None:
    """Raises ConfigError where a technique or the loss needs what neither D, the pairs nor the techniques give."""
    loss = {f"image.adversarial={settings.adversarial}": ADVERSARIAL[settings.adversarial].needs}
    given = gives | {REAL_COUNTERPART} | techniques.gives()
    match(loss | techniques.needs(), given, f"the discriminator {settings.discriminator}")


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _game(
    painter: ConditionalGenerator,
    discriminator: nn.Module,
    schema: PartSchema,
    settings: ImageSettings,
    device: torch.device,
) -> Game:
    discriminator.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    pool = FakePool(settings.pool, settings.size) if settings.pool else NoPool()
    pair, channels, techniques = ADVERSARIAL[settings.adversarial], schema.channels, TechniqueSet.of(settings, "image")
    rate, shares = linear_decay(settings.steps, settings.decay_from), settings.microbatches
    optim_d = adam(discriminator.parameters(), settings.optim_d.adam)
    of_d = [techniques.adversarial_term("D", pair, adversarial_d(pair, pool)), *techniques.terms("D", discriminator)]
    opposed = adversarial_g(pair, settings.adversarial_weight)
    of_g = [techniques.adversarial_term("G", pair, opposed), *techniques.terms("G", painter)]
    d = Player("D", discriminator, of_d, optim_d, rate, microbatches=shares)
    g = Player("G", painter, of_g, _optim_g(painter, settings), rate, microbatches=shares)
    cache = FakeCache(painter)
    forwards = {
        "D": discriminator_forward(cache, discriminator, channels, pool),
        "G": generator_forward(cache, discriminator, channels, matched=techniques.need(D_LAYERS)),
    }
    return Game((d, g), forwards, shared=(g,))


def _optim_g(painter: ConditionalGenerator, settings: ImageSettings) -> torch.optim.Optimizer:
    """Adam; with coarse-to-fine training the coarse generator joins later."""
    fixed = 0 if settings.coarse is None else settings.coarse.fixed
    if not fixed:
        return adam(painter.parameters(), settings.optim.adam)
    late = list(coarse_part(painter).parameters())
    ids = {id(parameter) for parameter in late}
    return adam_in_turns(late, [p for p in painter.parameters() if id(p) not in ids], fixed, settings.optim.adam)


def load_photo_sampler(folder: Path, precision: Arithmetic = "fp32") -> tuple[PhotoSampler, dict[str, Any]]:
    """A trained stage II, its generator in that precision, and its description.

    Raises CheckpointError where the folder does not hold one.
    """
    about = load_description(folder)
    state = load_weights(folder)
    try:
        schema = PartSchema.from_dict(about["schema"])
        painter = build_painter(about, schema.channels)
        held = {name.removeprefix("bank."): tensor for name, tensor in state.items() if name.startswith("bank.")}
        backdrop = PhotoBackground()
        if about.get("background") == "composite":
            backdrop = CompositeBackground(*(state[f"backdrop.{name}"] for name in ("photos", "holes", "classes")))
        sampler = PhotoSampler(painter, ExemplarBank(held, about["exemplars"], schema), backdrop)
        sampler.load_state_dict(state)
    except (KeyError, TypeError, RuntimeError, ConfigError) as error:
        raise CheckpointError(f"{folder}: {error}", "a stage-II model of this version", "train it again") from error
    return sampler.ready(precision), about


def _picture(sampler: nn.Module, pairs: PairDataset) -> Picture:
    """A row a pair: mask, real photo, then made photos after four exemplars."""
    assert isinstance(sampler, PhotoSampler)
    sampler.eval()
    step = max(1, len(pairs) // SHEET_ROWS)
    lines = []
    for index in range(0, len(pairs), step)[:SHEET_ROWS]:
        item = pairs.plain(index)
        seeds = [derive(0, "sheet", index, number) for number in range(4)]
        made = sampler.paint(without_ignore(item.mask)[None].repeat(4, 0), item.car_class, seeds)
        lines.append([pairs.schema.colourise(item.mask), item.photo, *made.photos])
    return grid(lines)


def styled(settings: Settings) -> bool:
    """Whether G reads a photo beside the mask."""
    return any(CONDITIONERS[name].reads_exemplar for name in settings.image.conditioning)


TRAINABLE.register("image")(
    TrainableStage(lambda settings: settings.image, trained_by(image_task), load_photo_sampler, styled)
)
TRAINABLE.register("image-coarse")(
    TrainableStage(lambda settings: coarse_settings(settings.image), trained_by(image_task), load_photo_sampler)
)
