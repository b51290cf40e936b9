"""From a preset's words to its steps. What could spoil a mask is refused here, before anything is trained on it."""

from __future__ import annotations

import inspect
import re
import warnings
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, TypeVar

import albumentations as A
import cv2
import numpy as np
from pydantic import Field, ValidationError

from augkit.core.errors import ConfigError
from augkit.core.parts import BACKGROUND, IGNORE, PartSchema
from augkit.core.presets import LABEL_COARSEN, LABEL_STEPS, LABEL_WARP, Recipe, recipe_steps
from augkit.core.section import Positive, Section, Share
from augkit.data.augment.background import Background, landscapes_in
from augkit.data.augment.steps import Flip, LabelCoarsen, LabelWarp, Pixels, Step
from augkit.data.part_name_faults import require_counterparts

OWN = ("Flip", "Background", *LABEL_STEPS)
COMPOSITIONS = ("OneOf", "SomeOf", "Sequential", "RandomOrder")
REFUSED = {
    **dict.fromkeys(
        ("HorizontalFlip", "VerticalFlip", "Transpose", "D4", "SquareSymmetry", "TimeReverse"),
        ("it mirrors a car without exchanging its left and right parts", "use Flip"),
    ),
    "GridElasticDeform": ("it leaves dark wedges at the border of the photo", "use ElasticTransform or GridDistortion"),
    "Morphological": ("it grows and shrinks parts by the order of their ids", "leave it out"),
    "Lambda": ("it takes functions, which YAML does not hold", "leave it out"),
}
"""albumentations' transforms that keep size and ids and are wrong all the same, with the reason and the remedy."""

FILLS = ("fill_mask", "mask_fill_value", "mask_drop_value")
_SIDE = 61
"""Of the sample pair that every transform has to get through; prime, so that no crop has it by chance."""


class _FlipOptions(Section):
    p: Share = 0.5


class _BackgroundOptions(Section):
    folder: str = ""
    p: Share = 0.5
    edge: Annotated[float, Field(ge=0.0)] = 1.5


class _LabelWarpOptions(Section):
    alpha: Positive = 40.0
    sigma: Positive = 6.0
    p: Share = 0.5


_Options = TypeVar("_Options", bound=Section)


class _LabelCoarsenOptions(Section):
    side: Annotated[int, Field(ge=16, le=1024)] = 64
    p: Share = 0.5


def build_steps(recipe: Recipe, schema: PartSchema, backgrounds: Path | None = None) -> tuple[Step, ...]:
    """The steps of a preset; neighbours of albumentations become one.

    Raises ConfigError for a name or an argument that there is not, and for what changes the size or type of a picture
    or makes ids that the mask did not hold; SchemaError for a flip of parts of one side without a counterpart.
    """
    steps: list[Step] = []
    for own, group in groupby(recipe.steps, lambda step: step[0] in OWN):
        named = list(group)
        if own:
            steps += [_own(name, arguments, recipe, schema, backgrounds) for name, arguments in named]
        else:
            steps.append(Pixels([_transform(name, arguments, recipe.name) for name, arguments in named]))
    return tuple(steps)


def _own(name: str, arguments: dict[str, Any], recipe: Recipe, schema: PartSchema, backgrounds: Path | None) -> Step:
    place = f"{recipe.name}: {name}"
    if name == "Flip":
        p = _options(_FlipOptions, arguments, place).p
        if p:
            require_counterparts(schema, place, "choose a preset without Flip")
        return Flip(schema, p)
    if name == LABEL_WARP:
        warp = _options(_LabelWarpOptions, arguments, place)
        return LabelWarp(warp.alpha, warp.sigma, warp.p)
    if name == LABEL_COARSEN:
        coarsen = _options(_LabelCoarsenOptions, arguments, place)
        return LabelCoarsen(coarsen.side, coarsen.p)
    given = _options(_BackgroundOptions, arguments, place)
    folder = recipe.folder / Path(given.folder).expanduser() if given.folder else backgrounds
    if folder is None:
        raise ConfigError(f"{place}: no folder of landscapes", "`Background: {folder: DIR}`", "name one")
    return Background(landscapes_in(folder), given.p, given.edge)


def _options(kind: type[_Options], arguments: dict[str, Any], place: str) -> _Options:
    try:
        return kind.model_validate(arguments)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']} (got {e['input']!r})" for e in error.errors())
        expected = "arguments among " + ", ".join(kind.model_fields)
        raise ConfigError(f"{place}: {faults}", expected, "see docs/augmentation.md") from error


def _transform(name: str, arguments: dict[str, Any], source: str) -> Any:
    """A transform or a composition of albumentations that leaves pairs whole. Raises ConfigError."""
    place = f"{source}: {name}"
    if name in OWN:
        raise ConfigError(f"{place} inside another step", "a step of its own", "move it to the outer list")
    if name in COMPOSITIONS:
        inner = recipe_steps(arguments.get("transforms"), place)
        arguments = arguments | {"transforms": [_transform(*step, source) for step in inner]}
        return _construct(getattr(A, name), arguments, place)
    kind = _kind(name, place)
    if name in REFUSED:
        reason, remedy = REFUSED[name]
        raise ConfigError(f"{place}: {reason}", "a transform that leaves pairs right", remedy)
    if "border_mode" in inspect.signature(kind).parameters:
        # Reflected: never a black wedge that a network could learn.
        arguments = {"border_mode": cv2.BORDER_REFLECT} | arguments
    transform = _construct(kind, arguments, place)
    _refuse_fills(transform, place)
    _try_out(transform, place)
    return transform


def _kind(name: str, place: str) -> type[Any]:
    kind = getattr(A, name, None)
    bases = (A.DualTransform, A.ImageOnlyTransform)
    if not isinstance(kind, type) or not issubclass(kind, bases) or kind in bases or issubclass(kind, A.Transform3D):
        close = get_close_matches(name, [*OWN, *COMPOSITIONS, *dir(A)], 3)
        raise ConfigError(
            f"{place}: no such transform of pictures",
            f"albumentations' own names (version {A.__version__}), or {', '.join(OWN)}",
            "did you mean " + " or ".join(close) + "?" if close else "see docs/augmentation.md",
        )
    return kind


def _construct(kind: type[Any], arguments: dict[str, Any], place: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", r"Argument\(s\)")  # an unknown argument, which would have no effect
            return kind(**arguments)
    except (TypeError, ValueError, UserWarning) as error:  # pydantic's error is a ValueError
        text = re.sub(r" *\[type=.*\n.*errors\.pydantic\.dev.*|\[type=.*", "", str(error))
        faults = "; ".join(line.strip() for line in text.splitlines() if "pydantic.dev" not in line)
        known = ", ".join(inspect.signature(kind).parameters)
        raise ConfigError(f"{place}: {faults}", f"arguments among {known}", "correct the preset") from error


def _refuse_fills(transform: Any, place: str) -> None:
    method = getattr(transform, "mask_interpolation", cv2.INTER_NEAREST)
    if method != cv2.INTER_NEAREST:
        raise ConfigError(
            f"{place}: mask_interpolation {method} mixes part ids", f"{cv2.INTER_NEAREST} (nearest)", "leave it out"
        )
    for name in FILLS:
        value = getattr(transform, name, None)
        if value is not None and not np.isin(np.atleast_1d(value), (BACKGROUND, IGNORE)).all():
            raise ConfigError(
                f"{place}: {name} {value} draws a part where there is none",
                f"{BACKGROUND} (background) or {IGNORE} (ignore)",
                f"with border_mode {cv2.BORDER_REFLECT} nothing is filled",
            )


def _try_out(transform: Any, place: str) -> None:
    """Applies a transform to a sample pair. Raises ConfigError where it cannot, or size, type or ids change."""
    rng = np.random.default_rng(0)
    photo = cv2.resize(rng.integers(0, 256, (8, 8, 3), np.uint8), (_SIDE, _SIDE))
    ids = np.array([BACKGROUND, 3, 90, 200, IGNORE], np.uint8)
    mask = cv2.resize(rng.choice(ids, (8, 8)), (_SIDE, _SIDE), interpolation=cv2.INTER_NEAREST)
    chance, transform.p = transform.p, 1.0
    for seed in range(4):
        transform.set_random_seed(seed)
        try:
            moved = transform(image=photo.copy(), mask=mask.copy())
            new, labels = moved["image"], moved["mask"]
        except Exception as error:  # whatever it asks for, it is nothing that a pair has
            raise ConfigError(
                f"{place}: {type(error).__name__}: {error}", "a transform of a photo and its mask alone", "leave it out"
            ) from error
        if new.dtype != np.uint8 or new.shape != photo.shape or labels.shape != mask.shape:
            raise ConfigError(
                f"{place}: makes a photo of {photo.dtype} {photo.shape} one of {new.dtype} {new.shape}",
                "pairs that keep their size and type: the trainer resizes and normalises",
                "use Affine with scale and translate_percent in place of crops, or leave it out",
            )
        strange = sorted(set(np.unique(labels).tolist()) - set(ids.tolist()))
        if strange or labels.dtype != np.uint8:
            raise ConfigError(f"{place}: makes mask values {strange[:5]}", "the ids that were there", "leave it out")
    transform.p = chance
