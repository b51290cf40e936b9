"""Which row each place of a run shows: endless, and a function of the seed and the place alone.

A run is a sequence of places 0, 1, 2, ...; a step's batch is the next few of them. ``Epochs`` fills the places with
shuffled epochs of some rows, ``Blend`` with two such sequences in a given proportion, ``Then`` with one after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import floor
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from augkit.core.seeds import derive

Numbers = NDArray[np.int64]


class Sampling(Protocol):
    """See the module."""

    def row(self, seed: int, place: int) -> int:
        """The row at a place."""


@dataclass(frozen=True, eq=False)  # compared by identity: rows are many
class Epochs:
    """Rows in one shuffled epoch after the other, each as long as there are rows.

    Without ``weights`` an epoch shows every row once. With them row i is in it n * w_i / sum(w) times in the mean, and
    never further than one from that (systematic sampling: Madow 1949).
    """

    rows: tuple[int, ...]
    weights: tuple[float, ...] = ()

    def row(self, seed: int, place: int) -> int:
        """See ``Sampling``."""
        epoch, offset = divmod(place, len(self.rows))
        return int(_epoch(self, seed, epoch)[offset])


@dataclass(frozen=True)
class Blend:
    """Two sequences in one: any run of places holds ``share`` of the second, to within one place.

    Place p is of the second where floor(share * p + phase) has just grown, with a phase drawn by the seed, so that each
    place is of the second with probability ``share``. Nothing is lost or repeated out of turn on either side.
    """

    first: Sampling
    second: Sampling
    share: float

    def row(self, seed: int, place: int) -> int:
        """See ``Sampling``."""
        phase = derive(seed, "blend") / 2**63
        before, after = (floor(self.share * count + phase) for count in (place, place + 1))
        if after > before:
            return self.second.row(derive(seed, "second"), before)
        return self.first.row(derive(seed, "first"), place - before)


@dataclass(frozen=True)
class Then:
    """The places of ``first`` up to ``end``, and from there on those of ``last``."""

    first: Sampling
    last: Sampling
    end: int

    def row(self, seed: int, place: int) -> int:
        """See ``Sampling``."""
        if place < self.end:
            return self.first.row(seed, place)
        return self.last.row(derive(seed, "last"), place - self.end)


def evenly(rows: int) -> Sampling:
    """Every row once an epoch."""
    return Epochs(tuple(range(rows)))


def class_weights(names: Sequence[str], power: float) -> tuple[float, ...]:
    """A weight a row: count^-power, with the number of rows of its class. None (empty) for the power 0."""
    if not power:
        return ()
    _, inverse, counts = np.unique(np.array(names), return_inverse=True, return_counts=True)
    return tuple(float(weight) for weight in counts.astype(float)[inverse] ** -power)


@lru_cache(maxsize=8)  # two sequences, and the epochs at either end of a batch
def _epoch(epochs: Epochs, seed: int, epoch: int) -> Numbers:
    picks = np.array(epochs.rows)
    if epochs.weights:
        picks = picks[_systematic(np.array(epochs.weights), derive(seed, "picks", epoch))]
    order: Numbers = picks[np.random.default_rng(derive(seed, "epoch", epoch)).permutation(len(picks))]
    return order


def _systematic(weights: NDArray[np.float64], seed: int) -> Numbers:
    """(n,) row numbers: row i about n * w_i / sum(w) times."""
    ends = weights.cumsum() / weights.sum() * len(weights)
    points = np.random.default_rng(seed).random() + np.arange(len(weights))
    return np.minimum(np.searchsorted(ends, points, side="right"), len(weights) - 1)
