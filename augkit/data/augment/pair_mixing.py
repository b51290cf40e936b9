"""Two pairs in one: pixels of another pair, with their labels, are laid over this one, so that masks stay exact.

CutMix: Yun et al. 2019 (arXiv 1905.04899). Copy-paste: Ghiasi et al. 2021 (arXiv 2012.07177), without blending.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.parts import IGNORE, Mask, PartSchema
from augkit.data.augment.steps import AugmentState
from augkit.data.pair import Pair

Region = NDArray[np.bool_]
"""(H, W): where pixels are taken over."""
_ASPECT = 3.0
_LEAST = 8
"""Pixels that a part has to show on both sides to be swapped."""


@dataclass(frozen=True)
class CutMix:
    """With probability ``p`` a rectangle is that of another pair. ``area`` is the range of its share of the picture;
    its sides differ by a factor of at most 3."""

    p: float
    area: tuple[float, float]

    def __call__(self, view: AugmentState, seed: int) -> AugmentState:
        """See the class."""
        rng = random.Random(seed)
        if rng.random() >= self.p:
            return view
        other = view.partner(rng.getrandbits(63), None)
        height, width = view.pair.mask.shape
        root, stretch = rng.uniform(*self.area) ** 0.5, _ASPECT ** rng.uniform(-0.5, 0.5)
        stretch = min(max(stretch, root), 1 / max(root, 1e-3))  # neither side is longer than the picture's
        tall, wide = (max(1, round(side)) for side in (height * root * stretch, width * root / stretch))
        y, x = rng.randint(0, height - tall), rng.randint(0, width - wide)
        region = np.zeros((height, width), np.bool_)
        region[y : y + tall, x : x + wide] = True
        return over(view, other, region)


@dataclass(frozen=True)
class CopyPaste:
    """With probability ``p`` the parts of another pair's car come somewhere over this one: all of them with probability
    ``whole``, else one; moved by up to ``shift`` of the side and scaled by a factor in ``scale``."""

    p: float
    whole: float
    scale: tuple[float, float]
    shift: float

    def __call__(self, view: AugmentState, seed: int) -> AugmentState:
        """See the class."""
        rng = random.Random(seed)
        if rng.random() >= self.p:
            return view
        other = view.partner(rng.getrandbits(63), None)
        parts = parts_of(other.mask)
        if not parts:
            return view
        chosen = parts if rng.random() < self.whole else [rng.choice(parts)]
        factor = rng.uniform(*self.scale)
        centre = np.array(other.mask.shape[::-1]) / 2
        shift = [rng.uniform(-self.shift, self.shift) * side for side in other.mask.shape[::-1]]
        moved = placed(other, view.pair.mask.shape, factor, factor, centre * (1 - factor) + shift)
        return over(view, moved, np.isin(moved.mask, chosen))


@dataclass(frozen=True)
class PartSwap:
    """With probability ``p`` up to ``parts`` parts are those of another car of the class, each fitted into the box of
    the part whose place it takes. What the new part does not cover stays as it was."""

    schema: PartSchema
    p: float
    parts: int

    def __call__(self, view: AugmentState, seed: int) -> AugmentState:
        """See the class."""
        rng = random.Random(seed)
        if rng.random() >= self.p:
            return view
        other = view.partner(rng.getrandbits(63), view.pair.car_class)
        if other.car_class != view.pair.car_class:
            other = other.flip(self.schema)
        if other.car_class != view.pair.car_class:
            return view  # nothing of its class: parts seen from elsewhere would fit nowhere
        shown = [part for part in parts_of(view.pair.mask) if (other.mask == part).sum() >= _LEAST]
        for part in rng.sample(shown, min(self.parts, len(shown))):
            if (view.pair.mask == part).sum() >= _LEAST:  # it may be behind a part that came before
                view = swapped(view, other, part)
        return view


MIXERS = (CutMix, CopyPaste, PartSwap)


def over(view: AugmentState, other: Pair, region: Region) -> AugmentState:
    """The view with the pixels and the labels of another pair of its size in ``region``."""
    photo = np.where(region[..., None], other.photo, view.pair.photo)
    return replace(view, pair=replace(view.pair, photo=photo, mask=np.where(region, other.mask, view.pair.mask)))


def swapped(view: AugmentState, other: Pair, part: int) -> AugmentState:
    """The view with ``part`` of another car, fitted into the box of its own."""
    left, top, wide, tall = cv2.boundingRect((view.pair.mask == part).astype(np.uint8))
    x, y, width, height = cv2.boundingRect((other.mask == part).astype(np.uint8))
    across, down = wide / width, tall / height
    moved = placed(other, view.pair.mask.shape, across, down, np.array([left - across * x, top - down * y]))
    return over(view, moved, moved.mask == part)


def placed(pair: Pair, shape: tuple[int, ...], across: float, down: float, shift: NDArray[np.float64]) -> Pair:
    """The pair scaled by factors and moved by (x, y) px in a picture of ``shape``; beside it is background."""
    matrix = np.array([[across, 0, shift[0] + (across - 1) / 2], [0, down, shift[1] + (down - 1) / 2]])
    size = (shape[1], shape[0])
    photo = cv2.warpAffine(pair.photo, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(pair.mask, matrix, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    return replace(pair, photo=np.asarray(photo, np.uint8), mask=np.asarray(mask, np.uint8))


def parts_of(mask: Mask) -> list[int]:
    """Ids of the parts that a mask shows."""
    return [int(id) for id in np.unique(mask) if 0 < id < IGNORE]
