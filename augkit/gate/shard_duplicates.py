"""Duplicates among the pairs of shards, told in the order of the shards. What was told stays told: of earlier shards no
more is read than the few pairs whose looks are near those of new ones."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import pyarrow as pa

from augkit.core.storage import Storage
from augkit.data.photo_looks import look_of
from augkit.data.whole_car import without_body
from augkit.gate.duplicates import REASON, KeptPairs, SmallPair
from augkit.shards.codec import decode_mask, decode_photo
from augkit.shards.commit import Commit
from augkit.shards.index import with_later
from augkit.shards.reader import read_stored

JUDGED = frozenset({"generated", "pseudo"})
"""Sources of pairs that the gate judges."""

SourceOf = Callable[[str], tuple[Storage, Commit]]
"""Where the pairs of a shard of that name are, and its commit record."""

_ROWS = 1 << 24  # more than a shard has
_PAIRS_KEPT = 1 << 14  # of 5 KB


@dataclass(frozen=True)
class Told:
    """Of a pair that nothing else rejects: its distance to the nearest alike pair, and the look of its photo."""

    distance: float
    look: bytes
    twice: bool


class ShardDuplicates:
    """The pairs of all classes that were told so far; ``nothing`` is what to begin with in a class."""

    def __init__(self, nothing: KeptPairs) -> None:
        self._nothing = nothing
        self.shards: list[str] = []
        """Those with pairs to compare, in order."""
        self._classes: dict[str, KeptPairs] = defaultdict(nothing.anew)
        self._rows: dict[str, array[int]] = defaultdict(partial(array, "q"))

    def anew(self) -> ShardDuplicates:
        """The same with nothing seen."""
        return ShardDuplicates(self._nothing)

    def trust(self, commit: Commit) -> bool:
        """Takes the next shard as it is; does nothing where looks are missing, and says so."""
        rows = _candidates(commit.table)
        if any(look is None for _, _, look, _ in rows):
            return False
        for place, class_name, look, twice in rows:
            self._enter(len(self.shards), place, class_name)
            self._classes[class_name].trust(look or b"", not twice)
        self.shards += [commit.name] if rows else []
        return True

    def tell(self, names: Sequence[str], source_of: SourceOf) -> dict[str, dict[int, Told]]:
        """What holds of the rows of the next shards, by shard and row; of others there is nothing to tell."""
        source_of = lru_cache(8)(source_of)
        new: dict[str, list[tuple[str, int, bytes]]] = defaultdict(list)
        for name in names:
            storage, commit = source_of(name)
            rows = _candidates(commit.table)
            for place, class_name, look, _ in rows:
                found = look if look is not None else look_of(self._small_pair(storage, commit, place).thumb)
                self._enter(len(self.shards), place, class_name)
                new[class_name].append((name, place, found))
            self.shards += [name] if rows else []
        told: dict[str, dict[int, Told]] = {name: {} for name in names}
        for class_name, seen in new.items():
            kept = self._classes[class_name]
            pair_of = lru_cache(_PAIRS_KEPT)(partial(self._pair_of, class_name, source_of))
            distances = kept.judge([look for _, _, look in seen], pair_of)
            for (name, place, look), distance in zip(seen, distances, strict=True):
                told[name][place] = Told(distance, look, distance < kept.bound)
        return told

    def _enter(self, number: int, place: int, class_name: str) -> None:
        self._rows[class_name].append(number * _ROWS + place)

    def _pair_of(self, class_name: str, source_of: SourceOf, place: int) -> SmallPair:
        number, row = divmod(self._rows[class_name][place], _ROWS)
        return self._small_pair(*source_of(self.shards[number]), row)

    def _small_pair(self, storage: Storage, commit: Commit, place: int) -> SmallPair:
        stored = read_stored(storage, commit.table.slice(place, 1).to_pylist()[0])
        mask = without_body(decode_mask(stored.full), self._nothing.schema.channels)
        return SmallPair.of(decode_photo(stored.photo), mask)


def _candidates(table: pa.Table) -> list[tuple[int, str, bytes | None, bool]]:
    """Rows that nothing but another pair rejects: place, class, look (None in shards of earlier versions), and whether
    they are marked. A rejected pair takes no place."""
    names = ("class", "source", "shard", "reasons", "look")
    columns = (column.to_pylist() for column in with_later(table).select(names).columns)
    return [
        (place, class_name, look, REASON in reasons)
        for place, (class_name, source, shard, reasons, look) in enumerate(zip(*columns, strict=True))
        if source in JUDGED and shard is not None and not set(reasons) - {REASON}
    ]
