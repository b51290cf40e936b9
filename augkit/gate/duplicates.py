"""Pairs made twice: near one another in mask and photo. Told from the whole data set, so that workers do not matter."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from augkit.core.parts import Mask, PartSchema
from augkit.data.crop import Photo
from augkit.data.near_duplicates import MIN_CORRELATION, correlation, thumb
from augkit.metrics.copies import SIDE, nearest_mask

REASON = "duplicate"
SCORE = "duplicate_distance"


@dataclass
class KeptPairs:
    """The pairs of one class that were kept so far: masks of 64 px, and grey photos of 32 px."""

    schema: PartSchema
    bound: float
    masks: list[Mask] = field(default_factory=list)
    thumbs: list[Photo] = field(default_factory=list)

    def anew(self) -> KeptPairs:
        """The same with nothing seen."""
        return KeptPairs(self.schema, self.bound)

    def judge(self, mask: Mask, photo: Photo) -> tuple[dict[str, float], bool]:
        """The distance to the nearest mask of an alike photo (1 where none is alike), and whether that is a duplicate.

        Alike means near duplicates by ``augkit.data.near_duplicates``; an earlier pair is kept, the later one is the
        duplicate. What is none is remembered.
        """
        own = thumb(photo)
        alike = [place for place, other in enumerate(self.thumbs) if correlation(own, other) >= MIN_CORRELATION]
        distance = 1.0
        if alike:
            distance = float(nearest_mask([mask], [self.masks[place] for place in alike], self.schema)[0][0])
        if distance < self.bound:
            return {SCORE: distance}, True
        self.masks.append(np.asarray(cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST), np.uint8))
        self.thumbs.append(own)
        return {SCORE: distance}, False


class NoDuplicates:
    """Sees no duplicates: where nothing says how near is too near."""

    def anew(self) -> NoDuplicates:
        """The same."""
        return self

    def judge(self, mask: Mask, photo: Photo) -> tuple[dict[str, float], bool]:
        """No score."""
        del mask, photo
        return {}, False
