"""What checks judge: the catalogue, and what was measured of each pair in one pass over the files."""

from __future__ import annotations

import multiprocessing
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import DataError
from augkit.core.parts import BACKGROUND, IGNORE, PartSchema
from augkit.core.progress import Progress, silent
from augkit.core.workspace import Workspace
from augkit.data.audit.audit_check import CHECKS, AuditCheck, Figures
from augkit.data.catalogue import CatalogueRow, read_catalogue, usable
from augkit.data.crop import Photo
from augkit.data.pair import Pair
from augkit.data.pair_files import read_mask, read_photo

_AHEAD = 64


@dataclass(frozen=True)
class AuditedPair:
    """One pair (S, S) as it is on disk, its row, and where its silhouette is if it has one."""

    row: CatalogueRow
    pair: Pair
    schema: PartSchema
    silhouette: Path | None = None

    @cached_property
    def inside(self) -> NDArray[np.bool_]:
        """(S, S): what lies inside the source photo."""
        return np.asarray(self.pair.mask != IGNORE)

    @cached_property
    def car(self) -> NDArray[np.bool_]:
        """(S, S): pixels of any part."""
        return np.asarray((self.pair.mask != BACKGROUND) & self.inside)

    @cached_property
    def areas(self) -> NDArray[np.int64]:
        """(256,): pixels by id."""
        return self.pair.histogram(256)


Column: TypeAlias = "array[float] | list[str]"


@dataclass(frozen=True, eq=False)
class Measurements:
    """``rows`` are the usable rows of ``catalogue``, ``seen`` those whose files could be read.

    ``damaged`` says by id why the others could not; ``tables`` holds, by check and by name of the figure, an entry for
    each of ``seen``.
    """

    workspace: Workspace
    schema: PartSchema
    catalogue: tuple[CatalogueRow, ...]
    rows: tuple[CatalogueRow, ...]
    seen: tuple[CatalogueRow, ...]
    damaged: Mapping[str, str]
    tables: Mapping[str, Mapping[str, Column]]

    def column(self, check: str, name: str) -> NDArray[np.float64]:
        """A figure of every row of ``seen``."""
        return np.array(self.tables[check][name], np.float64) if self.seen else np.zeros(0)

    def texts(self, check: str, name: str) -> list[str]:
        """The same for texts."""
        return [str(text) for text in self.tables[check][name]] if self.seen else []

    def photo(self, row: CatalogueRow) -> Photo:
        """A second look at one of ``seen``, for a check that has a few suspects."""
        return read_photo(self.workspace.photo(row.id))


def measure_pairs(
    workspace: Workspace,
    checks: Sequence[AuditCheck],
    workers: int = 1,
    progress: Progress = silent,
) -> Measurements:
    """Measures all pairs, each decoded once, in one pass; only the figures stay in memory.

    ``workers`` > 1 measures in so many processes, with the same result. ``progress`` is told of every pair. Raises
    DataError where there is no catalogue, SchemaError where the part schema cannot be read.
    """
    catalogue = tuple(read_catalogue(workspace.require_catalogue()))
    schema, rows = PartSchema.load(workspace.schema), tuple(usable(catalogue))
    names = tuple(check.name for check in checks if check.reads_pairs)
    if not names:
        return Measurements(workspace, schema, catalogue, rows, rows, {}, {})
    tables: dict[str, dict[str, Column]] = {name: {} for name in names}
    seen, damaged = [], {}
    results = _measured(rows, partial(_measure, workspace=workspace, schema=schema, names=names), workers)
    for place, (row, result) in enumerate(zip(rows, results, strict=True)):
        progress("auditing", place + 1, len(rows))
        if isinstance(result, str):
            damaged[row.id] = result
            continue
        seen.append(row)
        for check, figures in zip(names, result, strict=True):
            for name, value in figures.items():
                _append(tables[check], name, value)
    return Measurements(workspace, schema, catalogue, rows, tuple(seen), damaged, tables)


def _append(table: dict[str, Column], name: str, value: float | str) -> None:
    """Numbers are kept in eight bytes each."""
    if isinstance(value, str):
        column = table.setdefault(name, [])
        assert isinstance(column, list), f"{name}: numbers and texts"
        column.append(value)
    else:
        numbers = table.setdefault(name, array("d"))
        assert isinstance(numbers, array), f"{name}: numbers and texts"
        numbers.append(value)


def read_pair(row: CatalogueRow, workspace: Workspace, schema: PartSchema) -> AuditedPair:
    """Raises DataError where a file is missing, damaged, or of another size than the photo's and the catalogue's."""
    photo, mask = read_photo(workspace.photo(row.id)), read_mask(workspace.mask(row.id))
    if not photo.shape[:2] == mask.shape == (row.size, row.size):
        raise DataError(
            f"{row.id}: the photo is {photo.shape[1]}x{photo.shape[0]} pixels, the mask {mask.shape[1]}x"
            f"{mask.shape[0]}, and the catalogue says {row.size}x{row.size}"
        )
    return AuditedPair(row, Pair(photo, mask, row.car_class), schema, workspace.silhouette(row.id))


def _measure(row: CatalogueRow, workspace: Workspace, schema: PartSchema, names: Sequence[str]) -> list[Figures] | str:
    """The figures of each check, or why the pair cannot be read."""
    try:
        audited = read_pair(row, workspace, schema)
    except DataError as error:
        return error.found
    return [CHECKS[name].measure(audited) for name in names]


def _measured(
    rows: Iterable[CatalogueRow], measure: Callable[[CatalogueRow], list[Figures] | str], workers: int
) -> Iterator[list[Figures] | str]:
    if workers <= 1:
        yield from map(measure, rows)
        return
    source = iter(rows)
    context = multiprocessing.get_context("spawn")  # fork would copy whatever threads the caller holds locks with
    with ProcessPoolExecutor(workers, context, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        while batch := list(islice(source, _AHEAD * workers)):
            yield from pool.map(measure, batch, chunksize=8)
