"""Generators of pictures from latents: the networks and the players that the settings ask for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from augkit.core.classes import ALL_CLASSES
from augkit.core.errors import ConfigError
from augkit.core.needs import DISCRIMINATOR, DRAWN_LATENTS, TRAINED_D, Need, match
from augkit.gan import latent_game as forwards
from augkit.gan import terms
from augkit.gan.game import Game
from augkit.gan.image_tensors import Output, Show
from augkit.gan.latent_game import GameNetworks, LatentGenerator, NoEncoder
from augkit.gan.latents import NormalPrior, UniformPrior
from augkit.gan.players import Player, Term
from augkit.gan.slots import Unrefined
from augkit.gan.technique_set import TechniqueSet
from augkit.losses.adversarial import ADVERSARIAL
from augkit.models.conditioning import (
    CONDITION,
    ConditionedGenerator,
    Discriminator,
    Encoder,
    LinearHead,
    ProjectionHead,
)
from augkit.models.initialise import INITIALISATIONS
from augkit.models.registries import PICTURE_MODELS, PictureModel, Trunk
from augkit.settings import CriticSettings, GenerativeSettings
from augkit.train.optim import adam, constant
from augkit.train.transfer import discriminator_of, load_part, players_of


@dataclass(frozen=True)
class PictureKind:
    """What the pictures are of: ``channels`` of a picture, G's activation, how real batches are shown, what fills a
    picture's gaps, the likelihood that a VAE maximises, and what techniques may count on."""

    channels: int
    output: Output
    show: Show
    fill: Tensor
    likelihood: Term
    gives: frozenset[Need] = frozenset()


@dataclass(frozen=True)
class GeneratorNetworks:
    """``discriminator`` is an empty module where the game has none; ``gives`` is what techniques may count on."""

    kind: str
    latent: int
    learner: LatentGenerator
    discriminator: nn.Module
    gives: frozenset[Need]

    def parameters(self) -> dict[str, int]:
        """How many the generator (a VAE's decoder) and its opponent (D, or a VAE's encoder) have."""
        opponent = self.learner.encoder if self.kind == "vae" else self.discriminator
        parts = {"G": self.learner.generator, "D": opponent}
        return {name: sum(p.numel() for p in module.parameters()) for name, module in parts.items()}


def generative_game(
    settings: GenerativeSettings, subject: PictureKind, section: str, device: torch.device
) -> tuple[Game, GeneratorNetworks]:
    """The game that the settings ask for. Raises ConfigError for settings that no network takes or that do nothing.

    ``section`` is the settings' name, for messages.
    """
    built = build_networks(settings, subject.channels, section)
    _refuse_idle(settings, built.kind, section)
    techniques = TechniqueSet.of(settings, section)
    started = settings.init_from is not None and transfer(Path(settings.init_from), built)
    _match(settings, techniques, built.gives | subject.gives | ({TRAINED_D} if started else set()))
    for module in (built.learner, built.discriminator):
        module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if isinstance(built.discriminator, Discriminator):
        techniques.freeze(built.discriminator.stacks)
    refiner = techniques.refiner()
    networks = GameNetworks(
        built.learner,
        built.discriminator,
        refiner.prior(built.latent).batch,
        subject.output,
        subject.show,
        refiner,
        techniques.view(subject.fill),
    )
    build = _variational if built.kind == "vae" else _adversarial
    return build(settings, networks, subject, techniques), built


def build_networks(settings: GenerativeSettings, channels: int, section: str) -> GeneratorNetworks:
    """Freshly initialised networks. Raises ConfigError for options or a size they do not take."""
    width = 0 if settings.condition == "none" else CONDITION
    model = _model(settings, channels, settings.size, width, section)
    generator = ConditionedGenerator(model.generator, len(ALL_CLASSES) if width else 0, width)
    discriminator: nn.Module = nn.Module()
    encoder: nn.Module = NoEncoder()
    gives: frozenset[Need] = frozenset()
    techniques = TechniqueSet.of(settings, section)
    if model.kind == "vae":
        encoder = Encoder(model.trunk, model.latent, width)
        if settings.critic is not None:
            discriminator = _critic(settings, settings.critic, channels, section)
    else:
        discriminator = _discriminator(settings, model.trunk, model.latent, techniques)
        gives |= {DRAWN_LATENTS}
        if techniques.joint:
            twin = _model(settings, channels, settings.size, width, section)
            encoder = Encoder(twin.trunk, model.latent, width)
    if settings.initialise != "default":
        for module in (generator, encoder, discriminator):
            INITIALISATIONS[settings.initialise](module)
    if isinstance(discriminator, Discriminator):
        gives |= discriminator.gives
    return GeneratorNetworks(model.kind, model.latent, LatentGenerator(generator, encoder), discriminator, gives)


def check_networks(settings: GenerativeSettings, channels: int, gives: frozenset[Need], section: str) -> None:
    """Raises what ``generative_game`` would, without the networks' weights. ``gives``: see ``PictureKind``."""
    with torch.device("meta"):
        built = build_networks(settings, channels, section)
    _refuse_idle(settings, built.kind, section)
    started = settings.init_from is not None and DISCRIMINATOR in built.gives
    _match(settings, TechniqueSet.of(settings, section), built.gives | gives | ({TRAINED_D} if started else set()))


_NETWORK = ("model", "options", "size", "condition")


def network_of(settings: GenerativeSettings) -> dict[str, Any]:
    """What of the settings a later load needs to build the networks and their prior."""
    return settings.model_dump(mode="json", include={*_NETWORK, *_drawn_with(settings), "output"})


def network_in(about: dict[str, Any], kind: type[GenerativeSettings]) -> dict[str, Any]:
    """The same, out of a model's description. Raises KeyError where it is no such model's."""
    return {key: about[key] for key in _NETWORK} | {
        key: about[key] for key in (*_drawn_with(kind), "output") if key in about
    }


def _drawn_with(settings: GenerativeSettings | type[GenerativeSettings]) -> list[str]:
    return [key for kind in settings.kinds if kind.drawn_with for key in kind.model_fields]


def generator_of(settings: GenerativeSettings, channels: int, section: str) -> tuple[PictureModel, nn.Module]:
    """The generator alone, to load trained weights into."""
    width = 0 if settings.condition == "none" else CONDITION
    model = _model(settings, channels, settings.size, width, section)
    return model, ConditionedGenerator(model.generator, len(ALL_CLASSES) if width else 0, width)


def prior_of(settings: GenerativeSettings, latent: int) -> NormalPrior | UniformPrior:
    """The latents' distribution, in training and in sampling."""
    return TechniqueSet.of(settings, "").refiner().prior(latent)


def transfer(folder: Path, networks: GeneratorNetworks) -> bool:
    """Starts from another run's networks: its generator, and its encoder and D where both runs have them.

    Returns whether D starts from there. Raises CheckpointError where the folder holds no run, or one of other networks.
    """
    game = players_of(folder, "a mask or picture run")
    learner = game["G"]["module"]
    load_part(networks.learner.generator, learner, "generator.", folder)
    if any(name.startswith("encoder.") for name in learner) and _has_weights(networks.learner.encoder):
        load_part(networks.learner.encoder, learner, "encoder.", folder)
    weights = discriminator_of(game)
    if weights is None or not _has_weights(networks.discriminator):
        return False
    load_part(networks.discriminator, weights, "", folder)
    return True


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


def _critic(settings: GenerativeSettings, critic: CriticSettings, channels: int, section: str) -> Discriminator:
    idle = [f"{section}.critic.options.{name}" for name in _OF_GENERATORS if name in critic.options]
    if idle:
        raise ConfigError(f"{', '.join(idle)} set, but a critic has no generator", "options of D", "leave it out")
    model = _model(critic, channels, settings.size, 0, f"{section}.critic")
    return _discriminator(settings, model.trunk, 0, TechniqueSet.of(settings, section))


_OF_GENERATORS = ("latent", "spectral_generator")
"""Options of the models that their trunks do not read."""


def _discriminator(settings: GenerativeSettings, trunk: Trunk, latent: int, techniques: TechniqueSet) -> Discriminator:
    head = techniques.head(trunk.features, latent, trunk.spectral)
    if head is None:
        head = (LinearHead if settings.condition == "none" else ProjectionHead)(trunk.features, spectral=trunk.spectral)
    return Discriminator(trunk, head)


def _match(settings: GenerativeSettings, techniques: TechniqueSet, gives: frozenset[Need]) -> None:
    """Raises ConfigError where a technique or the loss needs what neither networks nor techniques give."""
    needs = techniques.needs()
    if DISCRIMINATOR in gives:
        loss = {f"{techniques.section}.adversarial={settings.adversarial}": ADVERSARIAL[settings.adversarial].needs}
        needs = loss | needs
    critic = settings.critic
    networks = settings.model if critic is None else f"{settings.model} with the critic {critic.model}"
    match(needs, gives | techniques.gives(), networks)


def _adversarial(
    settings: GenerativeSettings, networks: GameNetworks, subject: PictureKind, techniques: TechniqueSet
) -> Game:
    del subject
    pair = ADVERSARIAL[settings.adversarial]
    own = [techniques.adversarial_term("G", pair, terms.adversarial_g(pair))]
    g = _player("G", networks.learner, own, settings, techniques)
    d = _opponent(settings, networks, techniques)
    turns = (d,) * settings.d_steps + (g,)
    if techniques.joint:
        return Game(turns, {"D": forwards.discriminator_forward(networks), "G": forwards.joint_forward(networks)})
    once = settings.d_steps == 1 and isinstance(networks.refine, Unrefined)  # or G's pictures are not those of D's turn
    fakes = forwards.LatentFakes(networks) if once else None
    by_player = {
        "D": forwards.discriminator_forward(networks, fakes),
        "G": forwards.generator_forward(networks, fakes),
    }
    return Game(turns, by_player, shared=(g,) if once else ())


def _variational(
    settings: GenerativeSettings, networks: GameNetworks, subject: PictureKind, techniques: TechniqueSet
) -> Game:
    own, critic = [subject.likelihood, terms.kl_term(settings.kl_weight)], settings.critic
    if critic is None:
        g = _player("G", networks.learner, own, settings, techniques)
        return Game((g,), {"G": forwards.variational_forward(networks)})
    own.append(terms.adversarial_g(ADVERSARIAL[settings.adversarial], critic.weight))
    g = _player("G", networks.learner, own, settings, techniques)
    d = _opponent(settings, networks, techniques)
    by_player = {
        "D": forwards.critic_forward(networks, critic.noise),
        "G": forwards.criticised_forward(networks, critic.noise),
    }
    return Game((d,) * settings.d_steps + (g,), by_player)


def _opponent(settings: GenerativeSettings, networks: GameNetworks, techniques: TechniqueSet) -> Player:
    pair = ADVERSARIAL[settings.adversarial]
    own = [techniques.adversarial_term("D", pair, terms.adversarial_d(pair))]
    return _player("D", networks.discriminator, own, settings, techniques)


def _player(
    name: str, module: nn.Module, own: list[Term], settings: GenerativeSettings, techniques: TechniqueSet
) -> Player:
    optim = settings.optim_d if name == "D" else settings.optim
    return Player(
        name, module, own + techniques.terms(name, module), adam(module.parameters(), optim.adam), constant,
        microbatches=settings.microbatches, clip=settings.clip or float("inf"),
    )  # fmt: skip


_OF_D = ("adversarial", "optim_d", "d_steps")
_OF_VAES = ("kl_weight", "critic")


def _refuse_idle(settings: GenerativeSettings, kind: str, section: str) -> None:
    """Raises ConfigError for an option that was changed although this kind of model does not read it."""
    unread = _OF_VAES if kind == "gan" else _OF_D if settings.critic is None else ()
    fields = type(settings).model_fields
    idle = [f"{section}.{name}" for name in unread if getattr(settings, name) != fields[name].get_default()]
    if idle:
        raise ConfigError(
            f"{', '.join(idle)} set, but {settings.model} is a {kind} and does not read it", "settings with an effect",
            f"leave it out, or choose another {section}.model"
            + (" (a VAE reads those of D where it has a critic)" if kind == "vae" else ""),
        )  # fmt: skip
