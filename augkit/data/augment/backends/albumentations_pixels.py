"""Pixels moved by albumentations: every transform of it that leaves pairs whole, under its own name.

Nobody maintains it any more. It is the usual backend because it is the fastest on a CPU
(``tests/benchmarks/augmentation.py``) and has the most transforms.
"""

from __future__ import annotations

import inspect
import random
import re
import warnings
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import albumentations as A
import cv2
import numpy as np

from augkit.core.errors import ConfigError
from augkit.core.parts import BACKGROUND, IGNORE
from augkit.core.presets import Step, recipe_steps
from augkit.data.augment.backends import OWN, PIXEL_BACKENDS
from augkit.data.augment.steps import AugmentState
from augkit.data.pair import Pair

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


@PIXEL_BACKENDS.register("albumentations")
def build_pixels(steps: Sequence[Step], source: str) -> Pixels:
    """The transforms as one step. Raises ConfigError for what could spoil a pair."""
    return Pixels([_transform(name, arguments, source) for name, arguments in steps])


class Pixels:
    """albumentations' transforms in a row, applied to photo, mask and silhouette alike.

    They draw from one generator one after the other: ``set_random_seed`` would give each the same numbers, and two
    transforms of p 0.5 would always act together.
    """

    def __init__(self, transforms: Sequence[Any]) -> None:
        self.compose = A.Compose(transforms, additional_targets={"silhouette": "mask"})

    def __call__(self, view: AugmentState, seed: int) -> AugmentState:
        """See the class."""
        self.compose.set_random_state(np.random.default_rng(seed), random.Random(seed))
        layers = {} if view.silhouette is None else {"silhouette": np.ascontiguousarray(view.silhouette)}
        photo, mask = np.ascontiguousarray(view.pair.photo), np.ascontiguousarray(view.pair.mask)
        moved = self.compose(image=photo, mask=mask, **layers)
        return AugmentState(Pair(moved["image"], moved["mask"], view.pair.car_class), moved.get("silhouette"))


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
