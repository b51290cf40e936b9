"""Colours of masks and the parts they stand for: exact colours by a table, the others by distance, up to a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import DataError
from augkit.core.parts import IGNORE, Colour, Mask

Codes = NDArray[np.uint32]

_EXACT, _NEAR, _UNKNOWN = 1, 2, 3


@dataclass(frozen=True)
class Matched:
    """Colours as part ids. ``ids`` has the shape of the colours without the last axis; the rest are shares of them.

    ``inexact`` is the share that is no colour of the palette, ``unknown`` the share that is not even near one and
    became ignore.
    """

    ids: Mask
    inexact: float
    unknown: float


@dataclass(frozen=True)
class Palette:
    """``colours`` are (RGB, part id), each colour once; several colours may stand for one part.

    A colour that is not in it counts as the nearest one, by Euclidean distance in 8-bit RGB, the one listed first
    among equals, where that is at most ``LIMIT`` away, and as ignore (255) beyond. That takes palettes off by a few
    steps and compression artefacts; halfway between two parts' colours, where a smoothed edge passes, it says ignore.
    """

    LIMIT: ClassVar[float] = 48.0

    colours: tuple[tuple[Colour, int], ...]

    @classmethod
    def of(cls, named: Sequence[tuple[Colour, int, str]]) -> Palette:
        """From (colour, part id, name). Raises DataError where one colour stands for two parts."""
        by_colour: dict[Colour, tuple[int, str]] = {}
        for colour, id, name in named:
            other_id, other = by_colour.setdefault(colour, (id, name))
            if other_id != id:
                raise DataError(f"{other} and {name} have one colour, {_hex(colour)}: masks in colours cannot be told")
        return cls(tuple((colour, id) for colour, (id, _) in by_colour.items()))

    def match(self, rgb: Mask) -> Matched:
        """(..., 3) colours -> part ids."""
        codes, memo = _packed(rgb), _memo(self)
        found = memo[codes]
        fresh = np.unique(codes[found == 0])
        if fresh.size:
            memo[fresh] = self._nearest(fresh)
            found = memo[codes]
        counts = np.bincount((found >> 8).reshape(-1), minlength=4) / max(1, codes.size)
        return Matched(found.astype(np.uint8), float(counts[_NEAR] + counts[_UNKNOWN]), float(counts[_UNKNOWN]))

    def same(self, colour: Colour) -> int | None:
        """The part id of a colour that is the palette's but for at most two steps a channel, else None."""
        apart = [max(abs(a - b) for a, b in zip(colour, known, strict=True)) for known, _ in self.colours]
        least = min(apart)
        return self.colours[apart.index(least)][1] if least <= 2 else None

    def _nearest(self, codes: Codes) -> NDArray[np.uint16]:
        """(N,) packed colours -> (N,) entries of the memo."""
        rgb = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(np.int32)
        least = np.full(len(codes), self.LIMIT**2 + 0.5)
        result = np.full(len(codes), _UNKNOWN << 8 | IGNORE, np.uint16)
        for colour, id in self.colours:
            distance = np.square(rgb - np.asarray(colour, np.int32)).sum(axis=1)
            closer = distance < least
            least[closer], result[closer] = distance[closer], _NEAR << 8 | id
            result[distance == 0] = _EXACT << 8 | id
        return result


@lru_cache(maxsize=2)
def _memo(palette: Palette) -> NDArray[np.uint16]:  # noqa: ARG001 (the key of the cache)
    """(2**24,) what is known of each packed colour: kind << 8 | part id, 0 where it was not met yet.

    32 MB of address space, of which the pages of colours that occur take memory.
    """
    return np.zeros(2**24, np.uint16)


def _packed(rgb: Mask) -> Codes:
    wide = rgb.astype(np.uint32)
    return np.asarray(wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2], np.uint32)


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
