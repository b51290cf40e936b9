"""Samples into entries of a journal, in their order: those that an earlier run made are taken over, others are made,
with several workers a few at a time."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Protocol

import cv2

from augkit.core.pool_worker import follow_parent
from augkit.data.catalogue import CatalogueRow
from augkit.data.ingest.journal import Journal, JournalEntry, stamp
from augkit.data.samples import Sample

_AHEAD = 16  # samples a worker


class RowMaker(Protocol):
    """What makes rows of samples. It travels to other processes."""

    def make(self, sample: Sample) -> tuple[CatalogueRow, Mapping[str, int]]:
        """The sample's row, its files written, and the notes of its mask."""

    def files(self, row: CatalogueRow) -> Sequence[Path]:
        """What was written for a row."""


def entries(samples: Iterable[Sample], maker: RowMaker, journal: Journal, workers: int) -> Generator[JournalEntry]:
    """Entries in the order of the samples, written down; those that an earlier run made are taken over."""
    with closing(_started(samples, maker, journal, workers)) as started:
        for id, work in started:
            if isinstance(work, JournalEntry):
                journal.keep(id)
                yield work
            else:
                entry = work()
                journal.add(entry)
                yield entry


def _make_entry(sample: Sample, maker: RowMaker, stamp: str) -> JournalEntry:
    row, notes = maker.make(sample)
    return JournalEntry(row, sample.split is not None, stamp, notes)


def _started(
    samples: Iterable[Sample], maker: RowMaker, journal: Journal, workers: int
) -> Generator[tuple[str, JournalEntry | Callable[[], JournalEntry]]]:
    """By sample what an earlier run made, or what waits for its entry. At most so many samples are under way."""
    if workers <= 1:
        for sample in samples:
            mark = stamp(sample)
            yield sample.id, _made(sample, mark, maker, journal) or partial(_make_entry, sample, maker, mark)
        return
    context = multiprocessing.get_context("spawn")  # fork would copy whatever threads the caller holds locks with
    with ProcessPoolExecutor(workers, context, initializer=_start_worker) as pool:
        waiting: deque[tuple[str, JournalEntry | Callable[[], JournalEntry]]] = deque()
        try:
            for sample in samples:
                mark = stamp(sample)
                made = _made(sample, mark, maker, journal)
                waiting.append((sample.id, made or pool.submit(_make_entry, sample, maker, mark).result))
                if len(waiting) >= _AHEAD * workers:
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()
        finally:
            pool.shutdown(cancel_futures=True)


def _made(sample: Sample, mark: str, maker: RowMaker, journal: Journal) -> JournalEntry | None:
    """What an earlier run made of the sample; nothing where it had a problem, which may be over by now."""
    entry = journal.find(sample.id, mark)
    if entry is None or entry.row.problem:
        return None
    return entry if all(map(_has_bytes, maker.files(entry.row))) else None


def _has_bytes(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def _start_worker() -> None:
    cv2.setNumThreads(1)
    follow_parent()
