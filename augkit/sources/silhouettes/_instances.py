"""What an instance segmentation network finds in a photo, and which of it is the car of the parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from augkit.core.parts import BACKGROUND, IGNORE, Mask
from augkit.data.crop import Photo, Region
from augkit.sources.silhouettes import MIN_SCORE, Detection


@dataclass(frozen=True)
class Cars:
    """The N instances of COCO's class car in an (H, W) photo: scores (N,), boxes (N, 4), masks (N, H, W)."""

    scores: NDArray[np.float32]
    boxes: NDArray[np.float32]
    masks: Region


Find = Callable[[Photo], Cars]


class Detector:
    """A method that asks a network, which ``load`` gives at the first call."""

    def __init__(self, load: Callable[[], Find], min_score: float | None = None) -> None:
        self.load = load
        self.min_score = MIN_SCORE if min_score is None else min_score

    @cached_property
    def find(self) -> Find:
        """The network with its weights; loaded once."""
        return self.load()

    def __call__(self, photo: Photo, mask: Mask) -> Detection | None:
        """See ``choose``."""
        return choose(self.find(photo), mask, self.min_score)


def choose(cars: Cars, mask: Mask, min_score: float) -> Detection | None:
    """The car that covers most of the parts of an (H, W) mask; without parts, the largest.

    Cars below the score are looked at only where there is no other, so that the best of them can be reported. Pixels
    to ignore are beside the photo and belong to no car. None where no car shares a pixel with the parts.
    """
    ignored = mask == IGNORE
    parts = ~ignored & (mask != BACKGROUND)
    masks = cars.masks & ~ignored
    shared = (masks & parts if parts.any() else masks).sum(axis=(1, 2))
    found = [place for place in range(len(shared)) if shared[place]]
    sure = [place for place in found if cars.scores[place] >= min_score]
    if sure:
        best = max(sure, key=lambda place: (shared[place], cars.scores[place]))
    elif found:
        best = max(found, key=lambda place: (cars.scores[place], shared[place]))
    else:
        return None
    x0, y0, x1, y1 = (float(value) for value in cars.boxes[best])
    return Detection(masks[best], float(cars.scores[best]), (x0, y0, x1, y1))
