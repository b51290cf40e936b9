"""Which rows train, which validate, which test.

The rule, a class at a time:

- What is dealt out are groups, not rows: photos with the same sha256 and near duplicates
  (``augkit.data.near_duplicates``) share a split. A group has the smallest sha256 of its photos as its name, and the
  smallest of their classes.
- A split that the data set fixes is kept, even where it tears a group (the audit says so). Rows of the same group
  that nothing fixes go where the fixed ones are, to the test or validation side if they are on several.
- The other groups of a class are put in the order of a hash of (seed, name). The first ``val_share`` of them validate,
  the last ``test_share`` test, the others train. The order does not depend on the other groups, so a photo added or
  removed moves at most one other group across each border of its own class and none of another class. A photo that
  joins a group may give it its name, and so another place; one that joins two groups makes them one.
- A class with fewer than 4 groups trains with all of them: it is the rare classes that generators are short of. With
  the fourth it begins to be split.
- From 4 groups on, a split whose share is not 0 holds at least one. Training always keeps at least one.
"""

from __future__ import annotations

import math
from array import array

import numpy as np
from numpy.typing import NDArray

from augkit.core.classes import ALL_CLASSES
from augkit.core.seeds import derive
from augkit.data.catalogue import SPLITS, CatalogueRow, Split
from augkit.data.near_duplicates import hash_bits

FEWEST_TO_SPLIT = 4
_FREE = -1
_HASH = "S64"  # sha256 in hex
_TRAIN, _VAL, _TEST = (SPLITS.index(split) for split in ("train", "val", "test"))

Numbers = NDArray[np.int64]


class Ledger:
    """What groups and splits need to know of every row, in a hundred bytes a row instead of a thousand."""

    def __init__(self) -> None:
        self._sha256 = bytearray()
        self._phash, self._known = array("Q"), bytearray()
        self._classes, self._fixed, self._usable = bytearray(), array("b"), bytearray()

    def add(self, row: CatalogueRow, fixed: bool = False) -> None:
        """One more row; ``fixed`` where its split is the data set's own."""
        self._sha256 += row.sha256.encode().ljust(64, b"\0")
        self._phash.extend(hash_bits(row.phash))
        self._known.append(bool(row.phash))
        self._classes.append(row.car_class.number)
        self._fixed.append(SPLITS.index(row.split) if fixed else _FREE)
        self._usable.append(not row.problem)

    def __len__(self) -> int:
        return len(self._usable)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(N,) rows without a problem."""
        return np.frombuffer(self._usable, np.bool_)

    @property
    def sha256(self) -> NDArray[np.bytes_]:
        """(N,) in hex."""
        return np.frombuffer(self._sha256, _HASH)

    @property
    def phash(self) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
        """(N, 2) perceptual hashes of photos and of their mirror images, and which rows have them."""
        return np.frombuffer(self._phash, np.uint64).reshape(-1, 2), np.frombuffer(self._known, np.bool_)

    @property
    def classes(self) -> NDArray[np.uint8]:
        """(N,) places in ``ALL_CLASSES``."""
        return np.frombuffer(self._classes, np.uint8)

    @property
    def fixed(self) -> NDArray[np.int8]:
        """(N,) places in ``SPLITS``, -1 where the data set fixes none."""
        return np.frombuffer(self._fixed, np.int8)


def assign_splits(ledger: Ledger, groups: Numbers, val_share: float, test_share: float, seed: int) -> list[Split]:
    """A split a row; a function of the rows' classes, sha256 and groups, the shares and the seed.

    ``groups`` (N,) are numbers 0..G-1, equal for rows that belong together. Rows with a problem stay in ``train``,
    where nobody sees them.
    """
    usable, fixed, count = np.flatnonzero(ledger.usable), ledger.fixed, int(groups.max(initial=-1)) + 1
    names, classes, splits = group_names(ledger, groups), np.full(count, 255, np.uint8), np.full(count, _FREE, np.int8)
    np.minimum.at(classes, groups[usable], ledger.classes[usable])
    np.maximum.at(splits, groups[usable], fixed[usable])  # train < val < test
    for number in range(len(ALL_CLASSES)):
        members = np.flatnonzero((classes == number) & (splits == _FREE))
        by_name = ((names[group].item(), group) for group in members.tolist())
        order = [group for _, _, group in sorted((derive(seed, "split", sha.decode()), sha, g) for sha, g in by_name)]
        val, test = split_sizes(len(order), val_share, test_share)
        splits[order] = _TRAIN
        splits[order[:val]] = _VAL
        splits[order[len(order) - test :]] = _TEST
    dealt = np.where(fixed == _FREE, splits[groups], fixed)
    return [SPLITS[place] for place in np.where(ledger.usable, dealt, _TRAIN).tolist()]


def group_names(ledger: Ledger, groups: Numbers) -> NDArray[np.bytes_]:
    """(G,) the smallest sha256 of each group's usable rows."""
    usable = np.flatnonzero(ledger.usable)
    order = usable[np.lexsort((ledger.sha256[usable], groups[usable]))]
    present, first = np.unique(groups[order], return_index=True)
    names = np.zeros(int(groups.max(initial=-1)) + 1, np.dtype(_HASH))
    names[present] = ledger.sha256[order[first]]
    return names


def split_sizes(count: int, val_share: float, test_share: float) -> tuple[int, int]:
    """How many of a class's groups validate and test."""
    if count < FEWEST_TO_SPLIT:
        return 0, 0
    val, test = (max(1, math.floor(share * count + 0.5)) if share else 0 for share in (val_share, test_share))
    test = min(test, count - 1 - min(val, count - 1))
    return min(val, count - 1), test
