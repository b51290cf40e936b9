"""What a report tells of the rows of an index, from one pass over them: counts, and of each made pair its rank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from augkit.report.rejections import RANKED, RejectionCounts, mean_rank, score_values
from augkit.shards.tallies import Tally, tally
from augkit.shards.writer import SCORE

_COLUMNS = ["key", "class", "source", "split", "accepted", "shard", "reasons", "histogram", "seed", "mask_model",
            "image_model"]  # fmt: skip


class IndexRows(Protocol):
    """Rows of an index, of which few are Python objects at a time."""

    @property
    def columns(self) -> Sequence[str]:
        """The names of all columns."""

    def tables(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """All rows in their order, with these columns alone."""

    def at(self, places: Sequence[int] | NDArray[np.intp]) -> list[dict[str, Any]]:
        """The rows of these places."""


@dataclass(frozen=True)
class HeldRows:
    """The rows of a table in memory."""

    table: pa.Table

    @property
    def columns(self) -> list[str]:
        """See ``IndexRows``."""
        return list(self.table.column_names)

    def tables(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """See ``IndexRows``."""
        yield self.table.select(list(columns))

    def at(self, places: Sequence[int] | NDArray[np.intp]) -> list[dict[str, Any]]:
        """See ``IndexRows``."""
        return list(self.table.take(pa.array(places, pa.int64())).to_pylist())


@dataclass(frozen=True)
class MadePairs:
    """The accepted generated pairs in the order of the index: places of their rows, numbers of their classes among the
    sorted ``class_names``, and ranks (0 to 1)."""

    places: NDArray[np.int64]
    class_names: Sequence[str]
    class_of: NDArray[np.int64]
    rank: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.places)

    def count(self, class_name: str) -> int:
        """Pairs of a class."""
        return int((self.class_of == self.class_names.index(class_name)).sum())


@dataclass(frozen=True)
class PartSums:
    """Pixels of each part over some pairs, and in how many it shows; by part id."""

    pixels: NDArray[np.int64]
    pairs: NDArray[np.int64]

    def __add__(self, other: PartSums) -> PartSums:
        return PartSums(self.pixels + other.pixels, self.pairs + other.pairs)

    @classmethod
    def of(cls, histograms: NDArray[np.int64]) -> PartSums:
        """Of (N, parts) counts of pixels."""
        return cls(histograms.sum(0), (histograms > 0).sum(0))

    @classmethod
    def none(cls, channels: int) -> PartSums:
        """Of no pair."""
        return cls.of(np.zeros((0, channels), np.int64))


@dataclass
class IndexOverview:
    """``accepted`` counts by source, class and split; ``parts`` are sums by source and split, ``models`` counts of
    generated pairs by stage; ``real`` are the places of real pairs, and ``seeds`` the different ones of generated ones.
    All of accepted pairs, but for ``rejections``."""

    rows: int = 0
    accepted: Tally = field(default_factory=Counter)
    parts: dict[tuple[str, str], PartSums] = field(default_factory=dict)
    models: Mapping[str, Counter[str]] = field(default_factory=lambda: {"mask": Counter(), "image": Counter()})
    rejections: RejectionCounts = field(default_factory=RejectionCounts)
    real: list[int] = field(default_factory=list)
    seeds: int = 0
    made: MadePairs = field(default_factory=lambda: _MadeColumns().joined())

    @classmethod
    def of(cls, rows: IndexRows, channels: int) -> IndexOverview:
        """Of all rows, whose histograms count ``channels`` parts."""
        found, made = cls(), _MadeColumns()
        ranked = sorted(RANKED & {name.removeprefix(SCORE) for name in rows.columns if name.startswith(SCORE)})
        for table in rows.tables([*_COLUMNS, *(SCORE + name for name in ranked)]):
            found._add(table, channels)
            made.add(table, found.rows, ranked)
            found.rows += len(table)
        found.made, found.seeds = made.joined(), made.seeds()
        return found

    def _add(self, table: pa.Table, channels: int) -> None:
        self.rejections.add(table, self.rows)
        own = table.filter(table["accepted"])
        self.accepted.update(tally(own, "source", "class", "split"))
        for source, split in tally(own, "source", "split"):
            some = own.filter((pc.field("source") == source) & (pc.field("split") == split))["histogram"]
            counts = some.combine_chunks().flatten().to_numpy().reshape(-1, channels)
            known = self.parts.get((source, split), PartSums.none(channels))
            self.parts[source, split] = known + PartSums.of(counts)
        generated = own.filter(pc.field("source") == "generated")
        for stage, counter in self.models.items():
            counter.update({name: count for (name,), count in tally(generated, f"{stage}_model").items()})
        real = pc.and_(table["accepted"], pc.equal(table["source"], "real"))
        self.real += (np.flatnonzero(real.to_numpy()) + self.rows).tolist()


class _MadeColumns:
    """Of accepted generated pairs what ranks are made of, table after table."""

    def __init__(self) -> None:
        self._columns = [_OF_NONE]
        self._scores: dict[str, list[NDArray[np.float64]]] = {}

    def add(self, table: pa.Table, first: int, ranked: Sequence[str]) -> None:
        """The rows of a table whose first one is at that place."""
        own = pc.and_(table["accepted"], pc.equal(table["source"], "generated"))
        some = table.append_column("place", pa.array(np.arange(first, first + len(table)))).filter(own)
        classes = pc.dictionary_encode(some["class"])
        self._columns.append(pa.table({"place": some["place"], "seed": some["seed"], "class": classes}))
        for name in ranked:
            self._scores.setdefault(name, []).append(score_values(some, name))

    def joined(self) -> MadePairs:
        """All of them, ranked."""
        columns = pa.concat_tables(self._columns).unify_dictionaries()
        scores = {name: np.concatenate(values) for name, values in self._scores.items()}
        classes = columns["class"].combine_chunks()
        names = classes.dictionary.to_pylist()
        order = sorted(names)
        number = np.array([order.index(name) for name in names], np.int64)
        of = number[classes.indices.to_numpy()] if len(columns) else np.zeros(0, np.int64)
        return MadePairs(columns["place"].to_numpy(), order, of, mean_rank(scores, len(columns)))

    def seeds(self) -> int:
        """How many different ones."""
        return len(np.unique(pa.concat_tables(self._columns)["seed"].to_numpy()))


_OF_NONE = pa.table(
    {"place": pa.array([], pa.int64()), "seed": pa.array([], pa.int64()),
     "class": pa.array([], pa.dictionary(pa.int32(), pa.string()))}
)  # fmt: skip
