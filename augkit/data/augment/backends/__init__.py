"""Who moves the pixels: one file a library, all with the same names of transforms in presets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from pydantic import ValidationError

from augkit.core.errors import ConfigError
from augkit.core.presets import LABEL_STEPS, MIXING_STEPS, Step
from augkit.core.registry import Registry
from augkit.core.section import Section
from augkit.core.typed import faults_of

if TYPE_CHECKING:
    from augkit.data.augment.steps import Step as PairStep

_Options = TypeVar("_Options", bound=Section)

OWN = ("Flip", "Background", *LABEL_STEPS, *MIXING_STEPS)
"""Steps that no backend makes: they know parts, landscapes or other pairs, or move the mask alone."""

PixelBackend: TypeAlias = "Callable[[Sequence[Step], str], PairStep]"
"""(transforms of a preset in a row, the preset's name) -> one step that moves photo, mask and silhouette alike, masks
by the nearest pixel, mirrored at the border. Raises ConfigError for what there is not and for what spoils a pair."""

PIXEL_BACKENDS: Registry[PixelBackend] = Registry("augmentation backend", "augkit.data.augment.backends")


def options_of(kind: type[_Options], arguments: dict[str, Any], place: str) -> _Options:
    """A transform's arguments as its options. Raises ConfigError."""
    try:
        return kind.model_validate(arguments)
    except ValidationError as error:
        expected = "arguments among " + ", ".join(kind.model_fields)
        raise ConfigError(f"{place}: {faults_of(error)}", expected, "see docs/augmentation.md") from error
