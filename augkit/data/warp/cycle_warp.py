"""The cycle warp: training pairs with exemplars, each its own photo with the faults of the part warp."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from augkit.core.classes import CarClass
from augkit.core.parts import BACKGROUND, IGNORE, Mask
from augkit.core.seeds import derive
from augkit.data.dataset import PairDataset
from augkit.data.draws import Draw, ExemplarPair
from augkit.data.pair import Pair
from augkit.data.warp.part_warp import WarpedPhoto, part_warp
from augkit.data.whole_car import body_of

MOVES = 0.1
"""Share of its sides that a mask is moved by, where no other serves."""
TRIALS = 6
"""Masks drawn for a pair, of which the one that lacks the fewest of its parts is taken."""


Unpaired = Callable[[Pair, Draw], WarpedPhoto]
"""``(pair, the draw that gave it) -> the second exemplar``."""


class CycleWarpPairs:
    """The pairs with exemplars: each photo is warped onto the mask of a pair of its class (any of them), and back.

    So the exemplar has the colours and the light of the photo that is to be made, and the faults of the part warp; what
    repairs it may be compared with the photo pixel by pixel. No near duplicate of the pair serves, or G would learn to
    copy: where a class has no other pair, the mask is the pair's own, moved a little.

    ``unpaired`` gives each a second exemplar: another pair's photo on its mask, as generation has.
    """

    def __init__(self, pairs: PairDataset, unpaired: Unpaired | None = None) -> None:
        self.pairs, self.unpaired, self.body = pairs, unpaired, body_of(pairs.schema)
        self._alike: dict[CarClass, list[int]] = {}
        for place, row in enumerate(pairs.rows):
            for shown in {row.car_class, row.car_class.mirror}:
                self._alike.setdefault(shown, []).append(place)

    def __len__(self) -> int:
        return len(self.pairs)

    def plain(self, index: int) -> Pair:
        """The pair as it is, without an exemplar."""
        return self.pairs.plain(index)

    def __getitem__(self, draw: Draw) -> ExemplarPair:
        """The pair, augmented with the draw's seed, and its exemplar."""
        pair = self.pairs[draw]
        others = self._strangers(draw.index, self._alike[pair.car_class])
        near = self._nearest(pair, others, derive(draw.seed, "other mask"))
        other = moved(pair.mask, derive(draw.seed, "other mask")) if near is None else near.mask
        unpaired = None if self.unpaired is None else self.unpaired(pair, draw)
        return ExemplarPair(pair, cycle_warp(pair, other, self.body), unpaired)

    def _strangers(self, own: int, places: Sequence[int]) -> list[int]:
        """Those that are no near duplicates of a pair."""
        group = self.pairs.rows[own].group
        return [place for place in places if place != own and (not group or self.pairs.rows[place].group != group)]

    def _nearest(self, item: Pair, places: Sequence[int], seed: int) -> Pair | None:
        """Of some that are drawn, the one that lacks the fewest parts; its mirror image, where that is of the class."""
        if not places:
            return None
        picked = np.random.default_rng(seed).integers(len(places), size=TRIALS)
        shown = [self._shown_as(item.car_class, places[int(place)]) for place in picked]
        return min(shown, key=lambda pair: len(np.setdiff1d(item.mask, pair.mask)))

    def _shown_as(self, car_class: CarClass, place: int) -> Pair:
        other = self.pairs.plain(place)
        return other.flip(self.pairs.schema) if other.car_class == car_class.mirror else other


def moved(mask: Mask, seed: int) -> Mask:
    """The mask stretched and shifted by up to ``MOVES`` of its sides; what comes in is background."""
    height, width = mask.shape
    across, down, right, below = np.random.default_rng(seed).uniform(-MOVES, MOVES, 4)
    matrix = np.array([[1 + across, 0, right * width], [0, 1 + down, below * height]])
    return np.asarray(cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_NEAREST, borderValue=BACKGROUND))


def cycle_warp(item: Pair, other: Mask, body: int | None = None) -> WarpedPhoto:
    """The pair's photo warped onto another mask, and from there onto its own again; ``body`` as in ``part_warp``.

    What the photo does not show (ignored pixels) is not valid either.
    """
    there = part_warp(item.photo, item.mask, other, body)
    back = part_warp(there.photo, np.where(other == IGNORE, BACKGROUND, other), item.mask, body, there.trust)
    return back.without(item.mask == IGNORE)
