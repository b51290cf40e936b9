"""Real pairs as the gate learns from them: training rows in folds, so that each can be judged as if it were new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import PartSchema
from augkit.core.progress import Progress, silent
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.canonical_pairs import CanonicalPairs
from augkit.data.catalogue import CatalogueRow, TrainingRows, read_catalogue, usable
from augkit.data.crop import Photo
from augkit.data.pair import Pair
from augkit.gate.gate_check import CHECKS
from augkit.gate.options import GateOptions, Segmenters
from augkit.shards.codec import decode_photo, encode_photo

FEWEST = 8
"""Training pairs (near duplicates count once) below which the gate learns nothing worth a verdict."""


@dataclass(frozen=True)
class Folds:
    """Fold numbers of training rows by id; near duplicates share one. ``groups`` are those of all rows, by id."""

    numbers: Mapping[str, int]
    groups: Mapping[str, str]
    count: int

    @classmethod
    def of(cls, rows: Sequence[CatalogueRow], count: int, seed: int) -> Folds:
        """Deals each class's groups out evenly, in an order that only the seed decides.

        Raises DataError where there are too few groups.
        """
        training = TrainingRows.of(rows).rows
        groups = {row.id: row.group or row.sha256 or row.id for row in rows}
        classes: dict[str, int] = {}
        for row in training:
            classes[groups[row.id]] = min(classes.get(groups[row.id], 255), row.car_class.number)
        if len(classes) < max(FEWEST, count):
            raise DataError(
                f"{len(classes)} different training photos (near duplicates count once)",
                f"at least {max(FEWEST, count)}, from which the gate learns what real pairs look like",
                "import more photos, or switch its checks off: --set gate.checks=[]",
            )
        order = sorted(classes, key=lambda group: (classes[group], derive(seed, "gate", group)))
        dealt = {group: place % count for place, group in enumerate(order)}
        return cls({row.id: dealt[groups[row.id]] for row in training}, groups, count)

    @classmethod
    def one(cls, rows: Sequence[CatalogueRow]) -> Folds:
        """No folds: where nothing is fitted, nothing has to be left out."""
        return cls({row.id: 0 for row in TrainingRows.of(rows).rows}, {}, 1)

    def __getitem__(self, id: str) -> int:
        return self.numbers[id]

    def judge(self, id: str) -> int:
        """Which fit may judge the row: the one without its fold; the last, over all folds, for any other pair."""
        return self.numbers.get(id, self.count)


@dataclass(frozen=True)
class ReferenceSet:
    """A workspace as the gate sees it; ``folder`` is where its judges are kept."""

    workspace: Workspace
    schema: PartSchema
    options: GateOptions
    segmenters: Segmenters
    rows: tuple[CatalogueRow, ...]
    folds: Folds
    folder: Path
    progress: Progress

    @classmethod
    def open(
        cls,
        workspace: Workspace,
        schema: PartSchema,
        options: GateOptions,
        segmenters: Segmenters,
        progress: Progress = silent,
    ) -> ReferenceSet:
        """Raises DataError where there is too little to learn from, and ConfigError for checks that there are not.

        Pairs of the split ``val`` are there to be judged, those of ``test`` are left out: neither decides anything, not
        even a bound.
        """
        unknown = [name for name in options.checks if name not in CHECKS]
        if unknown:
            raise ConfigError(f"gate.checks names {unknown[0]!r}", "checks out of " + ", ".join(sorted(CHECKS)))
        rows = tuple(row for row in usable(read_catalogue(workspace.require_catalogue())) if row.split != "test")
        folds = Folds.of(rows, options.folds, options.seed) if options.checks else Folds.one(rows)
        return cls(workspace, schema, options, segmenters, rows, folds, workspace.gate, progress)

    @cached_property
    def pairs(self) -> CanonicalPairs:
        """All usable pairs, at the size of generated ones."""
        return CanonicalPairs(self.workspace, self.rows, self.schema, self.options.size)

    @cached_property
    def training_places(self) -> list[int]:
        """Places of the training rows: what is learnt, and every bound, comes from these."""
        return [place for place, row in enumerate(self.rows) if row.id in self.folds.numbers]

    def training(self) -> Iterator[tuple[Pair, CatalogueRow]]:
        """Training pairs with their rows."""
        for place in self.training_places:
            yield self.pairs.plain(place), self.rows[place]

    def stored(self, photo: Photo) -> Photo:
        """A (H, W, 3) photo as it comes back from a shard."""
        return decode_photo(encode_photo(photo, self.options.quality, self.options.lossless)[0])

    def without(self, fold: int) -> list[CatalogueRow]:
        """Training rows outside a fold; all for the number behind the last one."""
        return [row for row in self.rows if self.folds.numbers.get(row.id, fold) != fold]

    def both(self, pair: Pair) -> tuple[Pair, Pair]:
        """A pair and its mirror image."""
        return pair, pair.flip(self.schema)
