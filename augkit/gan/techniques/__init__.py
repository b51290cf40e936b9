"""Techniques of a game: one file each, with its settings, its formula, what it adds to a game and what it needs.

The settings read these files, and a command that only refuses its words must not wait for torch: it is imported where
something is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from augkit.core.needs import Need
from augkit.core.technique_settings import TECHNIQUES, TechniqueSettings

if TYPE_CHECKING:
    from torch import Tensor, nn

    from augkit.gan.players import Term
    from augkit.gan.slots import Refiner, View
    from augkit.losses.adversarial import AdversarialPair

__all__ = ["TECHNIQUES", "Technique"]


class Technique(TechniqueSettings):
    """One technique: its settings, and what it adds to a game where they turn it on.

    The methods are the slots; what a technique does not fill stays as the game has it.
    """

    gives: ClassVar[frozenset[Need]] = frozenset()
    """What other techniques and losses may count on where this one is used."""

    @property
    def needs(self) -> tuple[Need, ...]:
        """What the networks and the game have to give, the more basic first."""
        return ()

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
