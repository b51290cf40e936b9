"""The commit records of a place as long as one process alone has shards made there: each is read once, and what is kept
of it does not grow with its rows."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from augkit.core.errors import ShardError
from augkit.core.storage import Storage
from augkit.shards.commit import Commit, commit_file, parse_commit, read_commit

_COLUMNS = ("accepted", "reasons", "photo_length", "width", "height", "histogram")
"""Of the rows, what facts are made of: a third of the time of reading all."""


@dataclass(frozen=True)
class CommitFacts:
    """What is kept of a commit record: digests of its plan row and its file, the sizes of its tars by file, how many
    rows were ``tried``, got a photo (``painted``) and were ``accepted``, why the others were not, and the columns.

    ``areas`` sums the parts' shares of the frame over the accepted ones, by part id.
    """

    row_digest: str
    sha256: str
    files: dict[str, int]
    accepted: int
    tried: int
    painted: int
    reasons: dict[str, int]
    areas: tuple[float, ...]
    columns: frozenset[str]

    @classmethod
    def of(cls, commit: Commit) -> CommitFacts:
        """From a record's rows."""
        table = commit.table
        kept = table.filter(table["accepted"])
        reasons = pc.value_counts(table["reasons"].combine_chunks().flatten())
        counts = dict(zip(reasons.field("values").to_pylist(), reasons.field("counts").to_pylist(), strict=True))
        painted = len(table) - table["photo_length"].null_count
        files = {name: size for name, size in commit.files.items() if size}
        columns = frozenset(map(sys.intern, commit.columns))
        return cls(
            commit.row_digest, commit.sha256, files, len(kept), len(table), painted, counts, _areas(kept), columns
        )


def _areas(kept: pa.Table) -> tuple[float, ...]:
    if not len(kept):
        return (0.0,)
    pixels = kept["width"].to_numpy().astype(np.int64) * kept["height"].to_numpy()
    counts = kept["histogram"].combine_chunks().flatten().to_numpy().reshape(len(kept), -1)
    # One row after the other, whatever the machine: the sums decide what is planned.
    return tuple(np.add.accumulate(counts / pixels[:, None])[-1].tolist())


class CommitRecords:
    """See above. A listing tells what is there, and shards that were written since then have to be named by
    ``forget``."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._facts: dict[str, CommitFacts] = {}
        self._listed: dict[str, int] | None = None
        self._new: set[str] = set()

    def look_again(self) -> None:
        """Lists the place once; forgets shards that are not whole any more."""
        listed = self._listed = self.storage.sizes()
        self._new.clear()
        gone = [name for name, facts in self._facts.items() if not _is_whole(name, facts.files, listed)]
        for name in gone:
            del self._facts[name]

    def forget(self, names: Iterable[str]) -> None:
        """These may have been written, or removed, since the last look."""
        for name in names:
            self._facts.pop(name, None)
            self._new.add(name)

    def there(self) -> list[str]:
        """Names of the shards that had a commit record at the last look, in order."""
        return sorted(PurePosixPath(name).stem for name in self._known() if name.startswith("commits/"))

    def facts(self, name: str) -> CommitFacts | None:
        """What is known of a shard; None where it is not whole, as for ``read_commit``."""
        if name not in self._facts:
            self._note(name, self._found(name, _COLUMNS))
        return self._facts.get(name)

    def read(self, name: str) -> Commit | None:
        """The record itself, as ``read_commit`` has it."""
        commit = self._found(name)
        self._note(name, commit)
        return commit

    def _note(self, name: str, commit: Commit | None) -> None:
        if commit is not None:
            self._facts[name] = CommitFacts.of(commit)

    def _found(self, name: str, columns: Sequence[str] | None = None) -> Commit | None:
        return read_commit(self.storage, name) if name in self._new else self._listed_one(name, columns)

    def columns(self, names: Iterable[str]) -> set[str]:
        """The columns that records of whole shards have."""
        return {column for name in names if (facts := self.facts(name)) is not None for column in facts.columns}

    def _listed_one(self, name: str, columns: Sequence[str] | None) -> Commit | None:
        listed = self._known()
        if commit_file(name) not in listed:
            return None
        try:
            commit = parse_commit(name, self.storage.read(commit_file(name)), columns)
        except ShardError:
            return None
        return commit if _is_whole(name, commit.files, listed) else None

    def _known(self) -> dict[str, int]:
        if self._listed is None:
            self.look_again()
        return self._listed or {}


def _is_whole(name: str, files: dict[str, int], listed: dict[str, int]) -> bool:
    return commit_file(name) in listed and all(not size or listed.get(file) == size for file, size in files.items())
