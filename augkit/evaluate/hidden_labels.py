"""How right a teacher is: what it kept of unlabelled photos, against labels that were hidden from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import DataError
from augkit.core.parts import BACKGROUND, IGNORE, Mask, PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import Catalogue, CatalogueRow, usable
from augkit.data.pair_files import read_mask
from augkit.data.readings import PhotoReading, ReadingFolder


@dataclass(frozen=True)
class PartReadings:
    """Of a part: its true ``pixels``, the share of them that was ``kept``, and of the pixels that were kept as this
    part the share that is ``right``; NaN where there are none."""

    name: str
    pixels: int
    kept: float
    right: float


@dataclass(frozen=True)
class TeacherFigures:
    """``photos`` with hidden labels of which so many ``pairs`` were made, with the share of them whose class is right;
    figures of each part, and of all pixels together (``whole``)."""

    photos: int
    pairs: int
    classes_right: float
    whole: PartReadings
    parts: Sequence[PartReadings]
    refused: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "photos": self.photos, "pairs": self.pairs, "classes_right": self.classes_right,
            "whole": vars(self.whole), "parts": [vars(part) for part in self.parts], "refused": dict(self.refused),
        }  # fmt: skip


def evaluate_teacher(workspace: Workspace, labels: Workspace, readings: ReadingFolder | None = None) -> TeacherFigures:
    """Compares what was read with the pairs of the same photos (by sha256) in another workspace.

    Raises DataError where nothing was read, where the other has none of the photos, or has other parts.
    """
    folder = readings or ReadingFolder(workspace.readings)
    rows, schema = folder.rows(), _common_schema(workspace, labels)
    sources = {row.id: row.sha256 for row in Catalogue(workspace.require_catalogue()).unlabelled()}
    truths = {row.sha256: row for row in usable(Catalogue(labels.require_catalogue()))}
    known = [(row, truths[sources[row.id]]) for row in rows if sources.get(row.id) in truths]
    if not known:
        raise DataError(
            f"{labels.root}: has labels of none of the {len(rows)} photos that were read in {workspace.root}",
            "a workspace with pairs of the same files", "import the labelled data set there; train the teacher here",
        )  # fmt: skip
    table = np.zeros((schema.channels, schema.channels + 1), np.int64)
    made = [(row, truth) for row, truth in known if not row.refused]
    for row, truth in made:
        table += confusion(read_mask(folder.mask(row.id)), true_mask(row, truth, labels), schema.channels)
    right = float(np.mean([row.car_class == truth.car_class for row, truth in made])) if made else float("nan")
    refused: dict[str, int] = {}
    for row, _ in known:
        if row.refused:
            reason = row.refused.partition(":")[0]
            refused[reason] = refused.get(reason, 0) + 1
    parts = [_of_part(name, part, table) for part, name in enumerate(schema.names)]
    return TeacherFigures(len(known), len(made), right, _whole(table), parts, refused)


def true_mask(row: PhotoReading, truth: CatalogueRow, labels: Workspace) -> Mask:
    """The hidden mask as the reading's square shows it (S, S): what lies outside its own square is background."""
    mask = read_mask(labels.mask(truth.id))
    middles = (np.arange(row.size) + 0.5) * row.crop_side / row.size
    columns, rows = (
        np.floor((start + middles - own) * truth.size / truth.crop_side).astype(int)
        for start, own in ((row.crop_x, truth.crop_x), (row.crop_y, truth.crop_y))
    )
    padded = np.pad(mask, 1, constant_values=BACKGROUND)
    here = np.ix_(*((places + 1).clip(0, truth.size + 1) for places in (rows, columns)))
    return np.ascontiguousarray(padded[here])


def confusion(read: Mask, truth: Mask, channels: int) -> NDArray[np.int64]:
    """(channels, channels + 1) pixels by true part and by what was read; the last column is what was not kept."""
    seen = truth != IGNORE
    columns = np.where(read == IGNORE, channels, read)[seen].astype(np.int64)
    counts = np.bincount(truth[seen].astype(np.int64) * (channels + 1) + columns, minlength=channels * (channels + 1))
    return counts.reshape(channels, channels + 1)


def _of_part(name: str, part: int, table: NDArray[np.int64]) -> PartReadings:
    pixels, kept = int(table[part].sum()), int(table[part, :-1].sum())
    return PartReadings(name, pixels, _share(kept, pixels), _share(int(table[part, part]), int(table[:, part].sum())))


def _whole(table: NDArray[np.int64]) -> PartReadings:
    pixels, kept = int(table.sum()), int(table[:, :-1].sum())
    return PartReadings("all", pixels, _share(kept, pixels), _share(int(table.diagonal().sum()), kept))


def _share(some: int, of_all: int) -> float:
    return some / of_all if of_all else float("nan")


def _common_schema(workspace: Workspace, labels: Workspace) -> PartSchema:
    schema, others = PartSchema.load(workspace.schema), PartSchema.load(labels.schema)
    if schema.digest != others.digest:
        raise DataError(
            f"{labels.root}: masks of the parts {', '.join(others.names[1:])}", f"{', '.join(schema.names[1:])}",
            "import both from one data set",
        )  # fmt: skip
    return schema
