"""One sample into the workspace: its canonical pair, its class, its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from augkit.core.atomic_file import naming
from augkit.core.errors import DataError
from augkit.core.parts import Mask, PartSchema, histogram
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow
from augkit.data.crop import Photo, canonical_window, cut_mask, cut_photo, resize_mask
from augkit.data.near_duplicates import perceptual_hash
from augkit.data.orientation import classify
from augkit.data.plausibility import require_crop
from augkit.data.reading_way import ReadingWay
from augkit.data.samples import Sample, read

JPEG_QUALITY = 95
_JPEG = (
    cv2.IMWRITE_JPEG_QUALITY,
    JPEG_QUALITY,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
)
# Runs of one id are all that there is to find in a mask, so looking for nothing else is quick and hardly longer. The
# level comes first: OpenCV forgets the strategy when it is told one.
_PNG = (
    cv2.IMWRITE_PNG_COMPRESSION,
    6,
    cv2.IMWRITE_PNG_STRATEGY,
    cv2.IMWRITE_PNG_STRATEGY_RLE,
    cv2.IMWRITE_PNG_FILTER,
    cv2.IMWRITE_PNG_FILTER_NONE,
)


@dataclass(frozen=True)
class RowTask:
    """What all samples of an import have in common."""

    schema: PartSchema
    workspace: Workspace
    size: int
    margin: float
    importer: str
    way: ReadingWay

    def make(self, sample: Sample) -> tuple[CatalogueRow, Mapping[str, int]]:
        """See ``make_row``."""
        return make_row(sample, self)

    def files(self, row: CatalogueRow) -> tuple[Path, ...]:
        """Photo and mask."""
        return self.workspace.photo(row.id), self.workspace.mask(row.id)


def make_row(sample: Sample, task: RowTask) -> tuple[CatalogueRow, Mapping[str, int]]:
    """Reads, cuts, classifies and writes one sample; what is wrong with it becomes its row's problem.

    Beside the row are the notes of its mask: what was left out or doubtful, and how often.
    """
    row = CatalogueRow(sample.id, task.importer, printable(sample.source_file), printable(sample.subset))
    try:
        reading = read(sample, task.way)
        window = canonical_window(reading.mask, task.margin)
        labels = cut_mask(reading.mask, window)
        areas = histogram(labels)  # of all parts: the window is around them
        task.schema.check(np.flatnonzero(areas).astype(np.uint8), sample.source_file)
        require_crop(window.side, *reading.mask.shape)
    except (DataError, OSError) as error:
        return replace(row, problem=printable("; ".join(str(error).splitlines()) or type(error).__name__)), {}
    whole_phash = perceptual_hash(reading.photo)  # each picture is done with while the processor's cache has it
    photo = cut_photo(reading.photo, window, task.size)
    phash = perceptual_hash(photo)
    # Outside the try: a full disk is no fault of the sample.
    write_photo(task.workspace.photo(row.id), photo)
    mask = resize_mask(labels, task.size, areas)
    _write_mask(task.workspace.mask(row.id), mask)
    view = sample.view or classify(mask, task.schema)
    made = replace(
        row,
        sha256=reading.sha256,
        phash=phash,
        width=reading.mask.shape[1],
        height=reading.mask.shape[0],
        crop_x=window.x,
        crop_y=window.y,
        crop_side=window.side,
        size=task.size,
        histogram=histogram(mask, task.schema.channels).tolist(),
        off_palette=reading.parts.off_palette,
        orientation=view.orientation,
        confidence=view.confidence,
        doors=sample.doors or view.doors,
        split=sample.split or "train",
        whole_phash=whole_phash,
    )
    return made, reading.parts.notes


def _write_mask(path: Path, mask: Mask) -> None:
    """(H, W) part ids as an 8-bit grey PNG."""
    done, data = cv2.imencode(".png", mask, _PNG)
    assert done
    with naming(path):
        path.write_bytes(data.tobytes())


def write_photo(path: Path, photo: Photo) -> None:
    """(H, W, 3) RGB as the workspace's photos are stored, into a folder that is put in place later: JPEG 4:4:4, so that
    small parts keep their colours."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), _JPEG)
    assert done
    with naming(path):
        path.write_bytes(data.tobytes())


def printable(text: str) -> str:
    """The text without the bytes of file names that are no letters: Parquet holds letters only."""
    return text.encode("utf-8", "replace").decode()
