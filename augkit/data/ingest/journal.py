"""What an import has done so far, so that one that was interrupted goes on where it was."""

from __future__ import annotations

import copyreg
import hashlib
import io
import json
import os
import pickle
import stat
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from augkit.core.atomic_file import naming
from augkit.data.catalogue import CatalogueRow
from augkit.data.sample_ids import id_key
from augkit.data.samples import Sample


@dataclass(frozen=True)
class JournalEntry:
    """A row as it was made, whether its split is the data set's own, the stamp of the sample it was made from, and the
    notes of its mask."""

    row: CatalogueRow
    fixed: bool
    stamp: str
    notes: Mapping[str, int] = field(default_factory=dict)


class Journal:
    """Entries in a file, one a line; in memory are sixteen bytes of each.

    Every entry is in the hands of the operating system when ``add`` returns. A line that was cut off by the death of
    its process is dropped. Going through the journal yields the entries of this run: those added, and those of an
    earlier run that were ``kept``.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+b")
        self._keys, self._places = self._known()
        self._run = array("Q")

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._run)

    def find(self, id: str, stamp: str) -> JournalEntry | None:
        """The latest entry of an earlier run for the sample; None where there is none, or its stamp is another."""
        last = int(np.searchsorted(self._keys, id_key(id), side="right")) - 1
        if last < 0 or self._keys[last] != id_key(id) or not stamp:
            return None
        entry = self._read(int(self._places[last]))
        return entry if (entry.row.id, entry.stamp) == (id, stamp) else None

    def keep(self, id: str) -> None:
        """Takes over the entry that was found for the sample."""
        self._run.append(int(self._places[np.searchsorted(self._keys, id_key(id), side="right") - 1]))

    def add(self, entry: JournalEntry) -> None:
        """Writes an entry down."""
        self._run.append(self._file.seek(0, os.SEEK_END))
        with naming(Path(self._file.name)):
            self._file.write(json.dumps([entry.stamp, entry.fixed, vars(entry.row), entry.notes]).encode() + b"\n")
            self._file.flush()

    def __getitem__(self, number: int) -> JournalEntry:
        return self._read(self._run[number])

    def __iter__(self) -> Iterator[JournalEntry]:
        return (self._read(place) for place in self._run)

    def _read(self, place: int) -> JournalEntry:
        self._file.seek(place)
        stamp, fixed, row, notes = json.loads(self._file.readline())
        return JournalEntry(CatalogueRow(**row), fixed, stamp, notes)

    def _known(self) -> tuple[Any, Any]:
        """Keys of the ids in the file, sorted, and where their lines begin; the last line of an id comes last."""
        keys, places = array("Q"), array("Q")
        self._file.seek(0)
        end = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            keys.append(id_key(json.loads(line)[2]["id"]))
            places.append(end)
            end += len(line)
        self._file.truncate(end)
        order = np.argsort(np.asarray(keys), kind="stable")
        return np.asarray(keys)[order], np.asarray(places)[order]


def stamp(sample: Sample) -> str:
    """A hash of all that a sample says, and of size and time of every file that its functions will read.

    Files are the ``Path`` objects among the functions' arguments. Empty for a sample that cannot be pickled: nobody
    can say whether it is the same again.
    """
    stream = io.BytesIO()
    try:
        _Stamper(stream).dump(sample)
    except (pickle.PicklingError, AttributeError, TypeError):
        return ""
    return hashlib.blake2b(stream.getbuffer(), digest_size=16).hexdigest()


def _identity(path: Path) -> str:
    where = os.path.abspath(path)  # noqa: PTH100 (a link's own name, not its target's)
    try:
        found = os.stat(where)  # noqa: PTH116 (quick, for many)
    except OSError:
        return f"{where} missing"
    return f"{where} {found.st_size} {found.st_mtime_ns}" if stat.S_ISREG(found.st_mode) else where


class _Stamper(pickle.Pickler):
    """Pickles files as their path, size and time."""

    dispatch_table = copyreg.dispatch_table | {type(Path()): lambda path: (str, (_identity(path),))}
