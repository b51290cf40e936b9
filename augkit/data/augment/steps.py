"""What one step does to a pair: the flip of cars, the warp of a mask alone. Backends make those that move pixels."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError
from augkit.core.parts import Mask, PartSchema
from augkit.core.presets import MIXING_STEPS
from augkit.data.crop import Photo
from augkit.data.pair import Pair

Silhouette = NDArray[np.uint8]
"""(H, W): 1 on the car, 0 beside it."""

Partner = Callable[[int, CarClass | None], Pair]
"""(seed, class) -> another pair of the same size: of this class or its mirror image where there is one, else any."""


def no_partner(seed: int, like: CarClass | None) -> Pair:
    """Stands for the other pair where there is none. Raises ConfigError."""
    del seed, like
    raise ConfigError(
        f"{', '.join(MIXING_STEPS)} without another pair",
        "the training of a segmenter",
        "choose a preset without them",
    )


@dataclass(frozen=True)
class AugmentState:
    """A pair on its way through the steps; the silhouette is there where a step reads it, and so is the partner."""

    pair: Pair
    silhouette: Silhouette | None
    partner: Partner = no_partner

    def with_photo(self, photo: Photo) -> AugmentState:
        """With another photo (H, W, 3)."""
        return replace(self, pair=replace(self.pair, photo=photo))

    def with_mask(self, mask: Mask) -> AugmentState:
        """With another mask (H, W)."""
        return replace(self, pair=replace(self.pair, mask=mask))


class Step(Protocol):
    """A function of the view and a seed of its own."""

    def __call__(self, view: AugmentState, seed: int) -> AugmentState:
        """The view after the step."""


@dataclass(frozen=True)
class Flip:
    """The horizontal mirror image with probability ``p``: left and right parts change places, and so does the class."""

    schema: PartSchema
    p: float

    def flips(self, seed: int) -> bool:
        """Whether this seed flips."""
        return random.Random(seed).random() < self.p

    def __call__(self, view: AugmentState, seed: int) -> AugmentState:
        """See the class."""
        if not self.flips(seed):
            return view
        silhouette = None if view.silhouette is None else view.silhouette[:, ::-1]
        return replace(view, pair=view.pair.flip(self.schema), silhouette=silhouette)


@dataclass(frozen=True)
class LabelWarp:
    """An elastic warp of the mask while the photo stays, for the training of stage II: ``warp`` moves both.

    A part that is cut by the picture's edge goes on behind it: the border is mirrored.
    """

    warp: Step

    def __call__(self, view: AugmentState, seed: int) -> AugmentState:
        """See the class."""
        return view.with_mask(self.warp(view, seed).pair.mask)


class LabelCoarsen:
    """The mask as a stage I of ``side`` px would draw it: one channel a part, shrunk, enlarged, the strongest part.

    Corners are rounded and thin parts lost, as on generated masks; the photo stays. For the training of stage II.
    """

    def __init__(self, side: int, p: float) -> None:
        self.side, self.p = side, p

    def __call__(self, view: AugmentState, seed: int) -> AugmentState:
        """See the class."""
        if random.Random(seed).random() >= self.p:
            return view
        mask = view.pair.mask
        ids, size = np.unique(mask), mask.shape[::-1]
        shares = [cv2.resize((mask == id).astype(np.float32), (self.side,) * 2, interpolation=cv2.INTER_AREA)
                  for id in ids]  # fmt: skip
        grown = np.stack([cv2.resize(share, size, interpolation=cv2.INTER_LINEAR) for share in shares])
        return view.with_mask(ids[grown.argmax(0)])
