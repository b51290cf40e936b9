"""Does a generator copy? How near made masks come to training masks, against how near held-out real masks come.

Cars resemble each other, so real masks lie near training masks as well. A made mask counts as a copy where it is
nearer to one than all but the nearest few (a quantile, 5 %) of the held-out real masks are. A generator that copies
nothing has about that share of "copies"; one that stores its data has far more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import BACKGROUND, IGNORE, Mask, PartSchema

QUANTILE = 0.05
SIDE = 64


@dataclass(frozen=True)
class Copies:
    """``share`` of the made pictures below ``bound``, the ``quantile`` of the held-out ones' distances.

    ``made`` and ``held_out``: each picture's distance to its nearest training picture; ``nearest``: which one that is
    for each made picture.
    """

    share: float
    bound: float
    quantile: float
    made: NDArray[np.float64]
    held_out: NDArray[np.float64]
    nearest: NDArray[np.intp]


def find_copies(
    made: Sequence[Mask],
    held_out: Sequence[Mask],
    training: Sequence[Mask],
    schema: PartSchema,
    quantile: float = QUANTILE,
) -> Copies:
    """Masks (H, W) of any sizes. Mirror images of the training masks count as training masks.

    Raises DataError where a set is empty, ConfigError for a quantile outside 0 to 1.
    """
    distances, nearest = nearest_mask(made, training, schema)
    return judge_copies(distances, nearest, nearest_mask(held_out, training, schema)[0], quantile)


def judge_copies(
    made: NDArray[np.float64],
    nearest: NDArray[np.intp],
    held_out: NDArray[np.float64],
    quantile: float = QUANTILE,
) -> Copies:
    """The same for distances of any kind, e.g. ``augkit.metrics.neighbours.nearest`` of features."""
    if not 0 < quantile < 1:
        raise ConfigError(f"quantile {quantile}", "between 0 and 1")
    if not len(made) or not len(held_out):
        raise DataError(f"{len(made)} made and {len(held_out)} held-out pictures", "at least one of each")
    bound = float(np.quantile(held_out, quantile))
    return Copies(float((made < bound).mean()), bound, quantile, made, held_out, nearest)


def nearest_mask(
    masks: Sequence[Mask], training: Sequence[Mask], schema: PartSchema
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """For each mask the distance to its nearest training mask (or the mirror image of one), and that one's place.

    The distance is 1 - the share of the cars' joint area that shows the same part in both (0: equal; 1: nothing in
    common), at 64 x 64 px. Pixels to ignore in either mask are left out; two masks without a car are equal.
    """
    if not len(masks) or not len(training):
        raise DataError(f"{len(masks)} masks, {len(training)} training masks", "at least one of each")
    own, known = _small(masks), _small(training)
    known = np.concatenate([known, np.stack([schema.flip(mask.reshape(SIDE, SIDE)).reshape(-1) for mask in known])])
    distances, places = np.empty(len(own)), np.empty(len(own), np.intp)
    for number, mask in enumerate(own):
        found = _distances(mask, known)
        places[number] = found.argmin() % len(training)
        distances[number] = found.min()
    return distances, places


def _distances(mask: Mask, known: Mask) -> NDArray[np.float64]:
    """(P,) against (M, P) -> (M,)."""
    seen = (mask != IGNORE) & (known != IGNORE)
    car = seen & ((mask != BACKGROUND) | (known != BACKGROUND))
    joint = car.sum(1)
    same = (car & (mask == known)).sum(1)
    return np.asarray(np.where(joint > 0, 1 - same / np.maximum(joint, 1), 0.0))


def _small(masks: Sequence[Mask]) -> Mask:
    resized = [cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST) for mask in masks]
    return np.stack(resized).reshape(len(resized), -1).astype(np.uint8)
