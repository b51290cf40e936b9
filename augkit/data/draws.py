"""What training draws from: pairs by index, each augmented with a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from augkit.data.pair import Pair
from augkit.data.warp.part_warp import WarpedPhoto


@dataclass(frozen=True)
class Draw:
    """Which row, and the seed of its augmentation."""

    index: int
    seed: int


@dataclass(frozen=True)
class ExemplarPair:
    """A pair for the training of stage II, and the warped exemplar that its photo is to be made from.

    ``unpaired`` is another pair's photo warped onto this one's mask: what is made from it has no real counterpart.
    """

    pair: Pair
    warped: WarpedPhoto
    unpaired: WarpedPhoto | None = None


class Pairs(Protocol):
    """Pairs at the size of a stage, by index; what every trainer draws from."""

    def __len__(self) -> int: ...

    def plain(self, index: int) -> Pair:
        """The pair as it is."""

    def __getitem__(self, draw: Draw) -> Pair | ExemplarPair:
        """The pair, augmented with the draw's seed."""
