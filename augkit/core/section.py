"""What typed settings are made of: sections, and the kinds of numbers in them. Every number has two bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MOST = 10**9
"""Of steps, pairs and the like: years of work, and far from what 32 bits hold."""
LARGEST = 1e6
"""Of weights and rates."""

Size = Annotated[int, Field(ge=16, le=1024, multiple_of=16)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Decay = Annotated[float, Field(ge=0.0, lt=1.0)]
Positive = Annotated[float, Field(gt=0.0, le=LARGEST)]
Count = Annotated[int, Field(ge=1, le=MOST)]
CountOrZero = Annotated[int, Field(ge=0, le=MOST)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Weight = Annotated[float, Field(ge=0.0, le=LARGEST)]
"""Of a loss among a player's; 0 leaves it out."""


def _numbers(tree: Any) -> Iterator[float]:
    if isinstance(tree, dict | list | tuple):
        for item in tree.values() if isinstance(tree, dict) else tree:
            yield from _numbers(item)
    elif isinstance(tree, int | float):
        yield tree


def _bounded(options: dict[str, Any]) -> dict[str, Any]:
    if not all(-LARGEST <= number <= LARGEST for number in _numbers(options)):
        raise ValueError(f"a number beyond {-LARGEST:g} .. {LARGEST:g}")
    return options


NetworkOptions = Annotated[dict[str, Any], AfterValidator(_bounded)]
"""Of a network, whose builder knows their names."""


class Section(BaseModel):
    """Base of every part of the settings: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
