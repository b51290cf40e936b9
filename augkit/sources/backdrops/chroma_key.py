"""A car on chroma green, composited over another scene: a colour-difference key with an exact mask.

A pixel in which a share k of the screen (R, G, B) is mixed with paint that has no more green than red or blue shows
``g - max(r, b) = k * (G - max(R, B))``; solved for k, this is the key of Vlahos (see Smith & Blinn 1996, "Blue screen
matting"). Taking ``k * (R, G, B)`` away again removes the spill, and adding ``k * scene`` is the composite. Colours
alone cannot tell a green car from the screen: the key decides about the outline only, and what lies farther inside is
the car.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.parts import BACKGROUND, IGNORE, Mask
from augkit.data.crop import Photo
from augkit.data.silhouette import GREEN

Plane: TypeAlias = NDArray[np.float32]

EDGE = 1 / 64
"""Width of the outline's band on either side, as a share of the picture's side; at least 2 px."""
MOST_GREEN = 0.75
"""A pixel of a part is taken to be screen up to this share: beyond, nothing of its colour is left to enlarge."""
_FEWEST = 0.01
"""Share of the picture that has to be screen for its colour to be measured."""


@dataclass(frozen=True)
class Cutout:
    """A car without its background: ``opacity`` (H, W) in 0..1 and ``colour`` (H, W, 3), multiplied by it."""

    opacity: Plane
    colour: Plane

    def over(self, scene: Photo) -> Photo:
        """The car before a scene (H, W, 3) of its size."""
        return np.clip(self.colour + (1 - self.opacity[..., None]) * scene + 0.5, 0, 255).astype(np.uint8)


def cut_out(photo: Photo, mask: Mask) -> Cutout:
    """(H, W, 3) photo of a car on green, (H, W) its part ids -> the car alone.

    Pixels of parts have an opacity of 1. Elsewhere the key decides in a band round the outline; what lies inside of it
    is the car, what lies outside, or hangs together with no part, is not.
    """
    part = (mask != BACKGROUND) & (mask != IGNORE)
    screen = _screen(photo, part)
    share = screen_share(photo, screen)
    car = _whole((share < 0.5) | part, part)
    band = max(2.0, EDGE * mask.shape[0])
    deep = cv2.distanceTransform(car.astype(np.uint8), cv2.DIST_L2, 5) > band
    far = cv2.distanceTransform(1 - car.astype(np.uint8), cv2.DIST_L2, 5) > band
    green = np.where(deep, np.float32(0), share)
    opacity = np.where(part | deep, np.float32(1), np.where(far, np.float32(0), 1 - share))
    colour = np.clip(photo - green[..., None] * screen, 0, None)
    enlarged = np.minimum(colour / np.maximum(1 - green, 1 - MOST_GREEN)[..., None], 255)
    kept = np.where((part & ~deep)[..., None], enlarged, np.where(far[..., None], 0, colour))
    return Cutout(opacity.astype(np.float32), kept.astype(np.float32))


def screen_share(photo: Photo, screen: NDArray[np.float64]) -> Plane:
    """(H, W) share of the screen's colour (3,) in each pixel of (H, W, 3), by its excess of green over red and blue."""
    return np.clip(_excess(photo.astype(np.float32)) / _excess(screen), 0, 1).astype(np.float32)


def _excess(colours: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(colours[..., 1] - np.maximum(colours[..., 0], colours[..., 2]))


def _screen(photo: Photo, part: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The screen's colour: the median of what is nearest to ``GREEN``, since a network misses it by a little."""
    nominal = np.array(GREEN, np.float64)
    sure = ~part & (screen_share(photo, nominal) > MOST_GREEN)
    return np.median(photo[sure], axis=0) if sure.mean() > _FEWEST else nominal


def _whole(car: NDArray[np.bool_], part: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The regions that hold a part (all, where there is none), without holes."""
    _, labels = cv2.connectedComponents(car.astype(np.uint8), connectivity=4)
    kept = np.isin(labels, np.unique(labels[part])) if part.any() else car
    _, outside = cv2.connectedComponents((~kept).astype(np.uint8), connectivity=4)
    border = np.concatenate([outside[0], outside[-1], outside[:, 0], outside[:, -1]])
    return np.asarray(kept | ~np.isin(outside, np.setdiff1d(border, [0])))
