"""Generators of pictures from latents: the networks, the table and the players that the settings ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from augkit.core.classes import ALL_CLASSES
from augkit.core.errors import ConfigError
from augkit.gan import latent_game as moves
from augkit.gan import terms
from augkit.gan.game import Game
from augkit.gan.image_tensors import Output, Show
from augkit.gan.latent_game import GameNetworks, LatentGenerator, NoEncoder
from augkit.gan.latents import NormalPrior, UniformPrior
from augkit.gan.players import Player, Term
from augkit.gan.refiners import LatentOptimisation, Refiner, unrefined
from augkit.gan.views import DiffAugment, View, unchanged
from augkit.losses.adversarial import ADVERSARIAL
from augkit.models.conditioning import (
    CONDITION,
    AuxiliaryHead,
    ConditionedGenerator,
    Discriminator,
    Encoder,
    JointHead,
    LinearHead,
    ProjectionHead,
)
from augkit.models.initialise import INITIALISATIONS
from augkit.models.registries import PICTURE_MODELS, PictureModel, Trunk
from augkit.settings import CriticSettings, GenerativeSettings
from augkit.train.optim import adam, constant
from augkit.train.transfer import discriminator_of, freeze, load_part, players_of


@dataclass(frozen=True)
class PictureKind:
    """What the pictures are of: ``channels`` of a picture, G's activation, how real batches are shown, what fills a
    picture's gaps, and the likelihood that a VAE maximises."""

    channels: int
    output: Output
    show: Show
    fill: Tensor
    likelihood: Term


@dataclass(frozen=True)
class GeneratorNetworks:
    """``discriminator`` is an empty module where the game has none."""

    kind: str
    latent: int
    maker: LatentGenerator
    discriminator: nn.Module

    def parameters(self) -> dict[str, int]:
        """How many the generator (a VAE's decoder) and its opponent (D, or a VAE's encoder) have."""
        opponent = self.maker.encoder if self.kind == "vae" else self.discriminator
        parts = {"G": self.maker.generator, "D": opponent}
        return {name: sum(p.numel() for p in module.parameters()) for name, module in parts.items()}


def generative_game(
    settings: GenerativeSettings, subject: PictureKind, section: str, device: torch.device
) -> tuple[Game, GeneratorNetworks]:
    """The game that the settings ask for. Raises ConfigError for settings that no network takes or that do nothing.

    ``section`` is the settings' name, for messages.
    """
    networks = build_networks(settings, subject.channels, section)
    _refuse_idle(settings, networks.kind, section)
    if settings.init_from is not None:
        transfer(Path(settings.init_from), networks, settings.freeze_d)
    for module in (networks.maker, networks.discriminator):
        module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    _freeze(networks.discriminator, settings.freeze_d, section)
    table = GameNetworks(
        networks.maker,
        networks.discriminator,
        prior_of(settings, networks.latent).batch,
        subject.output,
        subject.show,
        _refiner(settings),
        _view(settings, subject.fill),
    )
    build = _variational if networks.kind == "vae" else _adversarial
    return build(settings, table, subject), networks


def build_networks(settings: GenerativeSettings, channels: int, section: str) -> GeneratorNetworks:
    """Freshly initialised networks. Raises ConfigError for options or a size they do not take."""
    width = 0 if settings.condition == "none" else CONDITION
    model = _model(settings, channels, settings.size, width, section)
    generator = ConditionedGenerator(model.generator, len(ALL_CLASSES) if width else 0, width)
    discriminator: nn.Module = nn.Module()
    encoder: nn.Module = NoEncoder()
    if model.kind == "vae":
        encoder = Encoder(model.trunk, model.latent, width)
        if settings.critic is not None:
            discriminator = _critic(settings, settings.critic, channels, section)
    else:
        discriminator = Discriminator(model.trunk, _head(settings, model.trunk, model.latent))
        if settings.bidirectional:
            twin = _model(settings, channels, settings.size, width, section)
            encoder = Encoder(twin.trunk, model.latent, width)
    if settings.initialise != "default":
        for module in (generator, encoder, discriminator):
            INITIALISATIONS[settings.initialise](module)
    return GeneratorNetworks(model.kind, model.latent, LatentGenerator(generator, encoder), discriminator)


def check_networks(settings: GenerativeSettings, channels: int, section: str) -> None:
    """Raises what ``generative_game`` would for these settings, without their weights."""
    with torch.device("meta"):
        networks = build_networks(settings, channels, section)
    _ = ADVERSARIAL[settings.adversarial]
    _refuse_idle(settings, networks.kind, section)


_NETWORK = ("model", "options", "size", "condition", "latent_optimisation", "output")


def network_of(settings: GenerativeSettings) -> dict[str, Any]:
    """What of the settings a later load needs to build the networks and their prior."""
    return settings.model_dump(mode="json", include=set(_NETWORK))


def network_in(about: dict[str, Any]) -> dict[str, Any]:
    """The same, out of a model's description. Raises KeyError where it is no such model's."""
    return {key: about[key] for key in _NETWORK[:-1]} | {key: about[key] for key in _NETWORK[-1:] if key in about}


def generator_of(settings: GenerativeSettings, channels: int, section: str) -> tuple[PictureModel, nn.Module]:
    """The generator alone, to load trained weights into."""
    width = 0 if settings.condition == "none" else CONDITION
    model = _model(settings, channels, settings.size, width, section)
    return model, ConditionedGenerator(model.generator, len(ALL_CLASSES) if width else 0, width)


def prior_of(settings: GenerativeSettings, latent: int) -> NormalPrior | UniformPrior:
    """The latents' distribution: LOGAN moves within a cube, so it draws from one."""
    return NormalPrior(latent) if settings.latent_optimisation is None else UniformPrior(latent)


def transfer(folder: Path, networks: GeneratorNetworks, frozen: int) -> None:
    """Starts from another run's networks: its generator, and its encoder and D where both runs have them.

    Raises CheckpointError where the folder holds no run, or one of other networks.
    """
    game = players_of(folder, "a mask or picture run")
    maker = game["G"]["module"]
    load_part(networks.maker.generator, maker, "generator.", folder)
    if any(name.startswith("encoder.") for name in maker) and _has_weights(networks.maker.encoder):
        load_part(networks.maker.encoder, maker, "encoder.", folder)
    weights = discriminator_of(game, folder, frozen)
    if weights is not None and _has_weights(networks.discriminator):
        load_part(networks.discriminator, weights, "", folder)


def _has_weights(module: nn.Module) -> bool:
    return next(module.parameters(), None) is not None


def _model(
    asked: GenerativeSettings | CriticSettings, channels: int, size: int, width: int, section: str
) -> PictureModel:
    build = PICTURE_MODELS[asked.model]
    try:
        model = build(channels, size, condition=width, **asked.options)
        if model.latent < 1:
            raise ValueError(f"{model.latent} dimensions of the latent")
        return model
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:  # a name, or a number, that cannot be
        raise ConfigError(f"{section}.options {asked.options} for {asked.model}: {error}") from error


def _critic(settings: GenerativeSettings, critic: CriticSettings, channels: int, section: str) -> nn.Module:
    idle = [f"{section}.critic.options.{name}" for name in _OF_GENERATORS if name in critic.options]
    if idle:
        raise ConfigError(f"{', '.join(idle)} set, but a critic has no generator", "options of D", "leave it out")
    model = _model(critic, channels, settings.size, 0, f"{section}.critic")
    return Discriminator(model.trunk, _head(settings, model.trunk, 0))


_OF_GENERATORS = ("latent", "spectral_generator")
"""Options of the models that their trunks do not read."""


def _head(settings: GenerativeSettings, trunk: Trunk, latent: int) -> nn.Module:
    spectral = trunk.spectral
    if settings.bidirectional:
        return JointHead(trunk.features, latent, settings.condition == "class", spectral=spectral)
    heads = {"none": LinearHead, "class": ProjectionHead, "auxiliary": AuxiliaryHead}
    head: nn.Module = heads[settings.condition](trunk.features, spectral=spectral)
    return head


def _freeze(discriminator: nn.Module, count: int, section: str) -> None:
    if not count:
        return
    assert isinstance(discriminator, Discriminator)
    blocks: Any = discriminator.trunk.blocks
    freeze([blocks], count, f"{section}.freeze_d")


def _refiner(settings: GenerativeSettings) -> Refiner:
    asked = settings.latent_optimisation
    return unrefined if asked is None else LatentOptimisation(asked.alpha, asked.beta, asked.share, asked.steps)


def _view(settings: GenerativeSettings, fill: Tensor) -> View:
    return DiffAugment(settings.diffaugment, fill) if settings.diffaugment else unchanged


def _adversarial(settings: GenerativeSettings, table: GameNetworks, subject: PictureKind) -> Game:
    del subject
    losses = ADVERSARIAL[settings.adversarial]
    ours = terms.adversarial_joint(losses) if settings.bidirectional else terms.adversarial_g(losses)
    g = _player("G", table.maker, [ours, *_generator_terms(settings, table)], settings)
    d = _player("D", table.discriminator, _discriminator_terms(settings, table), settings)
    move = moves.joint_forward if settings.bidirectional else moves.generator_forward
    return Game((d,) * settings.d_steps + (g,), {"D": moves.discriminator_forward(table), "G": move(table)})


def _variational(settings: GenerativeSettings, table: GameNetworks, subject: PictureKind) -> Game:
    own = [subject.likelihood, terms.kl_term(settings.kl_weight)]
    if settings.orthogonal:
        own.append(terms.orthogonal_term(settings.orthogonal, table.maker))
    critic = settings.critic
    if critic is None:
        return Game((_player("G", table.maker, own, settings),), {"G": moves.variational_forward(table)})
    own.append(terms.criticism(ADVERSARIAL[settings.adversarial], critic.weight))
    g = _player("G", table.maker, own, settings)
    d = _player("D", table.discriminator, _discriminator_terms(settings, table), settings)
    forwards = {"D": moves.critic_forward(table, critic.noise), "G": moves.criticised_forward(table, critic.noise)}
    return Game((d,) * settings.d_steps + (g,), forwards)


def _discriminator_terms(settings: GenerativeSettings, table: GameNetworks) -> list[Term]:
    optional = [
        (settings.gradient_penalty, lambda: terms.gradient_penalty_term(settings.gradient_penalty)),
        (settings.r1, lambda: terms.r1_term(settings.r1, settings.r1_every)),
        (settings.lecam, lambda: terms.lecam_term(settings.lecam)),
        (settings.condition == "auxiliary", lambda: terms.auxiliary_d(settings.auxiliary)),
        (settings.orthogonal, lambda: terms.orthogonal_term(settings.orthogonal, table.discriminator)),
    ]  # fmt: skip
    return [terms.adversarial_d(ADVERSARIAL[settings.adversarial]), *_wanted(optional), *_move_terms(settings)]


def _generator_terms(settings: GenerativeSettings, table: GameNetworks) -> list[Term]:
    optional = [
        (settings.condition == "auxiliary", lambda: terms.auxiliary_g(settings.auxiliary)),
        (settings.orthogonal, lambda: terms.orthogonal_term(settings.orthogonal, table.maker)),
    ]  # fmt: skip
    return [*_wanted(optional), *_move_terms(settings)]


def _move_terms(settings: GenerativeSettings) -> list[Term]:
    asked = settings.latent_optimisation
    return [] if asked is None else [terms.latent_moves_term(asked.weight)]


def _wanted(optional: list[tuple[Any, Callable[[], Term]]]) -> list[Term]:
    return [build() for weight, build in optional if weight]


def _player(name: str, module: nn.Module, own: list[Term], settings: GenerativeSettings) -> Player:
    optim = settings.optim_d if name == "D" else settings.optim
    return Player(
        name, module, own, adam(module.parameters(), optim.adam), constant,
        microbatches=settings.microbatches, clip=settings.clip or float("inf"),
    )  # fmt: skip


_OF_D = (
    "adversarial", "optim_d", "d_steps", "diffaugment", "lecam", "r1", "r1_every", "gradient_penalty", "freeze_d",
)  # fmt: skip
_OF_GANS = ("latent_optimisation", "bidirectional")


def _refuse_idle(settings: GenerativeSettings, kind: str, section: str) -> None:
    """Raises ConfigError for an option that was changed although this kind of model does not read it."""
    unread: tuple[str, ...] = ("kl_weight", "critic")
    if kind == "vae":
        unread = _OF_GANS if settings.critic is not None else (*_OF_GANS, *_OF_D)
    fields = type(settings).model_fields
    idle = [f"{section}.{name}" for name in unread if getattr(settings, name) != fields[name].get_default()]
    if kind == "vae" and settings.condition == "auxiliary":
        idle.append(f"{section}.condition=auxiliary")
    if idle:
        raise ConfigError(
            f"{', '.join(idle)} set, but {settings.model} is a {kind} and does not read it", "settings with an effect",
            f"leave it out, or choose another {section}.model"
            + (" (a VAE reads those of D where it has a critic)" if kind == "vae" else ""),
        )  # fmt: skip
