"""Canonical pairs as a data set for training, at the size of the stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from augkit.core.errors import DataError
from augkit.core.parts import PartSchema
from augkit.core.presets import Recipe
from augkit.core.workspace import Workspace
from augkit.data.augment import Augmentation, Silhouette, Step
from augkit.data.catalogue import CatalogueRow
from augkit.data.pair import Pair
from augkit.data.pair_files import read_mask, read_photo, read_silhouette
from augkit.data.silhouette import car_of
from augkit.data.warp.part_warp import WarpedPhoto

CACHE_BYTES = 2 << 30


@dataclass(frozen=True)
class Draw:
    """Which row, and the seed of its augmentation."""

    index: int
    seed: int


@dataclass(frozen=True)
class ExemplarPair:
    """A pair for the training of stage II, and the warped exemplar that its photo is to be made from."""

    pair: Pair
    warped: WarpedPhoto


class Pairs(Protocol):
    """Pairs at the size of a stage, by index; what every trainer draws from."""

    def __len__(self) -> int: ...

    def plain(self, index: int) -> Pair:
        """The pair as it is."""

    def __getitem__(self, draw: Draw) -> Pair | ExemplarPair:
        """The pair, augmented with the draw's seed."""


class PairCache:
    """Items by number, made once and kept while all of them, at ``size`` px, fit into ``CACHE_BYTES``."""

    def __init__(self, make: Callable[[int], Pair], count: int, size: int) -> None:
        self._make, self._keep = make, count * size * size * 4 <= CACHE_BYTES
        self._items: dict[int, Pair] = {}

    def __getitem__(self, index: int) -> Pair:
        if index in self._items:
            return self._items[index]
        item = self._make(index)
        if self._keep:
            self._items[index] = item
        return item


class PairDataset:
    """Rows of the catalogue as pairs of ``size`` px; decoded once and kept while they fit into ``CACHE_BYTES``.

    ``last`` are steps that every pair goes through, a plain one too.
    """

    def __init__(  # noqa: PLR0917  # each is a different thing
        self,
        workspace: Workspace,
        rows: Sequence[CatalogueRow],
        schema: PartSchema,
        size: int,
        augment: str | Recipe = "none",
        backgrounds: Path | None = None,
        last: Sequence[Step] = (),
    ) -> None:
        if not rows:
            raise DataError("no pairs to train on", "at least one usable training row", "see `augkit classes`")
        self.workspace, self.rows, self.schema, self.size = workspace, tuple(rows), schema, size
        self.augment = Augmentation(augment, schema, backgrounds or workspace.backgrounds, last)
        self.show = Augmentation("none", schema, last=last)
        self._items = PairCache(self._read, len(rows), size)

    def __len__(self) -> int:
        return len(self.rows)

    def plain(self, index: int) -> Pair:
        """The pair as it is. Raises DataError where a file is missing, broken or of another size."""
        return self._through(self.show, Draw(index, 0))

    def __getitem__(self, draw: Draw) -> Pair:
        """The pair, augmented with the draw's seed."""
        return self._through(self.augment, draw)

    def silhouette(self, index: int) -> Silhouette:
        """(S, S): 1 on the car, its parts among it. Raises DataError where there is none."""
        found = read_silhouette(self.workspace, self.rows[index].id, self.size)
        return car_of(self._items[index].mask, found == 1).astype(np.uint8)

    def _through(self, augment: Augmentation, draw: Draw) -> Pair:
        return augment(self._items[draw.index], draw.seed, partial(self.silhouette, draw.index))

    def _read(self, index: int) -> Pair:
        row = self.rows[index]
        mask = read_mask(self.workspace.mask(row.id))
        photo = read_photo(self.workspace.photo(row.id))
        if photo.shape[:2] != mask.shape:
            raise DataError(
                f"{self.workspace.mask(row.id)}: {mask.shape[1]} x {mask.shape[0]} px",
                f"the size of its photo, {photo.shape[1]} x {photo.shape[0]} px",
                "import the data again",
            )
        self.schema.check(mask, str(self.workspace.mask(row.id)))
        return Pair(photo, mask, row.car_class).resize(self.size)
