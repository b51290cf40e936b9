"""From a preset's words to its steps. What could spoil a mask is refused here, before anything is trained on it."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from augkit.core.errors import ConfigError
from augkit.core.parts import PartSchema
from augkit.core.presets import LABEL_COARSEN, LABEL_WARP, MIXING_STEPS, Recipe
from augkit.core.section import Positive, Section, Share, Weight
from augkit.data.augment.backends import OWN, PIXEL_BACKENDS, options_of
from augkit.data.augment.background import Background, landscapes_in
from augkit.data.augment.pair_mixing import CopyPaste, CutMix, PartSwap
from augkit.data.augment.steps import Flip, LabelCoarsen, LabelWarp, Step
from augkit.data.part_name_faults import require_counterparts


def _in_order(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError(f"{list(ends)} is no range: [low, high]")
    return ends


_Factor = Annotated[float, Field(ge=0.1, le=10)]
_Shares = Annotated[tuple[Share, Share], AfterValidator(_in_order)]
_Factors = Annotated[tuple[_Factor, _Factor], AfterValidator(_in_order)]


class _FlipOptions(Section):
    p: Share = 0.5


class _BackgroundOptions(Section):
    folder: str = ""
    p: Share = 0.5
    edge: Weight = 1.5


class _CutMixOptions(Section):
    p: Share = 0.5
    area: _Shares = (0.02, 0.4)


class _CopyPasteOptions(Section):
    p: Share = 0.5
    whole: Share = 0.5
    scale: _Factors = (0.7, 1.2)
    shift: Share = 0.3


class _PartSwapOptions(Section):
    p: Share = 0.5
    parts: Annotated[int, Field(ge=1, le=254)] = 2


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
    if name in MIXING_STEPS:
        return _mixing(name, arguments, place, schema)
    given = options_of(_BackgroundOptions, arguments, place)
    folder = recipe.folder / Path(given.folder).expanduser() if given.folder else backgrounds
    if folder is None:
        raise ConfigError(f"{place}: no folder of landscapes", "`Background: {folder: DIR}`", "name one")
    return Background(landscapes_in(folder), given.p, given.edge)


def _mixing(name: str, arguments: dict[str, Any], place: str, schema: PartSchema) -> Step:
    if name == "CutMix":
        return CutMix(**options_of(_CutMixOptions, arguments, place).model_dump())
    if name == "CopyPaste":
        return CopyPaste(**options_of(_CopyPasteOptions, arguments, place).model_dump())
    require_counterparts(schema, place, "choose a preset without PartSwap")
    return PartSwap(schema, **options_of(_PartSwapOptions, arguments, place).model_dump())
