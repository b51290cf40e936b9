"""Techniques of a game: one file each, with its settings, its formula, what it adds to a game and what it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from augkit.core.needs import Need
from augkit.core.registry import Registry
from augkit.core.section import Section
from augkit.gan.players import Term
from augkit.gan.slots import Refiner, View
from augkit.losses.adversarial import AdversarialPair


class Technique(Section):
    """One technique: its settings as fields, and what it adds to a game where they turn it on.

    The fields become keys of the settings whose ``section`` it names; a field that such a section has itself is read
    there. The methods are the slots; what a technique does not fill stays as the game has it.
    """

    section: ClassVar[str]
    """``start`` (runs that may start from another), ``latent`` (pictures from latents), ``image`` or ``paint``."""
    example: ClassVar[Mapping[str, Any]]
    """Settings that turn it on, as one would write them."""
    place: ClassVar[int] = 1000
    """Among the keys of its section and among the terms of a player; what has none comes last, by name. The file that
    names a model, and sums of floats, depend on it: whoever changes it changes what equal settings give."""
    drawn_with: ClassVar[bool] = False
    """Whether who draws from the trained model must know these settings too."""
    gives: ClassVar[frozenset[Need]] = frozenset()
    """What other techniques and losses may count on where this one is used."""

    @property
    def on(self) -> bool:
        """Whether it is used: unless told otherwise, whether its first key is neither 0 nor empty."""
        return bool(getattr(self, next(iter(type(self).model_fields))))

    @property
    def asked(self) -> str:
        """What of the settings turns it on, for messages."""
        return next(iter(type(self).model_fields))

    @property
    def needs(self) -> tuple[Need, ...]:
        """What the networks and the game have to give, the more basic first."""
        return ()

    def faults(self) -> Iterator[str]:
        """What of its settings makes no sense together."""
        yield from ()

    def head(self, features: int, latent: int, spectral: bool) -> nn.Module | None:
        """D's head in place of the game's (see ``augkit.models.conditioning``)."""
        del features, latent, spectral
        return None

    @property
    def joint(self) -> bool:
        """Whether an encoder is trained with G, and G's turn shows D the real pictures with their codes as well."""
        return False

    @property
    def embedding(self) -> int | None:
        """How many numbers D says of each patch in place of one score."""
        return None

    def adversarial_term(self, player: str, pair: AdversarialPair) -> Term | None:
        """The adversarial loss of ``D`` or ``G`` in place of the pair's."""
        del player, pair
        return None

    def terms(self, player: str, module: nn.Module) -> Sequence[Term]:
        """What is added to the loss of the player ``D`` or ``G``, who trains ``module``."""
        del player, module
        return ()

    def refiner(self) -> Refiner | None:
        """What happens to latents before G sees them."""
        return None

    def view(self, fill: Tensor) -> View | None:
        """What D sees of pictures; ``fill`` (C,) is what enters where a picture has a gap."""
        del fill
        return None

    def freeze(self, stacks: Sequence[Sequence[nn.Module]]) -> None:
        """Takes parameters from D, whose blocks ``stacks`` are, one stack a scale, each from its input on."""
        del stacks


TECHNIQUES: Registry[type[Technique]] = Registry("technique", "augkit.gan.techniques")
