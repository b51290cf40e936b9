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
    known = KnownMasks(training, schema)
    found = [known.distances(mask) for mask in masks]
    return np.array([each.min() for each in found]), np.array([each.argmin() % len(training) for each in found])


class KnownMasks:
    """Training masks made ready once to be compared with many others."""

    def __init__(self, training: Sequence[Mask], schema: PartSchema) -> None:
        own = _small(training)
        mirrored = [schema.flip(mask.reshape(SIDE, SIDE)).reshape(-1) for mask in own]
        self._both = np.concatenate([own, np.stack(mirrored)])
        self._unseen = self._both == IGNORE
        self._other = _unused(self._both)

    def distances(self, mask: Mask) -> NDArray[np.float64]:
        """(H, W) -> (2, M): the distances to each of the training masks and to its mirror image; see ``nearest_mask``.

        Counts of equal pixels, each by one comparison: what shall not count is made a part that no mask has.
        """
        own = _small([mask])[0]
        shown = np.where((own == BACKGROUND) | (own == IGNORE), self._other, own)
        bare = np.where(own == BACKGROUND, own, self._other)
        seen = np.count_nonzero(own != IGNORE) - _counts(self._unseen & (own != IGNORE))
        same, joint = _counts(self._both == shown), seen - _counts(self._both == bare)
        return np.where(joint > 0, 1 - same / np.maximum(joint, 1), 0.0).reshape(2, -1)


def _unused(masks: Mask) -> np.uint8:
    """An id that no pixel has."""
    return np.uint8(np.setdiff1d(np.arange(BACKGROUND + 1, IGNORE), np.unique(masks))[-1])


def _counts(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(M, P) -> (M,): how many are true; eight columns of bytes at a time, in sums too short for a byte to overflow."""
    eight = flags.view(np.uint64).reshape(len(flags), -1, 128).sum(2)
    return np.asarray(eight.view(np.uint8).reshape(len(flags), -1).sum(1), np.int64)


def _small(masks: Sequence[Mask]) -> Mask:
    resized = [cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST) for mask in masks]
    return np.stack(resized).reshape(len(resized), -1).astype(np.uint8)
