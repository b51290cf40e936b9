"""Other backgrounds: what is outside the car's silhouette becomes a piece of a landscape, or chroma green."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.decoding import decoded
from augkit.core.errors import ConfigError, DataError
from augkit.core.regular_file import PICTURE, read_regular
from augkit.data.augment.steps import AugmentState, Silhouette
from augkit.data.crop import Photo
from augkit.data.silhouette import GREEN

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
KEPT_SIDE = 1024
"""Landscapes are shrunk to this shorter side in px before pieces are cut: photos of a camera are far larger."""


@dataclass(frozen=True)
class Background:
    """Composites the car over a random piece of a random landscape with probability ``p``.

    ``edge`` is the width in px over which the two are mixed, centred on the silhouette's outline; parts belong to the
    car wherever the silhouette ends. The mask stays as it is.
    """

    landscapes: tuple[Path, ...]
    p: float
    edge: float

    def __call__(self, view: AugmentState, seed: int) -> AugmentState:
        """See the class."""
        rng = random.Random(seed)
        if rng.random() >= self.p:
            return view
        assert view.silhouette is not None, "Augmentation asks for it"
        photo, mask = view.pair.photo, view.pair.mask
        scene = piece(landscape(rng.choice(self.landscapes)), mask.shape[0], rng)
        is_part = (mask > 0) & (mask < 255)
        car = coverage(((view.silhouette == 1) | is_part).astype(np.uint8), self.edge)[..., None]
        return view.with_photo((car * photo + (1 - car) * scene).round().astype(np.uint8))


@dataclass(frozen=True)
class Screen:
    """Makes all beside the car ``GREEN``, mixed with it over ``edge`` px across the silhouette's outline.

    The silhouette alone says where the car is: a mask may have been warped away from its photo by now.
    """

    edge: float = 2.0

    def __call__(self, view: AugmentState, seed: int) -> AugmentState:
        """See the class."""
        del seed
        assert view.silhouette is not None, "whoever shows a screen reads silhouettes"
        car = coverage(view.silhouette, self.edge)[..., None]
        mixed = car * view.pair.photo + (1 - car) * np.array(GREEN, np.float32)
        return view.with_photo(mixed.round().astype(np.uint8))


def coverage(silhouette: Silhouette, edge: float) -> NDArray[np.float32]:
    """(H, W) share of the car in each pixel: a ramp ``edge`` px wide across the outline, 1 inside and 0 outside."""
    if not silhouette.any() or silhouette.all():
        return silhouette.astype(np.float32)
    inside, outside = (cv2.distanceTransform(area, cv2.DIST_L2, 5) for area in (silhouette, 1 - silhouette))
    signed = np.where(silhouette == 1, inside - 0.5, 0.5 - outside)  # of pixel centres, from the outline
    return np.clip(0.5 + signed / max(edge, 1e-3), 0, 1).astype(np.float32)


def landscapes_in(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder and of those in it, sorted. Raises ConfigError where there are none."""
    found = tuple(sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()))
    if not found:
        raise ConfigError(
            f"{folder}: {'no pictures in it' if folder.is_dir() else 'no such folder'}",
            "a folder of landscapes (" + ", ".join(SUFFIXES) + ")",
            "put landscapes there, name their folder as `Background: {folder: DIR}`, or give --backgrounds DIR",
        )
    return found


def piece(scene: Photo, size: int, rng: random.Random) -> Photo:
    """A random square of half to all of the shorter side, as (size, size, 3)."""
    height, width = scene.shape[:2]
    side = max(1, round(min(height, width) * rng.uniform(0.5, 1.0)))
    y, x = rng.randint(0, height - side), rng.randint(0, width - side)
    method = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(scene[y : y + side, x : x + side], (size, size), interpolation=method), np.uint8)


@lru_cache(maxsize=64)
def landscape(path: Path) -> Photo:
    """(H, W, 3) RGB. Raises DataError for a file that is no picture."""
    try:
        picture = decoded(read_regular(path, PICTURE), cv2.IMREAD_COLOR_RGB)
    except OSError as error:
        raise DataError(f"{path}: {error}", "a landscape", "take it out of the folder") from error
    if picture is None:
        raise DataError(f"{path}: not a readable picture", "a landscape", "take it out of the folder")
    factor = KEPT_SIDE / min(picture.shape[:2])
    if factor < 1:
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(picture, np.uint8)
