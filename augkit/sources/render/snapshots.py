"""Rendered cars as a snapshot shows them: light through leaves, something in front, and a poor camera.

What stands in for photos must not look like the rendered cars that a segmenter starts from, and photos are none of
what those are: evenly lit, in full sight, sharp, and true in colour.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.parts import BACKGROUND, Mask
from augkit.data.orientation import classify
from augkit.data.pair import Pair
from augkit.shards.codec import decode_photo, encode_photo
from augkit.sources.render.lighting import Rgb
from augkit.sources.render.scene import noise
from augkit.sources.render.surfaces import SCHEMA

Singles = NDArray[np.float32]
Cover = Callable[[int, np.random.Generator], Singles]

HIDDEN = 0.18
"""Share of a car that may lie behind what stands in front of it."""
_TRIES = 4


def snapshot(pair: Pair, rng: np.random.Generator) -> Pair:
    """The pair with other light, perhaps something in front of the car, and the faults of a camera; its mask says what
    is in sight, and its class stays."""
    lit = np.asarray(pair.photo / 255 * _dapples(len(pair.photo), rng)[..., None], np.float32)
    photo, mask = _behind(lit, pair, rng)
    return Pair(_taken(photo, rng), mask, pair.car_class)


def _dapples(side: int, rng: np.random.Generator) -> Singles:
    """(side, side) light that reaches each pixel: the shadows of leaves, or of a wall."""
    field = noise(side, rng, int(rng.integers(2, 9))) * 0.7 + noise(side, rng, int(rng.integers(9, 20))) * 0.3
    edge = rng.uniform(0.01, 0.12)
    lit = 1 / (1 + np.exp((rng.uniform(0.3, 0.55) - field) / edge))
    return np.asarray(1 - rng.uniform(0.0, 0.6) * (1 - lit), np.float32)


def _behind(photo: Singles, pair: Pair, rng: np.random.Generator) -> tuple[Singles, Mask]:
    """Photo and mask with something in front of the car in two of three; it hides little, and no class."""
    if rng.random() < 1 / 3:
        return photo, pair.mask
    side, car = len(photo), (pair.mask != BACKGROUND).sum()
    for _ in range(_TRIES):
        draw, tone = _COVERS[int(rng.integers(len(_COVERS)))]
        cover = draw(side, rng)
        mask = np.where(cover > 0.5, BACKGROUND, pair.mask).astype(np.uint8)
        hidden = 1 - (mask != BACKGROUND).sum() / car
        if 0 < hidden < HIDDEN and classify(mask, SCHEMA).doors == pair.car_class.doors:
            grain = 0.6 + 0.8 * noise(side, rng, side // 3)[..., None]
            colour = np.asarray(np.array(tone) * rng.uniform(0.5, 1.4) * (1 + rng.uniform(-0.1, 0.1, 3)), np.float32)
            return np.asarray(photo + cover[..., None] * (colour * grain - photo), np.float32), mask
    return photo, pair.mask


def _pole(side: int, rng: np.random.Generator) -> Singles:
    """An upright post, from the ground or through the whole picture."""
    cover, at = np.zeros((side, side), np.float32), rng.uniform(0.1, 0.9) * side
    top = 0.0 if rng.random() < 0.5 else rng.uniform(0.2, 0.6) * side
    half = rng.uniform(0.01, 0.035) * side
    cv2.rectangle(cover, (round(at - half), round(top)), (round(at + half), side), 1.0, -1)
    return np.asarray(cv2.GaussianBlur(cover, (0, 0), 0.6))


def _bush(side: int, rng: np.random.Generator) -> Singles:
    """Leaves that come up from below, or hang down from above."""
    rows = np.linspace(0, 1, side, dtype=np.float32)[:, None]
    rows = rows if rng.random() < 0.7 else rows[::-1]
    across = np.linspace(0, 1, side, dtype=np.float32)[None] - np.float32(rng.uniform(0, 1))
    height = rng.uniform(0.15, 0.45) * np.exp(-((across / rng.uniform(0.1, 0.35)) ** 2))
    ragged = (noise(side, rng, 14) - 0.5) * 0.2 + (noise(side, rng, side // 4) - 0.5) * 0.15
    return np.asarray(np.clip((rows - 1 + height + ragged * (height > 0.02)) * 25 + 0.5, 0, 1), np.float32)


def _sheet(side: int, rng: np.random.Generator) -> Singles:
    """Something with a straight outline, askew: a sign, a crate, a part of another car."""
    middle, size = rng.uniform(0.1, 0.9, 2) * side, rng.uniform(0.08, 0.3, 2) * side
    corners = cv2.boxPoints(((*map(float, middle),), (*map(float, size),), float(rng.uniform(-20, 20))))
    cover = np.zeros((side, side), np.float32)
    cv2.fillConvexPoly(cover, np.round(corners).astype(np.int32), 1.0)
    return np.asarray(cv2.GaussianBlur(cover, (0, 0), 0.6))


_COVERS: tuple[tuple[Cover, Rgb], ...] = (
    (_pole, (0.36, 0.36, 0.35)), (_bush, (0.24, 0.32, 0.18)), (_sheet, (0.42, 0.36, 0.30)),
)  # fmt: skip
"""What draws the (side, side) share of each pixel that is hidden, and about what colour it has."""


def _taken(picture: Singles, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(S, S, 3) values in 0..1 -> the photo that a camera makes of them: white balance, contrast, vignette, shake or
    wrong focus, noise that is stronger in the dark, compression."""
    side = len(picture)
    cast = np.asarray(1 + rng.normal(0, 0.07, 3), np.float32)
    bent = np.clip(picture * cast * rng.uniform(0.75, 1.3), 0, 1) ** rng.uniform(0.7, 1.5)
    around = np.linspace(-1, 1, side, dtype=np.float32) ** 2
    bent = bent * (1 - rng.uniform(0, 0.35) * (around[:, None] + around[None]) / 2)[..., None]
    bent = _shaken(np.asarray(bent, np.float32), rng)
    grey = rng.standard_normal((side, side, 1), np.float32) + 0.5 * rng.standard_normal((side, side, 3), np.float32)
    bent = bent + grey * rng.uniform(0.005, 0.04) * (1.3 - bent)
    photo = np.asarray(np.clip(bent * 255 + 0.5, 0, 255), np.uint8)
    return decode_photo(encode_photo(photo, int(rng.integers(25, 85)))[0])


def _shaken(picture: Singles, rng: np.random.Generator) -> Singles:
    """Out of focus, or moved along a line of a few pixels."""
    side = len(picture)
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), max(rng.uniform(0.0, 0.008) * side, 0.2)))
    reach, angle = rng.uniform(0.0, 0.012) * side, rng.uniform(0, np.pi)
    steps = np.linspace(-reach, reach, 7)
    moved = [
        cv2.warpAffine(
            picture, np.array([[1, 0, s * np.cos(angle)], [0, 1, s * np.sin(angle)]]), (side, side),
            borderMode=cv2.BORDER_REPLICATE,
        )
        for s in steps
    ]  # fmt: skip
    return np.asarray(np.mean(moved, 0), np.float32)
