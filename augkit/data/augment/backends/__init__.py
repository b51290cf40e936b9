"""Who moves the pixels: one file a library, all with the same names of transforms in presets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from augkit.core.presets import LABEL_STEPS, Step
from augkit.core.registry import Registry

if TYPE_CHECKING:
    from augkit.data.augment.steps import Step as PairStep

OWN = ("Flip", "Background", *LABEL_STEPS)
"""Steps that no backend makes: they know parts, landscapes, or move the mask alone."""

PixelBackend: TypeAlias = "Callable[[Sequence[Step], str], PairStep]"
"""(transforms of a preset in a row, the preset's name) -> one step that moves photo, mask and silhouette alike, masks
by the nearest pixel, mirrored at the border. Raises ConfigError for what there is not and for what spoils a pair."""

PIXEL_BACKENDS: Registry[PixelBackend] = Registry("augmentation backend", "augkit.data.augment.backends")
