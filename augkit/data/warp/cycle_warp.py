"""The cycle warp: training pairs with exemplars, each its own photo with the faults of the part warp."""

from __future__ import annotations

import numpy as np

from augkit.core.classes import CarClass
from augkit.core.parts import BACKGROUND, IGNORE, Mask
from augkit.core.seeds import derive
from augkit.data.dataset import PairDataset
from augkit.data.draws import Draw, ExemplarPair
from augkit.data.pair import Pair
from augkit.data.warp.part_warp import WarpedPhoto, part_warp

TRIALS = 6
"""Masks drawn for a pair, of which the one that lacks the fewest of its parts is taken."""


class CycleWarpPairs:
    """The pairs with exemplars: each photo is warped onto the mask of a pair of its class (any of them), and back.

    So the exemplar has the colours and the light of the photo that is to be made, and the faults of the part warp; what
    repairs it may be compared with the photo pixel by pixel.
    """

    def __init__(self, pairs: PairDataset) -> None:
        self.pairs = pairs
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
        other = self._other_mask(pair, derive(draw.seed, "other mask"))
        return ExemplarPair(pair, cycle_warp(pair, other))

    def _other_mask(self, item: Pair, seed: int) -> Mask:
        """Of a pair of the class, or of a mirror image; now and then the pair's own."""
        choice = self._alike[item.car_class]
        picked = np.random.default_rng(seed).integers(len(choice), size=TRIALS)
        masks = [self._shown_as(item.car_class, choice[int(place)]) for place in picked]
        return min(masks, key=lambda mask: len(np.setdiff1d(item.mask, mask)))

    def _shown_as(self, car_class: CarClass, place: int) -> Mask:
        other = self.pairs.plain(place)
        return other.mask if other.car_class == car_class else self.pairs.schema.flip(other.mask)


def cycle_warp(item: Pair, other: Mask) -> WarpedPhoto:
    """The pair's photo warped onto another mask, and from there onto its own again.

    What the photo does not show (ignored pixels) is not valid either.
    """
    there = part_warp(item.photo, item.mask, other)
    back = part_warp(there.photo, np.where(other == IGNORE, BACKGROUND, other), item.mask)
    return WarpedPhoto(back.photo, back.valid & (item.mask != IGNORE))
