"""Techniques in the settings, and those that a run's settings turn on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

from pydantic import create_model, model_validator
from torch import Tensor, nn

from augkit.core.errors import ConfigError, RegistryError
from augkit.core.needs import Need
from augkit.core.section import Section
from augkit.gan.players import Term
from augkit.gan.slots import Refiner, Unrefined, Views
from augkit.gan.techniques import TECHNIQUES, Technique
from augkit.losses.adversarial import AdversarialPair


class TechniqueSection(Section):
    """Settings with the keys of techniques, which ``with_techniques`` puts there."""

    kinds: ClassVar[tuple[type[Technique], ...]] = ()

    def techniques(self) -> Iterator[Technique]:
        """All that the section has keys of, on or off, in their order."""
        for kind in self.kinds:
            yield kind(**{key: getattr(self, key) for key in kind.model_fields})

    def clashes(self) -> Iterator[str]:
        """What of the section's own makes no sense together."""
        yield from ()

    @model_validator(mode="after")
    def _refuse_clashes(self) -> Self:
        faults = [*self.clashes(), *(fault for technique in self.techniques() for fault in technique.faults())]
        if faults:
            raise ValueError("; ".join(faults))
        return self


S = TypeVar("S", bound=TechniqueSection)
T = TypeVar("T")


def with_techniques(section: str) -> Callable[[type[S]], type[S]]:
    """Decorator that adds the keys of all techniques of a section behind the class's own.

    To a type checker the class stays what it is: only a technique reads its keys.
    """

    def add(base: type[S]) -> type[S]:
        every = [TECHNIQUES[name] for name in TECHNIQUES]
        kinds = sorted((kind for kind in every if kind.section == section), key=_place)
        keys: dict[str, Any] = {}
        for kind in kinds:
            new = {key: (field.annotation, field) for key, field in kind.model_fields.items()}
            if taken := keys.keys() & new.keys():
                raise RegistryError(f"{kind.__name__}: another technique has the key {min(taken)}", "a key of its own")
            keys |= {key: field for key, field in new.items() if key not in base.model_fields}
        composed = create_model(base.__name__, __base__=base, __module__=base.__module__, __doc__=base.__doc__, **keys)
        composed.kinds = (*base.kinds, *kinds)
        return composed

    return add


def _place(kind: type[Technique]) -> tuple[int, str]:
    return kind.place, kind.__name__


@dataclass(frozen=True)
class TechniqueSet:
    """The techniques that the settings turn on, in their order; ``section`` is the settings' name, for messages."""

    section: str
    chosen: tuple[Technique, ...] = ()

    @classmethod
    def of(cls, settings: TechniqueSection, section: str) -> TechniqueSet:
        """Those of a section."""
        return cls(section, tuple(technique for technique in settings.techniques() if technique.on))

    def needs(self) -> dict[str, tuple[Need, ...]]:
        """What each needs, by the setting that turns it on."""
        return {f"{self.section}.{technique.asked}": technique.needs for technique in self.chosen}

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
