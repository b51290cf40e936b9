"""Scenes without a car: pieces of landscapes, or training photos with their car in-painted away."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.parts import IGNORE, PartSchema
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.augment.background import landscape, landscapes_in, piece
from augkit.data.catalogue import TrainingRows
from augkit.data.crop import Photo, Region
from augkit.data.dataset import PairDataset
from augkit.sources.backdrops import ANY

KEPT_BYTES = 64 << 20
"""Scenes are kept with the model; these are as many as fit, and at most ``MOST``."""
MOST = 256
_MARGIN = 1 / 40
"""How far beyond its silhouette a car is in-painted, as a share of the side: its outline is no more exact than that."""
_FILL_SIDE = 64
"""Holes are filled at this size: a fill over hundreds of pixels is a streak at any finer one."""


@dataclass(frozen=True)
class Scenes:
    """``photos`` (M, S, S, 3), ``holes`` (M, S, S) what is in-painted, ``classes`` (M,) of the cars."""

    photos: NDArray[np.uint8]
    holes: NDArray[np.bool_]
    classes: NDArray[np.int64]


def most_scenes(size: int) -> int:
    """How many scenes of this side are kept."""
    return max(1, min(MOST, KEPT_BYTES // (4 * size * size)))


def landscape_scenes(folder: Path, size: int) -> Scenes:
    """Random pieces of the landscapes of a folder, about equally many of each.

    Raises ConfigError where there are none, DataError for one that is no picture.
    """
    paths = landscapes_in(folder)
    rng = random.Random(derive(0, "scenes"))
    order = rng.sample(paths, len(paths))
    photos = [piece(landscape(order[number % len(order)]), size, rng) for number in range(most_scenes(size))]
    holes = np.zeros((len(photos), size, size), np.bool_)
    return Scenes(np.stack(photos), holes, np.full(len(photos), ANY, np.int64))


def emptied_scenes(workspace: Workspace, rows: TrainingRows, schema: PartSchema, size: int) -> Scenes:
    """Training photos without their cars; where not all are kept, equally many of each class as far as there are.

    Raises DataError where a silhouette is missing.
    """
    chosen = _evenly([row.car_class.number for row in rows.rows], most_scenes(size))
    picked = [rows.rows[place] for place in chosen]
    pairs = PairDataset(workspace, picked, schema, size)
    photos, holes = [], []
    for index in range(len(picked)):
        item = pairs.plain(index)
        hole = widened((pairs.silhouette(index) == 1) | (item.mask == IGNORE))
        photos.append(without(item.photo, hole))
        holes.append(hole)
    return Scenes(np.stack(photos), np.stack(holes), np.array([row.car_class.number for row in picked], np.int64))


def widened(car: Region) -> Region:
    """The car and a margin round it."""
    reach = max(1, round(_MARGIN * car.shape[0]))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(car.astype(np.uint8), disc) > 0)


def without(photo: Photo, hole: Region) -> Photo:
    """(H, W, 3) photo with its (H, W) hole filled from around it (Telea 2004, OpenCV's), and as it is elsewhere."""
    if not hole.any() or hole.all():
        return photo
    side = min(_FILL_SIDE, photo.shape[0])
    small = cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA)
    touched = cv2.resize(hole.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA) > 0
    filled = cv2.inpaint(small, touched.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    enlarged = cv2.resize(filled, photo.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return np.where(hole[..., None], enlarged, photo).astype(np.uint8)


def _evenly(classes: Sequence[int], most: int) -> list[int]:
    """Places of at most so many entries: of every class its first, then of every class its second, and so on."""
    order = random.Random(derive(0, "scenes")).sample(range(len(classes)), len(classes))
    seen: Counter[int] = Counter()
    ranked = []
    for place in order:
        seen[classes[place]] += 1
        ranked.append((seen[classes[place]], place))
    return sorted(place for _, place in sorted(ranked)[:most])
