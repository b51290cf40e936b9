"""What an import checks and counts of all its samples together, in a few bytes of each."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from augkit.core.errors import DataError
from augkit.core.inside import is_plain
from augkit.data.catalogue import CatalogueRow
from augkit.data.sample_ids import id_key
from augkit.data.samples import Sample

_NAMES_AND_NUMBERS = re.compile(r"\S*[\d/.]\S*")
_SHOWN_PROBLEMS, _SHOWN_KINDS = 100, 5


class IdCheck:
    """Checks the ids of samples, and remembers them in eight bytes each."""

    def __init__(self) -> None:
        self._keys = array("Q")

    def checked(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """The samples; raises DataError for an id that is no file name."""
        for sample in samples:
            if not is_plain(sample.id):
                raise DataError(f"sample id {sample.id!r} is no plain name", "ids as `ids_of` makes them")
            self._keys.append(id_key(sample.id.lower()))
            yield sample

    def require_unique(self, ids: Iterable[str]) -> None:
        """Raises DataError where an id occurs twice, also where only a file system that ignores case says so.

        ``ids`` are all of them again, for the message.
        """
        keys, counts = np.unique(np.asarray(self._keys), return_counts=True)
        twice = set(keys[counts > 1].tolist())
        if twice:
            id = next(id for id in ids if id_key(id.lower()) in twice)
            raise DataError(f"sample id {id!r} occurs twice", "ids as `ids_of` makes them")

    def remove_others(self, pairs: Path) -> None:
        """Removes what an interrupted run made of samples that the data set no longer has."""
        keys = np.sort(np.asarray(self._keys))
        for file in pairs.iterdir():
            key = id_key(file.name.partition(".")[0].lower())
            place = int(np.searchsorted(keys, key))
            if place == len(keys) or keys[place] != key:
                file.unlink()


class Problems:
    """Counts rows and problems, and keeps the first few, and the first few kinds."""

    def __init__(self) -> None:
        self.rows = self.count = 0
        self._shown: list[str] = []
        self._kinds: dict[str, tuple[str, int]] = {}

    def add(self, row: CatalogueRow) -> None:
        """One more row."""
        self.rows += 1
        if row.problem:
            self.count += 1
            line = f"  {row.source_file}: {row.problem}"
            if self.count <= _SHOWN_PROBLEMS:
                self._shown.append(line)
            kind = _NAMES_AND_NUMBERS.sub("", row.problem)
            if kind in self._kinds or len(self._kinds) < _SHOWN_PROBLEMS:
                first, count = self._kinds.get(kind, (line, 0))
                self._kinds[kind] = first, count + 1

    def check(self, strict: bool) -> None:
        """Raises DataError where no row is usable, or, with ``strict``, where any is not."""
        if strict and self.count:
            more = [f"  and {self.count - _SHOWN_PROBLEMS} more"] if self.count > _SHOWN_PROBLEMS else []
            raise DataError(
                f"{self.count} of {self.rows} samples have a problem:\n" + "\n".join([*self._shown, *more]),
                "none, with --strict",
                "correct them, or import without --strict to leave them out; pairs already made are not made again",
            )
        if self.count == self.rows:
            kinds = sorted(self._kinds.values(), key=lambda kind: -kind[1])[:_SHOWN_KINDS]
            lines = [line + (f" ({count} of this kind)" if count > 1 else "") for line, count in kinds]
            raise DataError(
                f"none of {self.rows} samples is usable:\n" + "\n".join(lines),
                "at least one photo with a mask",
                "correct what the lines say, the most frequent first, in the data set or in what the command names "
                "(SRC, --annotations)",
            )


class Notes:
    """Sums up what was left out of the samples' masks or is doubtful in them; there are few kinds."""

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[int, int, str]] = {}

    def add(self, row: CatalogueRow, notes: Mapping[str, int]) -> None:
        """Those of one more row."""
        for text, count in notes.items():
            total, rows, first = self._kinds.get(text, (0, 0, row.source_file))
            self._kinds[text] = total + count, rows + 1, first

    def lines(self) -> list[str]:
        """One a kind, with how many there are and in which photo the first."""
        return [
            f"{total} {text} ({rows} photo(s), the first {first})" for text, (total, rows, first) in self._kinds.items()
        ]
