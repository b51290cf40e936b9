"""Pairs made twice: near one another in mask and photo. Told from the whole data set, so that workers do not matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from augkit.core.parts import Mask, PartSchema
from augkit.data.crop import Photo
from augkit.data.near_duplicates import MIN_CORRELATION, correlation, thumb
from augkit.data.photo_looks import looks_of
from augkit.metrics.copies import SIDE, nearest_mask

REASON = "duplicate"
SCORE = "duplicate_distance"


@dataclass(frozen=True)
class SmallPair:
    """What duplicates are told by: the grey photo of 32 px and the mask of 64 px."""

    thumb: Photo
    mask: Mask

    @classmethod
    def of(cls, photo: Photo, mask: Mask) -> SmallPair:
        """Of a pair of any size."""
        small = cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
        return cls(thumb(photo), np.asarray(small, np.uint8))


@dataclass
class KeptPairs:
    """The pairs of one class that were judged so far, in their order: looks of their photos, and which were kept."""

    schema: PartSchema
    bound: float
    looks: list[bytes] = field(default_factory=list)
    kept: bytearray = field(default_factory=bytearray)

    def anew(self) -> KeptPairs:
        """The same with nothing seen."""
        return KeptPairs(self.schema, self.bound)

    def trust(self, look: bytes, kept: bool) -> None:
        """Adds a pair that was judged before."""
        self.looks.append(look)
        self.kept.append(kept)

    def judge(self, looks: Sequence[bytes], pair_of: Callable[[int], SmallPair]) -> list[float]:
        """For each of the next pairs the distance to the nearest mask of an alike photo, 1 where none is alike; below
        ``bound`` it is a duplicate.

        Alike means near duplicates by ``augkit.data.near_duplicates``; an earlier pair is kept, the later one is the
        duplicate. Pairs are asked for by their places, those alone whose looks are near.
        """
        from augkit.data.look_search import earlier_alike

        first = len(self.looks)
        self.looks += looks
        self.kept += b"\1" * len(looks)
        distances = [1.0] * len(looks)
        known, places = looks_of(self.looks)
        for at, earlier in earlier_alike(known, int(np.searchsorted(places, first)), MIN_CORRELATION):
            place = int(places[at])
            distance = self._nearest(place, [other for other in places[earlier].tolist() if self.kept[other]], pair_of)
            distances[place - first] = distance
            self.kept[place] = distance >= self.bound
        return distances

    def _nearest(self, place: int, others: Sequence[int], pair_of: Callable[[int], SmallPair]) -> float:
        if not others:
            return 1.0
        own = pair_of(place)
        alike = [pair.mask for pair in map(pair_of, others) if correlation(own.thumb, pair.thumb) >= MIN_CORRELATION]
        return float(nearest_mask([own.mask], alike, self.schema)[0][0]) if alike else 1.0
