"""Unpaired exemplars for training: another pair's photo on a pair's mask, as it lies there in use."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from augkit.core.parts import IGNORE
from augkit.core.seeds import derive
from augkit.data.dataset import PairDataset
from augkit.data.draws import Draw
from augkit.data.pair import Pair
from augkit.data.warp.cycle_warp import cycle_warp, moved
from augkit.data.warp.part_warp import WarpedPhoto
from augkit.gan.exemplars import ExemplarBank


class UnpairedExemplars:
    """What stage II will start from, for a pair of the training: drawn from a bank of all pairs by likeness, missing
    parts taken from others.

    D learns the faults that it is shown. They have to be those of generation: among exemplars drawn at random, worse
    ones would be the easier to tell, and what is good enough in use would be judged by nobody. For the same reason the
    exemplar is augmented as the pair is: to move a photo softens it, and D would tell the one that was not moved.

    Neither the pair nor its near duplicates serve.
    """

    def __init__(self, pairs: PairDataset) -> None:
        self.pairs, names = pairs, [row.id for row in pairs.rows]
        self.bank = ExemplarBank.of([pairs.plain(place) for place in range(len(pairs))], names, pairs.schema)
        self._groups: dict[str, set[int]] = {}
        for place, row in enumerate(pairs.rows):
            if row.group:
                self._groups.setdefault(row.group, set()).add(place)

    def __call__(self, pair: Pair, draw: Draw) -> WarpedPhoto:
        """Of the pair that the draw gave; its own photo, warped over its mask moved a little, where no other serves."""
        own = {draw.index} | self._groups.get(self.pairs.rows[draw.index].group, set())
        seed = derive(draw.seed, "unpaired")
        fitting = self.bank.like(pair.mask, pair.car_class, own) or [n for n in range(len(self.pairs)) if n not in own]
        if not fitting:
            return cycle_warp(pair, moved(pair.mask, seed), self.bank.body)
        place = fitting[int(np.random.default_rng(seed).integers(len(fitting)))]
        return self._warped(place, pair, seed, own)

    def _warped(self, place: int, pair: Pair, seed: int, own: Collection[int]) -> WarpedPhoto:
        held, augmented = self.bank.at(place), self.pairs[Draw(place % len(self.pairs), seed)]
        if augmented.car_class != held.pair.car_class:  # it was flipped, or it is the mirror image that is asked for
            augmented = augmented.flip(self.pairs.schema)
        warped = self.bank.warp(replace(held, pair=augmented), pair.mask, pair.car_class, own)
        return warped.without(pair.mask == IGNORE)
