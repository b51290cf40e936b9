"""The tail: what the training data show little of, told from the real training pairs alone.

A part is in the tail where it has less than half of an even share of the cars' pixels, or where less than a quarter of
the pairs show it. A class is in the tail where it has less than an even share of the pairs, among the classes that
there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augkit.stages.training_mix import EncodedPairs

PIXELS, SHOWN, PAIRS = 0.5, 0.25, 1.0
"""Of an even share of the pixels; of the pairs; of an even share of the pairs."""


@dataclass(frozen=True)
class Tail:
    """Part ids and class names, in order."""

    parts: tuple[int, ...]
    classes: tuple[str, ...]


def tail_of(real: EncodedPairs) -> Tail:
    """Of real training pairs. Parts that no pair shows are in the tail; classes that no pair shows are unknown here."""
    return Tail(rare_parts(np.array(real.index["histogram"].to_pylist())), rare_classes(real.classes))


def rare_parts(histograms: NDArray[np.int64]) -> tuple[int, ...]:
    """(pairs, channels) pixels -> ids, background (0) left out."""
    parts = histograms[:, 1:]
    share = parts.sum(0) / max(1, parts.sum())
    rare = (share < PIXELS / parts.shape[1]) | ((parts > 0).mean(0) < SHOWN)
    return tuple((np.flatnonzero(rare) + 1).tolist())


def rare_classes(names: list[str]) -> tuple[str, ...]:
    """A class name a pair -> the rare ones."""
    classes, counts = np.unique(np.array(names), return_counts=True)
    return tuple(classes[counts < PAIRS * len(names) / len(classes)].tolist())
