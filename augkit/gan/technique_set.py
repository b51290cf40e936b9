"""The techniques that a run's settings turn on, and what they put into its slots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor, nn

from augkit.core.errors import ConfigError
from augkit.core.needs import Need
from augkit.core.technique_settings import TechniqueSection
from augkit.gan.players import Term
from augkit.gan.slots import Refiner, Unrefined, Views
from augkit.gan.techniques import Technique
from augkit.losses.adversarial import AdversarialPair

T = TypeVar("T")


@dataclass(frozen=True)
class TechniqueSet:
    """The techniques that the settings turn on, in their order; ``section`` is the settings' name, for messages."""

    section: str
    chosen: tuple[Technique, ...] = ()

    @classmethod
    def of(cls, settings: TechniqueSection, section: str) -> TechniqueSet:
        """Those of a section."""
        found = (technique for technique in settings.techniques() if technique.on)
        return cls(section, tuple(technique for technique in found if isinstance(technique, Technique)))

    def needs(self) -> dict[str, tuple[Need, ...]]:
        """What each needs, by the setting that turns it on."""
        return {f"{self.section}.{technique.asked}": technique.needs for technique in self.chosen}

    def need(self, need: Need) -> bool:
        """Whether any of them does."""
        return any(need in own for own in self.needs().values())

    def gives(self) -> frozenset[Need]:
        """What they give to others."""
        return frozenset(given for technique in self.chosen for given in technique.gives)

    @property
    def joint(self) -> bool:
        """See ``Technique.joint``."""
        return any(technique.joint for technique in self.chosen)

    def head(self, features: int, latent: int, spectral: bool) -> nn.Module | None:
        """D's head, where one of them brings it. Raises ConfigError where two do."""
        return self._only("a head of D", lambda technique: technique.head(features, latent, spectral))

    @property
    def embedding(self) -> int:
        """How many numbers D says of each patch."""
        return self._only("numbers of a patch", lambda technique: technique.embedding) or 1

    def adversarial_term(self, player: str, pair: AdversarialPair, otherwise: Term) -> Term:
        """The adversarial term of a player. Raises ConfigError where two techniques bring one."""
        found = self._only("an adversarial loss", lambda technique: technique.adversarial_term(player, pair))
        return found or otherwise

    def terms(self, player: str, module: nn.Module) -> list[Term]:
        """The terms that they add to a player's."""
        return [term for technique in self.chosen for term in technique.terms(player, module)]

    def refiner(self) -> Refiner:
        """What happens to latents. Raises ConfigError where two techniques move them."""
        return self._only("moves of the latents", lambda technique: technique.refiner()) or Unrefined()

    def view(self, fill: Tensor) -> Views:
        """What D sees, through one view after the other."""
        views = (technique.view(fill) for technique in self.chosen)
        return Views(tuple(view for view in views if view is not None))

    def freeze(self, stacks: Sequence[Sequence[nn.Module]]) -> None:
        """Takes from D's blocks what is not to be trained."""
        for technique in self.chosen:
            technique.freeze(stacks)

    def _only(self, slot: str, fill: Callable[[Technique], T | None]) -> T | None:
        found = [(technique.asked, filled) for technique in self.chosen if (filled := fill(technique)) is not None]
        if len(found) > 1:
            names = " and ".join(f"{self.section}.{asked}" for asked, _ in found)
            raise ConfigError(f"{names} set: each brings {slot} of its own", "one of them", "leave the others out")
        return found[0][1] if found else None
