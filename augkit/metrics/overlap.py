"""Intersection over union: how well read masks cover the true ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from augkit.core.parts import IGNORE, Mask

HITS, TRUTH, READ = range(3)
"""Places in the last axis of counts: pixels of a part in both masks, in the true one, in the read one."""


def overlap(read: NDArray[Any], truth: Mask, channels: int) -> NDArray[np.int64]:
    """(H, W) part ids each -> (channels, 3) pixels; those to ignore in the truth are left out."""
    kept = truth != IGNORE
    pairs = truth[kept].astype(np.int64) * channels + read[kept]
    table = np.bincount(pairs, minlength=channels * channels).reshape(channels, channels)
    return np.stack([table.diagonal(), table.sum(1), table.sum(0)], axis=1)


def iou(counts: NDArray[Any]) -> NDArray[np.float64]:
    """(..., 3) pixels -> (...) hits / (truth + read - hits); NaN where neither mask shows the part."""
    hits, union = counts[..., HITS], counts[..., TRUTH] + counts[..., READ] - counts[..., HITS]
    return np.asarray(np.divide(hits, union, out=np.full(union.shape, np.nan), where=union > 0))


def iou_where_it_is(counts: NDArray[Any]) -> NDArray[np.float64]:
    """The same, NaN wherever the truth does not show the part: there is nothing to find."""
    return np.where(counts[..., TRUTH] > 0, iou(counts), np.nan)
