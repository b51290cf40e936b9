"""Techniques as the settings know them: keys of a section. What they do in a game, ``augkit.gan.techniques`` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self, TypeVar

from pydantic import create_model, model_validator

from augkit.core.errors import RegistryError
from augkit.core.registry import Registry
from augkit.core.section import Section


class TechniqueSettings(Section):
    """The settings of one technique. Its fields become keys of the settings whose ``section`` it names; a field that
    such a section has itself is read there."""

    section: ClassVar[str]
    """``start`` (runs that may start from another), ``latent`` (pictures from latents), ``image`` or ``paint``."""
    example: ClassVar[Mapping[str, Any]]
    """Settings that turn it on, as one would write them."""
    place: ClassVar[int] = 1000
    """Among the keys of its section and among the terms of a player; what has none comes last, by name. The file that
    names a model, and sums of floats, depend on it: whoever changes it changes what equal settings give."""
    drawn_with: ClassVar[bool] = False
    """Whether who draws from the trained model must know these settings too."""

    @property
    def on(self) -> bool:
        """Whether it is used: unless told otherwise, whether its first key is neither 0 nor empty."""
        return bool(getattr(self, next(iter(type(self).model_fields))))

    @property
    def asked(self) -> str:
        """What of the settings turns it on, for messages."""
        return next(iter(type(self).model_fields))

    def faults(self) -> Iterator[str]:
        """What of its settings makes no sense together."""
        yield from ()


TECHNIQUES: Registry[type[TechniqueSettings]] = Registry("technique", "augkit.gan.techniques")


class TechniqueSection(Section):
    """Settings with the keys of techniques, which ``with_techniques`` puts there."""

    kinds: ClassVar[tuple[type[TechniqueSettings], ...]] = ()

    def techniques(self) -> Iterator[TechniqueSettings]:
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


def _place(kind: type[TechniqueSettings]) -> tuple[int, str]:
    return kind.place, kind.__name__
