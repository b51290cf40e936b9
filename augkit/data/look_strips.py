"""Looks that are near one another, all of them, at a part of the comparisons of each with each.

The two frequencies that vary most arrange the looks: strips by the one, in order of the other within a strip. A look is
near those alone that are near it in these two, too: of a strip that lies so far away, one run of looks. How far a run
reaches follows from the whole distance (Pythagoras), so no look is missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augkit.data.look_distances import LOWEST, Places, collected, factors, swapped
from augkit.data.photo_looks import Looks

_ROWS = 64  # looks compared by one product
_COLUMNS = 1 << 14  # with at most so many
_IN_A_STRIP = 1000  # at least
_MOST_STRIPS = 32
_SPAN = 256  # values of a frequency


@dataclass(frozen=True)
class _Strips:
    places: Places
    ones: NDArray[np.float32]
    keys: NDArray[np.int64]
    """Strip * 256 + the value that orders it, which is 0..255; sorted."""
    begins: NDArray[np.intp]
    bases: Places
    """The strips' first looks, and the least keys that they may have."""
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    """The strips' bounds in the other frequency."""

    @classmethod
    def of(cls, looks: Looks, places: Places, axes: tuple[int, int]) -> _Strips:
        count = min(_MOST_STRIPS, max(1, len(places) // _IN_A_STRIP))
        across, along = (looks[places, axis].astype(np.int64) + 128 for axis in axes)
        strips = np.searchsorted(np.quantile(across, np.arange(1, count) / count), across)
        keys = strips * _SPAN + along
        order = np.argsort(keys, kind="stable")
        keys, across = keys[order], across[order]
        begins = np.unique(keys // _SPAN, return_index=True)[1]
        low, high = np.minimum.reduceat(across, begins), np.maximum.reduceat(across, begins)
        return cls(places[order], factors(looks[places[order]]), keys, begins, keys[begins] // _SPAN * _SPAN, low, high)

    def blocks(self) -> Iterator[tuple[int, slice]]:
        """Runs of looks of one strip, with its number."""
        for strip, (begin, end) in enumerate(zip(self.begins, [*self.begins[1:], len(self.keys)], strict=True)):
            for first in range(begin, end, _ROWS):
                yield strip, slice(first, min(first + _ROWS, end))

    def reached(self, low: int, high: int, first: int, last: int, limit: int) -> NDArray[np.intp]:
        """Which may be near some that lie between these values across and along: of each strip one run."""
        gaps = np.maximum(0, np.maximum(self.low - high, low - self.high))
        gaps *= gaps
        strips = np.flatnonzero(gaps <= limit)
        reach = np.sqrt(limit - gaps[strips]).astype(np.int64)
        begins = np.searchsorted(self.keys, self.bases[strips] + np.maximum(0, first - reach))
        ends = np.searchsorted(self.keys, self.bases[strips] + np.minimum(_SPAN - 1, last + reach), "right")
        lengths = ends - begins
        return np.repeat(ends - np.cumsum(lengths), lengths) + np.arange(lengths.sum())


def by_strips(looks: Looks, first: int, limit: int) -> Places | None:
    """Pairs of near looks of which the later one is at the place ``first`` or after: later * count + earlier, sorted;
    None where pairs are ``collected`` no more."""
    found = collected(_candidates(looks, first, limit), looks, limit)
    return None if found is None else np.sort(found)


def _candidates(looks: Looks, first: int, limit: int) -> Iterator[tuple[Places, Places]]:
    """Places of those whose lowest frequencies are near, each pair once."""
    spread = looks[:, :LOWEST].astype(np.float32).var(axis=0)
    along, across = np.argsort(spread)[-2:].tolist()
    old, new = (
        _Strips.of(looks, places, (across, along)) if len(places) else None
        for places in np.split(np.arange(len(looks)), [first])
    )
    for others in (old, new):
        if new and others:
            yield from _compared(new, others, limit)


def _compared(rows: _Strips, others: _Strips, limit: int) -> Iterator[tuple[Places, Places]]:
    columns = swapped(others.ones)
    for strip, block in rows.blocks():
        along = rows.keys[block] % _SPAN
        at = others.reached(rows.low[strip], rows.high[strip], along[0], along[-1], limit)
        if rows is others:
            at = at[at >= block.start]
        for begin in range(0, len(at), _COLUMNS):
            some = at[begin : begin + _COLUMNS]
            one, other = np.divmod(np.flatnonzero(rows.ones[block] @ columns[some].T >= -limit / 2), len(some))
            one, other = one + block.start, some[other]
            if rows is others:
                one, other = one[other > one], other[other > one]
            yield rows.places[one], others.places[other]
