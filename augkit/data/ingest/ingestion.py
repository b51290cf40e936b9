"""Samples into a workspace: canonical pairs, their classes and splits, the catalogue. All of it, or nothing.

However many samples there are, only a few are in memory, and some hundred bytes of each that was read: rows go to a
journal as they are made, and from there into the catalogue when groups and splits, which need all of them, are known.
An import that was interrupted goes on from its journal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from augkit.core.atomic_file import write_text
from augkit.core.errors import SchemaError
from augkit.core.parts import PartSchema
from augkit.core.progress import silent
from augkit.core.workspace import Workspace
from augkit.data.catalogue import Catalogue, CatalogueRow, Split, write_catalogue
from augkit.data.ingest.class_overrides import Override
from augkit.data.ingest.entries import entries
from augkit.data.ingest.ingest_options import IngestOptions
from augkit.data.ingest.journal import Journal
from augkit.data.ingest.photo_groups import keep_photos
from augkit.data.ingest.rows import RowTask
from augkit.data.ingest.sample_checks import IdCheck, Notes, Problems
from augkit.data.ingest.splits import Ledger, Numbers, assign_splits, group_names
from augkit.data.ingest.staging import staged
from augkit.data.near_duplicates import find_groups, thumb
from augkit.data.pair_files import read_photo
from augkit.data.samples import Sample

JOURNAL = "journal.jsonl"
_FORMAT = 5  # of what is written for a sample: rows of another format are not taken over
_GROUP_NAME = 16  # characters


def ingest(
    samples: Iterable[Sample],
    schema: PartSchema,
    workspace: Workspace,
    options: IngestOptions,
    *,
    importer: str,
    settings: str,
    overrides: Mapping[str, Override] | None = None,
    workers: int = 1,
    strict: bool = False,
    on_row: Callable[[CatalogueRow], None] = silent,
    on_warning: Callable[[str], None] = silent,
) -> Catalogue:
    """Writes pairs, part schema, settings and catalogue of a data set, in place of those the workspace had.

    Samples are read one at a time (with ``workers`` > 1 a few at a time, in processes); the result does not depend
    on the number of workers. ``settings`` is the text of the workspace's settings. ``overrides`` are classes by sample
    id. ``on_row`` is told of every row as it is made, or taken over, ``on_warning`` of what was left out of masks or is
    doubtful, at the end. Photos without masks that the workspace has stay, but for near duplicates of what is held out
    now. Returns the rows in the order of the samples, to be read from the file.

    An import that is interrupted leaves its work in ``.import/``. The same importer with the same schema, size, margin
    and way of reading takes over the pairs whose samples and files are still what they were, without reading them.

    Raises SchemaError where the workspace holds another part schema, BusyError where another process imports into the
    workspace, and DataError where no sample is usable, or, with ``strict``, where any is not (what was done is kept
    then, as after an interrupt). After an error or an interrupt the workspace's data is as it was.
    """
    _require_same_schema(workspace, schema)
    told = [importer, schema.to_dict(), options.size, options.margin, options.way.exif, options.way.overlap]
    fingerprint = json.dumps([_FORMAT, *told])
    problems, notes = Problems(), Notes()
    with staged(workspace, fingerprint, keep=strict) as staging, Journal(staging.root / JOURNAL) as journal:
        task = RowTask(schema, staging, options.size, options.margin, importer, options.way)
        ledger, decided = Ledger(), overrides or {}
        ids = IdCheck()
        with closing(entries(ids.checked(samples), task, journal, workers)) as made:
            for entry in made:
                row = _override(entry.row, decided)
                ledger.add(row, entry.fixed)
                problems.add(row)
                notes.add(row, entry.notes)
                on_row(row)
        ids.require_unique(entry.row.id for entry in journal)
        problems.check(strict)
        ids.remove_others(staging.pairs)
        schema.save(staging.schema)
        write_text(staging.settings, settings)
        groups = _groups(journal, ledger, staging)
        splits = assign_splits(ledger, groups, options.val_share, options.test_share, options.seed)
        write_catalogue(staging.catalogue, _finished(journal, ledger, groups, splits, decided))
        dropped = keep_photos(workspace, staging)
    for line in [*notes.lines(), *dropped]:
        on_warning(line)
    return Catalogue(workspace.catalogue)


def _finished(
    journal: Journal, ledger: Ledger, groups: Numbers, splits: Sequence[Split], decided: Mapping[str, Override]
) -> Iterator[CatalogueRow]:
    """The rows with their groups and splits."""
    names = group_names(ledger, groups)
    for entry, group, split in zip(journal, groups.tolist(), splits, strict=True):
        row = _override(entry.row, decided)
        yield row if row.problem else replace(row, group=names[group].item().decode()[:_GROUP_NAME], split=split)


def _groups(journal: Journal, ledger: Ledger, staging: Workspace) -> Numbers:
    """(N,) group numbers of all rows."""

    @lru_cache(4096)
    def look(number: int) -> NDArray[np.uint8]:
        return thumb(read_photo(staging.photo(journal[number].row.id)))

    return find_groups(ledger.sha256, *ledger.phash, look)


def _override(row: CatalogueRow, decided: Mapping[str, Override]) -> CatalogueRow:
    return decided[row.id].apply(row) if row.id in decided else row


def _require_same_schema(workspace: Workspace, schema: PartSchema) -> None:
    if not workspace.schema.is_file():
        return
    present = PartSchema.load(workspace.schema)
    if present.names != schema.names:  # what a person says of them may change
        raise SchemaError(
            f"{workspace.schema} has {len(present.parts)} parts ({', '.join(present.names[1:])}), "
            f"the data set has {len(schema.parts)} ({', '.join(schema.names[1:])})",
            "the same parts in the same order",
            "import into a new workspace (--workspace DIR)",
        )
