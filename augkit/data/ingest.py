"""Samples into a workspace: canonical pairs, their classes and splits, the catalogue. All of it, or nothing."""

from __future__ import annotations

import multiprocessing
import re
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import numpy as np
from PIL import Image

from augkit.config import DataSettings, Settings, load_settings, save_settings
from augkit.data.catalogue import CatalogueRow, usable, write_catalogue
from augkit.data.crop import canonical_window, cut
from augkit.data.orientation import classify
from augkit.data.overrides import Override
from augkit.data.samples import Sample, read
from augkit.data.splits import assign_splits
from augkit.data.staging import staged
from augkit.errors import DataError, SchemaError
from augkit.parts import IGNORE, PartSchema
from augkit.workspace import Workspace

JPEG_QUALITY = 95
_ID = re.compile(r"[A-Za-z0-9_-]+")
_AHEAD = 16


def ingest(
    samples: Iterable[Sample],
    schema: PartSchema,
    workspace: Workspace,
    data: DataSettings,
    seed: int,
    *,
    importer: str,
    settings: Settings | None = None,
    overrides: Mapping[str, Override] | None = None,
    workers: int = 1,
    strict: bool = False,
    on_row: Callable[[CatalogueRow], None] | None = None,
) -> list[CatalogueRow]:
    """Writes pairs, part schema, settings and catalogue of a data set, in place of those the workspace had.

    Samples are read one at a time (with ``workers`` > 1 a few at a time, in processes); the result does not depend
    on the number of workers. ``settings`` is what to write down as the workspace's settings; by default its own, or
    the defaults, with ``data`` and ``seed`` put in. ``overrides`` are classes by sample id. ``on_row`` is told of
    every row as it is made. Returns all rows in the order of the samples.

    Raises SchemaError where the workspace holds another part schema, and DataError where no sample is usable, or,
    with ``strict``, where any is not. After an error or an interrupt the workspace is as it was.
    """
    _require_same_schema(workspace, schema)
    known = settings or load_settings(workspace.settings if workspace.settings.is_file() else None)
    with staged(workspace) as staging:
        staging.pairs.mkdir()
        task = Task(schema, staging, data.size, data.margin, importer)
        rows = []
        for row in _rows(samples, task, workers):
            rows.append((overrides or {}).get(row.id, Override()).apply(row))
            if on_row is not None:
                on_row(rows[-1])
        _require_usable(rows, strict)
        rows = assign_splits(rows, data.val_share, data.test_share, seed)
        schema.save(staging.schema)
        save_settings(known.model_copy(update={"data": data, "seed": seed}), staging.settings)
        write_catalogue(staging.catalogue, rows)
    return rows


@dataclass(frozen=True)
class Task:
    """What all samples of an import have in common."""

    schema: PartSchema
    workspace: Workspace
    size: int
    margin: float
    importer: str


def make_row(sample: Sample, task: Task) -> CatalogueRow:
    """Reads, cuts, classifies and writes one sample; what is wrong with it becomes its row's problem."""
    row = CatalogueRow(sample.id, task.importer, sample.source_file, sample.subset)
    try:
        reading = read(sample)
        task.schema.check(reading.mask, sample.source_file)
        window = canonical_window(reading.mask, task.margin)
    except (DataError, OSError) as error:
        return replace(row, problem="; ".join(str(error).splitlines()) or type(error).__name__)
    photo, mask = cut(reading.photo, reading.mask, window, task.size)
    # Outside the try: a full disk is no fault of the sample.
    Image.fromarray(photo).save(task.workspace.photo(row.id), quality=JPEG_QUALITY, subsampling=0)
    Image.fromarray(mask).save(task.workspace.mask(row.id))
    view = sample.view or classify(mask, task.schema)
    counts = np.bincount(mask[mask != IGNORE], minlength=task.schema.channels)
    return replace(
        row,
        sha256=reading.sha256,
        width=reading.mask.shape[1],
        height=reading.mask.shape[0],
        crop_x=window.x,
        crop_y=window.y,
        crop_side=window.side,
        size=task.size,
        histogram=counts.tolist(),
        off_palette=reading.off_palette,
        orientation=view.orientation,
        confidence=view.confidence,
        doors=sample.doors or view.doors,
        split=sample.split or "train",
    )


def _rows(samples: Iterable[Sample], task: Task, workers: int) -> Iterator[CatalogueRow]:
    """Rows in the order of the samples."""
    work, source = partial(make_row, task=task), _checked(samples)
    if workers <= 1:
        yield from map(work, source)
        return
    context = multiprocessing.get_context("spawn")  # fork would copy whatever threads the caller holds locks with
    with ProcessPoolExecutor(workers, context, initializer=_start_worker) as pool:
        while batch := list(islice(source, _AHEAD * workers)):
            yield from pool.map(work, batch)


def _start_worker() -> None:
    import cv2

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, and ends the pool


def _checked(samples: Iterable[Sample]) -> Iterator[Sample]:
    """The samples; raises DataError for an id that is no file name, or occurs twice."""
    seen: set[str] = set()
    for sample in samples:
        if sample.id.lower() in seen or not _ID.fullmatch(sample.id):
            raise DataError(f"sample id {sample.id!r} occurs twice, or is no plain name", "ids as `ids_of` makes them")
        seen.add(sample.id.lower())
        yield sample


def _require_same_schema(workspace: Workspace, schema: PartSchema) -> None:
    if not workspace.schema.is_file():
        return
    present = PartSchema.load(workspace.schema)
    if present.digest != schema.digest:
        raise SchemaError(
            f"{workspace.schema} has {len(present.parts)} parts ({', '.join(present.names[1:])}), "
            f"the data set has {len(schema.parts)} ({', '.join(schema.names[1:])})",
            "the same parts in the same order",
            "import into a new workspace (--workspace DIR)",
        )


def _require_usable(rows: Sequence[CatalogueRow], strict: bool) -> None:
    problems = [f"  {row.source_file}: {row.problem}" for row in rows if row.problem]
    if strict and problems:
        raise DataError(
            f"{len(problems)} of {len(rows)} samples have a problem:\n" + "\n".join(problems),
            "none, with --strict",
            "correct them, or import without --strict to leave them out",
        )
    if not usable(rows):
        raise DataError(
            f"none of {len(rows)} samples is usable:\n" + "\n".join(problems[:5]),
            "at least one photo with a mask",
            "see whether the path and the annotation file belong together",
        )
