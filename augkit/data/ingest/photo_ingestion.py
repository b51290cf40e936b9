"""Photos without masks into a workspace that has labelled ones: they join its catalogue, and change nothing else.

Only a few are in memory at a time, and some hundred bytes of each that was read. What is interrupted goes on from its
journal. The photos come into their folder first and the catalogue last: a photo without a row is nobody's.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from augkit.core.atomic_file import move, move_files
from augkit.core.errors import AugkitError, DataError
from augkit.core.progress import silent
from augkit.core.workspace import Workspace
from augkit.data.catalogue import Catalogue, CatalogueRow, write_catalogue
from augkit.data.ingest.entries import entries
from augkit.data.ingest.ingest_options import IngestOptions
from augkit.data.ingest.journal import Journal
from augkit.data.ingest.photo_groups import placed
from augkit.data.ingest.photo_rows import PhotoTask, photo_id
from augkit.data.ingest.sample_checks import IdCheck
from augkit.data.ingest.staging import locked, prepare, recover
from augkit.data.samples import Sample

PHOTO_STAGING = ".import-photos"
_FORMAT = 3
_SHOWN = 100


@dataclass
class PhotoImport:
    """What became of the photos: ``joined`` ones, ``known`` ones that were there before, and ``refused`` ones, of which
    the first few are ``shown``; ``boxless`` ones of those that joined are cut by the teacher."""

    joined: int = 0
    known: int = 0
    boxless: int = 0
    refused: int = 0
    shown: list[tuple[str, str]] = field(default_factory=list)

    def join(self, row: CatalogueRow) -> None:
        """Counts one photo that joined."""
        self.joined += 1
        self.boxless += not row.crop_side

    def refuse(self, row: CatalogueRow, reason: str) -> None:
        """Counts one photo that was kept out."""
        self.refused += 1
        if len(self.shown) < _SHOWN:
            self.shown.append((row.source_file, reason))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        shown = [{"file": file, "reason": reason} for file, reason in self.shown]
        counts = {"joined": self.joined, "known": self.known, "without_box": self.boxless, "refused": self.refused}
        return counts | {"first_refused": shown}


def ingest_photos(
    samples: Iterable[Sample],
    workspace: Workspace,
    options: IngestOptions,
    *,
    importer: str,
    workers: int = 1,
    strict: bool = False,
    on_row: Callable[[CatalogueRow], None] = silent,
) -> PhotoImport:
    """Adds photos without masks to the catalogue; see the module.

    Raises DataError where the workspace has no labelled photos, where another process imports into it, where no photo
    is left, or, with ``strict``, where any is refused. After an error or an interrupt the catalogue is as it was.
    """
    fingerprint = json.dumps([_FORMAT, importer, options.size, options.margin, options.way.exif])
    folder, ids = workspace.root / PHOTO_STAGING, IdCheck()
    if not workspace.root.is_dir():
        _require_labelled(workspace)
    with locked(workspace):
        recover(workspace)
        _require_labelled(workspace)
        try:
            prepare(folder, fingerprint)
            staging = Workspace(folder)
            staging.unlabelled.mkdir(exist_ok=True)
            task = PhotoTask(staging, options.size, options.margin, importer, options.way.exif)
            with Journal(folder / "journal.jsonl") as journal:
                with closing(entries(ids.checked(samples), task, journal, workers)) as made:
                    for entry in made:
                        on_row(entry.row)
                ids.require_unique(entry.row.id for entry in journal)
                outcome = _join(workspace, staging, journal, strict)
        except AugkitError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        shutil.rmtree(folder)
    return outcome


def _join(workspace: Workspace, staging: Workspace, journal: Journal, strict: bool) -> PhotoImport:
    """Puts the photos that may stay into their folder, then the catalogue with their rows into its place."""
    present, outcome = Catalogue(workspace.catalogue), PhotoImport()
    earlier = {row.id for row in present.unlabelled()}

    def photos() -> Iterator[CatalogueRow]:
        yield from present.unlabelled()
        for entry in journal:
            yield replace(entry.row, id=photo_id(entry.row))

    def kept() -> Iterator[CatalogueRow]:
        folders = [workspace.unlabelled, staging.unlabelled]
        for place, (row, reason) in enumerate(placed(present, photos, workspace, folders)):
            if place < len(earlier):
                yield row
            elif row.id in earlier:
                outcome.known += 1
            elif reason:
                outcome.refuse(row, reason)
            else:
                outcome.join(row)
                yield row

    write_catalogue(staging.catalogue, chain(present, kept()))
    _check(outcome, strict)
    new = (row.id for row in Catalogue(staging.catalogue).unlabelled() if row.id not in earlier)
    move_files((staging.unlabelled_photo(id).name for id in new), staging.unlabelled, workspace.unlabelled)
    move(staging.catalogue, workspace.catalogue)
    return outcome


def _require_labelled(workspace: Workspace) -> None:
    if not workspace.catalogue.is_file():
        raise DataError(
            f"{workspace.root}: no labelled photos here, from which a teacher could learn to read others",
            "a workspace with labelled photos",
            "import those first: `augkit import coco SRC --workspace DIR`",
        )


def _check(outcome: PhotoImport, strict: bool) -> None:
    lines = "\n".join(f"  {file}: {reason}" for file, reason in outcome.shown)
    if strict and outcome.refused:
        raise DataError(f"{outcome.refused} photos are refused:\n{lines}", "none, with --strict",
                        "correct them, or import without --strict to leave them out")  # fmt: skip
    if not outcome.joined and not outcome.known:
        raise DataError(f"none of {outcome.refused} photos can be used:\n{lines}",
                        "at least one photo that is not held out", "see the reasons")  # fmt: skip
