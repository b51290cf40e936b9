"""An export on disk: built beside its place, batch by batch, and put there as a whole; what was interrupted goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from augkit.core.atomic_file import move, sync_files, write_json
from augkit.core.errors import ConfigError
from augkit.core.progress import Progress
from augkit.core.regular_file import ANNOTATIONS, read_regular
from augkit.core.typed import read_json
from augkit.export.export_format import ExportFormat, ExportHeading, ExportItem, ExportPlace, Record, Records

SUMMARY = ".export.json"
"""Hidden: a JSON file beside others would be taken for annotations."""
_JOURNAL = "journal.jsonl"


@dataclass(frozen=True)
class ExportBatch:
    """Some pairs of one split, by number, and what reads one of them."""

    name: str
    split: str
    places: Sequence[int]
    read: Callable[[int], ExportItem]


class ExportJournal(Records):
    """What was written, a line a batch; the first says what the export is made of."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: set[str] = set()
        self._counts: dict[str, int] = {}

    @property
    def counts(self) -> dict[str, int]:
        """See ``Records``."""
        return self._counts

    def of(self, split: str) -> Iterator[Record]:
        """See ``Records``."""
        for line in self._lines():
            if line["split"] == split:
                yield from line["records"]

    def open(self, made_of: dict[str, Any]) -> bool:
        """Takes up what an earlier run wrote of the same; False where there is nothing of it."""
        whole, keeping = 0, False
        if self.path.is_file():
            for number, text in enumerate(read_regular(self.path, ANNOTATIONS).splitlines(keepends=True)):
                if not text.endswith(b"\n"):
                    break  # the run was killed while it wrote this line
                line = json.loads(text)
                if number == 0:
                    if line != made_of:
                        break
                    keeping = True
                else:
                    self._count(line)
                whole += len(text)
        if keeping:
            with self.path.open("r+b") as file:
                file.truncate(whole)
        return keeping

    def begin(self, made_of: dict[str, Any]) -> None:
        """Writes the first line."""
        self._append(made_of)

    def add(self, batch: ExportBatch, records: Sequence[Record]) -> None:
        """Writes down that a batch is on disk."""
        line = {"name": batch.name, "split": batch.split, "records": records}
        self._append(line)
        self._count(line)

    def _count(self, line: dict[str, Any]) -> None:
        self.names.add(line["name"])
        self._counts[line["split"]] = self._counts.get(line["split"], 0) + len(line["records"])

    def _append(self, line: dict[str, Any]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        sync_files([self.path])

    def _lines(self) -> Iterator[dict[str, Any]]:
        with self.path.open() as file:
            next(file)
            for text in file:
                yield json.loads(text)


@dataclass(frozen=True)
class ExportFolder:
    """An export at ``target``. ``made_of`` is plain data of all that its bytes depend on: what was exported of the same
    before is kept."""

    target: Path
    made_of: dict[str, Any] = field(default_factory=dict)

    @property
    def building(self) -> Path:
        """Where it is built."""
        return self.target.with_name(f".{self.target.name}.export")

    def finished(self) -> dict[str, Any] | None:
        """The summary of what is there, where it is this export."""
        try:
            summary = read_json(dict[str, Any], self.target / SUMMARY)
        except (OSError, ValueError):
            return None
        return summary if summary.get("made_of") == self.made_of else None

    def write(
        self, form: ExportFormat, heading: ExportHeading, batches: Sequence[ExportBatch], fresh: bool,
        progress: Progress,
    ) -> dict[str, Any]:  # fmt: skip
        """Writes what is not there yet and puts all in place; returns the summary.

        Raises ConfigError where something else is in its place, unless ``fresh`` says to replace it.
        """
        if not fresh and (summary := self.finished()) is not None:
            return summary
        self._require_room(fresh)
        place, journal = ExportPlace(self.building), self._prepared()
        total, done = sum(len(batch.places) for batch in batches), sum(journal.counts.values())
        for batch in batches:
            if batch.name in journal.names:
                continue
            items = _told(batch, done, total, progress)
            records = form.write(items, batch.name, heading, place)
            place.sync()
            journal.add(batch, records)
            done += len(batch.places)
        form.finish(journal, heading, place)
        summary = {"made_of": self.made_of, "pairs": journal.counts}
        journal.path.unlink()
        write_json(self.building / SUMMARY, summary)
        self._put_in_place()
        return summary

    def _require_room(self, fresh: bool) -> None:
        if fresh or not self.target.exists() or (self.target.is_dir() and not any(self.target.iterdir())):
            return
        what = "an export of other pairs or options" if (self.target / SUMMARY).is_file() else "files of others"
        raise ConfigError(
            f"{self.target} holds {what}", "an empty folder, or none", "name another folder, or replace it by --fresh"
        )

    def _prepared(self) -> ExportJournal:
        journal = ExportJournal(self.building / _JOURNAL)
        if not journal.open(self.made_of):
            if self.building.exists():
                shutil.rmtree(self.building)
            self.building.mkdir(parents=True)
            journal.begin(self.made_of)
        return journal

    def _put_in_place(self) -> None:
        """What is there goes when the new is whole."""
        old = self.target.with_name(f".{self.target.name}.replaced")
        if self.target.is_dir() and any(self.target.iterdir()):
            shutil.rmtree(old, ignore_errors=True)
            move(self.target, old)
        move(self.building, self.target)
        shutil.rmtree(old, ignore_errors=True)


def _told(batch: ExportBatch, done: int, total: int, progress: Progress) -> Iterator[ExportItem]:
    for number, place in enumerate(batch.places, done + 1):
        yield batch.read(place)
        progress("exporting", number, total)
