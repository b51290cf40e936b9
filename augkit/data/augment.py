"""Classical augmentation of pairs: albumentations moves pixels, and the flip here swaps left and right parts."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from augkit.classes import CarClass
from augkit.data.crop import Photo
from augkit.errors import ConfigError
from augkit.parts import Mask, PartSchema

# Before the import: else albumentations asks the package index for its newest version, 2 s without a network.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A


class Augmentation:
    """A preset, applied to a pair with a seed of its own: the same seed gives the same result.

    ``(photo (H, W, 3), mask (H, W), class, seed) -> photo, mask, class``; masks only ever hold ids they held before
    or the ids of mirrored parts.
    """

    def __init__(self, preset: str, schema: PartSchema) -> None:
        if preset not in PRESETS:
            raise ConfigError(f"no augmentation preset {preset!r}", "one of " + ", ".join(PRESETS))
        self.schema = schema
        self.flips = preset != "none"
        self.transform = A.Compose(PRESETS[preset]())

    def __call__(self, photo: Photo, mask: Mask, car_class: CarClass, seed: int) -> tuple[Photo, Mask, CarClass]:
        """See the class."""
        if self.flips and seed & 1:
            photo, mask, car_class = photo[:, ::-1], self.schema.flip(mask), car_class.mirror
        self.transform.set_random_seed((seed >> 1) % 2**32)
        moved: dict[str, Any] = self.transform(image=np.ascontiguousarray(photo), mask=mask)
        return moved["image"], moved["mask"], car_class


def _affine(scale: float, degrees: float, shift: float) -> A.Affine:
    """A similarity with some shear; what enters at the border is the mirrored picture, in photo and mask alike."""
    return A.Affine(
        scale=(1 - scale, 1 + scale),
        rotate=(-degrees, degrees),
        translate_percent=(-shift, shift),
        shear=(-degrees / 2, degrees / 2),
        border_mode=2,  # cv2.BORDER_REFLECT: never a black wedge that a network could learn
        p=1.0,
    )


PRESETS: dict[str, Callable[[], list[Any]]] = {
    "none": list,
    "flip": list,
    "mild": lambda: [_affine(0.08, 3.0, 0.03)],
    "strong": lambda: [
        _affine(0.2, 8.0, 0.08),
        A.ColorJitter(brightness=(0.6, 1.4), contrast=(0.7, 1.3), saturation=(0.5, 1.5), hue=(-0.08, 0.08), p=0.8),
        A.GaussNoise(std_range=(0.01, 0.05), p=0.3),
        A.GaussianBlur(blur_limit=(3, 3), p=0.2),
    ],
}
