"""Section of ``augkit evaluate utility``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from augkit.core.errors import ConfigError
from augkit.core.presets import NO_LABEL_WARP, absolute_recipe, load_recipe
from augkit.core.section import Positive, Section

_Some = Field(min_length=1, max_length=20)


class UtilitySettings(Section):
    """What ``--tune`` tries for every arm, all of them alike."""

    presets: Annotated[tuple[str, ...], _Some] = ("none", "flip", "mild", "strong")
    """In place of ``segmenter.augment``, in arms that are augmented classically; the others have ``flip``."""
    lr_factors: Annotated[tuple[Positive, ...], _Some] = (1.0, 1 / 3, 3.0)
    """Of ``segmenter.optim.lr`` and ``segmenter.encoder_lr``."""
    lengths: Annotated[tuple[Positive, ...], _Some] = (1.0, 2.0)
    """Factors of the number of steps."""
    search: Literal["grid", "lines"] = "grid"
    """``grid``: all combinations; ``lines``: presets first, then rates with the best preset, then lengths."""

    @field_validator("presets")
    @classmethod
    def _read(cls, presets: tuple[str, ...]) -> tuple[str, ...]:
        for preset in presets:
            try:
                recipe = load_recipe(preset)
            except ConfigError as error:
                raise ValueError(str(error)) from error
            if recipe.warps_labels:
                raise ValueError(NO_LABEL_WARP)
        return tuple(map(absolute_recipe, presets))
