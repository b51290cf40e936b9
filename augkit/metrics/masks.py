"""Figures of part masks: descriptions of each mask, and distances between the descriptions of two sets.

Ids run from 0 (background, which counts as a part here) to ``channels`` - 1; ignored pixels (255) count nowhere.
Descriptions are shares or counts, so they hardly depend on the masks' size; but a coarse mask loses thin parts.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import DataError
from augkit.core.parts import IGNORE, Mask, histogram
from augkit.metrics.metric import metric

Shares = NDArray[np.float64]


def part_shares(masks: Mask, channels: int) -> Shares:
    """(N, H, W) ids -> (N, K): each part's share of the mask's pixels. Raises DataError for ids outside."""
    _check(masks, channels)
    counts = np.stack([histogram(mask, channels) for mask in masks]).astype(np.float64)
    return np.asarray(counts / np.maximum(counts.sum(1, keepdims=True), 1))


def part_adjacency(masks: Mask, channels: int) -> Shares:
    """(N, H, W) ids -> (N, K (K - 1) / 2): share of the mask's outlines that lies between each two parts.

    An outline is a pair of neighbouring pixels (left and right, above and below) with different ids; two parts that do
    not touch have 0. Zeros only for a mask of one id. Columns are the pairs (0, 1), (0, 2), ..., (K - 2, K - 1).
    """
    _check(masks, channels)
    upper = np.triu_indices(channels, 1)
    found = np.empty((len(masks), len(upper[0])))
    for number, mask in enumerate(masks):
        table = np.zeros((channels, channels))
        for a, b in ((mask[:, 1:], mask[:, :-1]), (mask[1:], mask[:-1])):
            edge = (a != b) & (a != IGNORE) & (b != IGNORE)
            np.add.at(table, (a[edge], b[edge]), 1)
        lengths = (table + table.T)[upper]
        found[number] = lengths / max(1.0, lengths.sum())
    return found


def part_components(masks: Mask, channels: int) -> Shares:
    """(N, H, W) ids -> (N, K): connected pieces (8 neighbours) of each part; 0 where it is not shown."""
    _check(masks, channels)
    found = np.zeros((len(masks), channels))
    for number, mask in enumerate(masks):
        for part in np.unique(mask[mask != IGNORE]):
            found[number, part] = cv2.connectedComponents((mask == part).astype(np.uint8), connectivity=8)[0] - 1
    return found


@metric("part-shares", "part shares", reads="shares")
def share_distance(real: Shares, made: Shares) -> float:
    """(N, K), (M, K) shares -> total variation between the mean shares, 0 to 1: the share of the pixels that would
    have to change its part.
    """
    return _total_variation(real, made)


@metric("part-presence", "part presence", reads="shares")
def presence_distance(real: Shares, made: Shares) -> float:
    """(N, K), (M, K) shares -> mean of |how often real masks show a part - how often made ones do|, 0 to 1.

    The mean is over the parts that either set shows; ``presence_differences`` has each.
    """
    differences = np.abs(presence_differences(real, made))
    shown = (real > 0).any(0) | (made > 0).any(0)
    return float(differences[shown].mean())


def presence_differences(real: Shares, made: Shares) -> NDArray[np.float64]:
    """(N, K), (M, K) shares -> (K,): made masks' share that shows the part, less the real masks' share."""
    return np.asarray((made > 0).mean(0) - (real > 0).mean(0))


@metric("part-adjacency", "part adjacency", reads="adjacency")
def adjacency_distance(real: Shares, made: Shares) -> float:
    """(N, P), (M, P) outline shares -> total variation between their means, 0 to 1: the share of the outlines that
    lies between other parts than in real masks.
    """
    return _total_variation(real, made)


@metric("part-components", "components a part", reads="components")
def component_distance(real: Shares, made: Shares) -> float:
    """(N, K), (M, K) counts -> mean |pieces a shown part is in, real - made|, over the parts that both sets show.

    0 where they share no part; the presence figure tells that case.
    """
    common = (real > 0).any(0) & (made > 0).any(0)
    if not common.any():
        return 0.0
    return float(np.abs(_pieces(real[:, common]) - _pieces(made[:, common])).mean())


def _pieces(counts: Shares) -> NDArray[np.float64]:
    """Mean count by part over the masks that show it."""
    return np.asarray(counts.sum(0) / (counts > 0).sum(0))


def _total_variation(a: Shares, b: Shares) -> float:
    return float(np.abs(a.mean(0) - b.mean(0)).sum() / 2)


def _check(masks: Mask, channels: int) -> None:
    if masks.ndim != 3 or not len(masks):
        raise DataError(f"masks of shape {masks.shape}", "(N, H, W) with at least one mask")
    strange = np.unique(masks[(masks >= channels) & (masks != IGNORE)])
    if len(strange):
        raise DataError(f"part ids {strange.tolist()}", f"0..{channels - 1} or {IGNORE}", "use the masks' own schema")
