"""Looking for the silhouettes of all pairs of a workspace; what was found before is kept."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice

from augkit.core.errors import DataError
from augkit.core.lock import held
from augkit.core.progress import Progress, silent
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow
from augkit.data.pair_files import read_mask, read_photo
from augkit.sources.silhouettes import SILHOUETTES, Method, Options
from augkit.sources.silhouettes.silhouette_store import (
    BELOW,
    NO_CAR,
    SilhouetteRow,
    read_table,
    write_silhouette,
    write_table,
)

_SAVE_EVERY = 100
_AHEAD = 8


@dataclass(frozen=True)
class SearchTask:
    """What all pairs of a search have in common. Every process builds its own method, once."""

    workspace: Workspace
    method: str
    options: Options

    @cached_property
    def built(self) -> Method:
        """The method. Raises RegistryError and ConfigError."""
        return SILHOUETTES[self.method](self.options)

    def __reduce__(self) -> tuple[type[SearchTask], tuple[Workspace, str, Options]]:
        return SearchTask, (self.workspace, self.method, self.options)  # without what was built

    def key(self, row: CatalogueRow) -> str:
        """Digest of all that decides about the row's silhouette."""
        pair = (row.sha256, row.crop_x, row.crop_y, row.crop_side, row.size, row.histogram)
        return hashlib.sha256(json.dumps([self.method, self.options.digest, pair]).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class SearchResult:
    """The table's rows in the order of the catalogue, and how many pairs were looked at to get them."""

    rows: list[SilhouetteRow]
    looked_at: int


def search(
    task: SearchTask,
    rows: Sequence[CatalogueRow],
    *,
    workers: int = 1,
    fresh: bool = False,
    progress: Progress = silent,
) -> SearchResult:
    """Writes the silhouettes of these rows and their table. ``progress`` is told of those that are done.

    A pair that was looked at with the same method, options and pixels is not looked at again, unless ``fresh``; after
    an interrupt the rest follows. The result does not depend on ``workers``. Raises RegistryError, ConfigError,
    CheckpointError (weights), DataError (files of the workspace), BusyError (another command writes them).
    """
    with held(task.workspace.silhouettes, around=(task.workspace.root,)):
        return _searched(task, rows, workers, fresh, progress)


def _searched(
    task: SearchTask, rows: Sequence[CatalogueRow], workers: int, fresh: bool, progress: Progress
) -> SearchResult:
    assert task.built.min_score >= 0  # builds it: an option that cannot be is said before anything is written
    workspace = task.workspace
    known = {row.id: row for row in read_table(workspace)}
    good = {} if fresh else {row.id: known[row.id] for row in rows if _is_good(row, known, task)}
    ids = {row.id for row in rows}
    for id in known.keys() - ids:
        workspace.silhouette(id).unlink(missing_ok=True)
    workspace.silhouettes.mkdir(exist_ok=True)
    table = {id: row for id, row in known.items() if id in ids}  # old ones go when their successors are there
    progress(task.method, len(good), len(rows))
    try:
        for number, row in enumerate(_found([row for row in rows if row.id not in good], task, workers), 1):
            table[row.id] = row
            progress(task.method, len(good) + number, len(rows))
            if number % _SAVE_EVERY == 0:
                write_table(workspace, table.values())
    finally:
        ordered = [table[row.id] for row in rows if row.id in table]
        write_table(workspace, ordered)
    return SearchResult(ordered, len(rows) - len(good))


def _is_good(row: CatalogueRow, known: dict[str, SilhouetteRow], task: SearchTask) -> bool:
    before = known.get(row.id)
    if before is None or before.key != task.key(row):
        return False
    return bool(before.dropped) or task.workspace.silhouette(row.id).is_file()


def _found(rows: Sequence[CatalogueRow], task: SearchTask, workers: int) -> Iterator[SilhouetteRow]:
    """Rows of the table in the order of the catalogue's."""
    if workers <= 1 or len(rows) <= 1:
        yield from (find_one(row, task) for row in rows)
        return
    source = iter(rows)
    context = multiprocessing.get_context("spawn")  # fork would copy whatever threads the caller holds locks with
    with ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(task,)) as pool:
        while batch := list(islice(source, _AHEAD * workers)):
            yield from pool.map(_find_in_worker, batch)


def find_one(row: CatalogueRow, task: SearchTask) -> SilhouetteRow:
    """Looks for one pair's silhouette and writes it."""
    photo, mask = read_photo(task.workspace.photo(row.id)), read_mask(task.workspace.mask(row.id))
    if photo.shape[:2] != mask.shape:
        raise DataError(
            f"{task.workspace.mask(row.id)}: {mask.shape[1]} x {mask.shape[0]} px",
            f"the size of its photo, {photo.shape[1]} x {photo.shape[0]} px",
            "import the data again",
        )
    path = task.workspace.silhouette(row.id)
    answer = partial(SilhouetteRow, row.id, task.method, task.key(row))
    found = task.built(photo, mask)
    if found is None or found.score < task.built.min_score:
        path.unlink(missing_ok=True)
        return answer(dropped=NO_CAR) if found is None else answer(found.score, list(found.box), dropped=BELOW)
    write_silhouette(path, found.mask)
    return answer(found.score, [float(edge) for edge in found.box], int(found.mask.sum()))


_worker: list[SearchTask] = []
"""The task of a worker process, whose method is built once."""


def _start_worker(task: SearchTask) -> None:
    import cv2

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, and ends the pool
    _worker.append(task)


def _find_in_worker(row: CatalogueRow) -> SilhouetteRow:
    return find_one(row, _worker[0])
