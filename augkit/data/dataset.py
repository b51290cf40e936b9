"""Canonical pairs as a data set for training, at the size of the stage."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from augkit.core.errors import DataError
from augkit.core.parts import PartSchema
from augkit.core.presets import Recipe
from augkit.core.workspace import Workspace
from augkit.data.augment import Augmentation, Silhouette, Step
from augkit.data.canonical_pairs import CanonicalPairs
from augkit.data.catalogue import CatalogueRow
from augkit.data.draws import Draw
from augkit.data.pair import Pair
from augkit.data.pair_files import read_silhouette
from augkit.data.silhouette import car_of


class PairDataset:
    """Rows of the catalogue as training data: canonical pairs of ``size`` px, augmented.

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
        self.pairs = CanonicalPairs(workspace, rows, schema, size)
        self.augment = Augmentation(augment, schema, backgrounds or workspace.backgrounds, last)
        self.show = Augmentation("none", schema, last=last)

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
        return car_of(self.pairs.plain(index).mask, found == 1).astype(np.uint8)

    def _through(self, augment: Augmentation, draw: Draw) -> Pair:
        return augment(self.pairs.plain(draw.index), draw.seed, partial(self.silhouette, draw.index))
