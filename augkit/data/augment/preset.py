"""From a preset's words to its steps. What could spoil a mask is refused here, before anything is trained on it."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from augkit.core.errors import ConfigError
from augkit.core.parts import PartSchema
from augkit.core.presets import LABEL_COARSEN, LABEL_WARP, Recipe
from augkit.core.section import Positive, Section, Share, Weight
from augkit.data.augment.backends import OWN, PIXEL_BACKENDS, options_of
from augkit.data.augment.background import Background, landscapes_in
from augkit.data.augment.steps import Flip, LabelCoarsen, LabelWarp, Step
from augkit.data.part_name_faults import require_counterparts


class _FlipOptions(Section):
    p: Share = 0.5


class _BackgroundOptions(Section):
    folder: str = ""
    p: Share = 0.5
    edge: Weight = 1.5


class _LabelWarpOptions(Section):
    alpha: Positive = 40.0
    sigma: Positive = 6.0
    p: Share = 0.5


class _LabelCoarsenOptions(Section):
    side: Annotated[int, Field(ge=16, le=1024)] = 64
    p: Share = 0.5


def build_steps(recipe: Recipe, schema: PartSchema, backgrounds: Path | None = None) -> tuple[Step, ...]:
    """The steps of a preset; neighbours that move pixels become one.

    Raises ConfigError for a name or an argument that there is not, and for what changes the size or type of a picture
    or makes ids that the mask did not hold; SchemaError for a flip of parts of one side without a counterpart.
    """
    steps: list[Step] = []
    for own, group in groupby(recipe.steps, lambda step: step[0] in OWN):
        named = list(group)
        if own:
            steps += [_own(name, arguments, recipe, schema, backgrounds) for name, arguments in named]
        else:
            steps.append(PIXEL_BACKENDS[recipe.backend](named, recipe.name))
    return tuple(steps)


def _own(name: str, arguments: dict[str, Any], recipe: Recipe, schema: PartSchema, backgrounds: Path | None) -> Step:
    place = f"{recipe.name}: {name}"
    if name == "Flip":
        p = options_of(_FlipOptions, arguments, place).p
        if p:
            require_counterparts(schema, place, "choose a preset without Flip")
        return Flip(schema, p)
    if name == LABEL_WARP:
        warp = options_of(_LabelWarpOptions, arguments, place)
        return LabelWarp(PIXEL_BACKENDS[recipe.backend]([("ElasticTransform", warp.model_dump())], recipe.name))
    if name == LABEL_COARSEN:
        coarsen = options_of(_LabelCoarsenOptions, arguments, place)
        return LabelCoarsen(coarsen.side, coarsen.p)
    given = options_of(_BackgroundOptions, arguments, place)
    folder = recipe.folder / Path(given.folder).expanduser() if given.folder else backgrounds
    if folder is None:
        raise ConfigError(f"{place}: no folder of landscapes", "`Background: {folder: DIR}`", "name one")
    return Background(landscapes_in(folder), given.p, given.edge)
