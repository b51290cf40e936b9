"""Which rows train, which validate, which test.

The rule, a class at a time:

- What is dealt out are photos, not rows: rows whose source files have the same sha256 share a split.
- The photos of a class are put in the order of a hash of (seed, sha256). The first ``val_share`` of them validate,
  the last ``test_share`` test, the others train. The order does not depend on the other photos, so a photo added or
  removed moves at most one other across each border of its own class and none of another class.
- A class with fewer than 4 photos trains with all of them: it is the rare classes that generators are short of.
- From 4 photos on, a split whose share is not 0 holds at least one. Training always keeps at least one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from augkit.classes import CarClass
from augkit.data.catalogue import CatalogueRow, Split
from augkit.seeds import derive

FEWEST_TO_SPLIT = 4


def assign_splits(rows: Sequence[CatalogueRow], val_share: float, test_share: float, seed: int) -> list[CatalogueRow]:
    """The rows with their splits; a function of the rows' classes and sha256, the shares and the seed.

    Rows with a problem stay in ``train``, where nobody sees them.
    """
    photos: dict[str, CarClass] = {}
    for row in rows:
        if not row.problem:
            photos[row.sha256] = min(row.car_class, photos.get(row.sha256, row.car_class))
    splits: dict[str, Split] = {}
    for car_class in set(photos.values()):
        members = sorted(
            (sha for sha, own in photos.items() if own == car_class), key=lambda sha: (derive(seed, "split", sha), sha)
        )
        val, test = split_sizes(len(members), val_share, test_share)
        for place, sha in enumerate(members):
            splits[sha] = "val" if place < val else "test" if place >= len(members) - test else "train"
    return [row if row.problem else replace(row, split=splits[row.sha256]) for row in rows]


def split_sizes(count: int, val_share: float, test_share: float) -> tuple[int, int]:
    """How many of a class's photos validate and test."""
    if count < FEWEST_TO_SPLIT:
        return 0, 0
    val, test = (max(1, math.floor(share * count + 0.5)) if share else 0 for share in (val_share, test_share))
    test = min(test, count - 1 - min(val, count - 1))
    return min(val, count - 1), test
