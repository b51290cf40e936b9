"""One photo without a mask into the workspace: the square around its car, or the whole photo until that is known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from augkit.core.errors import DataError
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow
from augkit.data.crop import Photo, Window, cut_photo, window_around
from augkit.data.ingest.rows import printable, write_photo
from augkit.data.near_duplicates import perceptual_hash
from augkit.data.plausibility import SMALLEST_CROP
from augkit.data.reading_way import Exif
from augkit.data.samples import Sample, read_unlabelled

LONGEST = 4
"""Sides of a canonical square that the longer side of a whole photo is kept at, at most."""


@dataclass(frozen=True)
class PhotoTask:
    """What all photos of an import have in common."""

    workspace: Workspace
    size: int
    margin: float
    importer: str
    exif: Exif | None

    def make(self, sample: Sample) -> tuple[CatalogueRow, Mapping[str, int]]:
        """Reads and writes one photo; what is wrong with it becomes the row's problem, and the photo is refused."""
        row = CatalogueRow(
            sample.id, self.importer, printable(sample.source_file), printable(sample.subset), labelled=False
        )
        try:
            photo, sha256 = read_unlabelled(sample, self.exif)
            window = self._window(sample, photo)
        except (DataError, OSError) as error:
            return replace(row, problem=printable("; ".join(str(error).splitlines()) or type(error).__name__)), {}
        whole = perceptual_hash(photo)
        made = replace(
            row, sha256=sha256, phash=whole, whole_phash=whole, width=photo.shape[1], height=photo.shape[0],
        )  # fmt: skip
        kept = _shrunk(photo, LONGEST * self.size)
        if window is not None:
            kept = cut_photo(photo, window, self.size)
            made = replace(
                made, phash=perceptual_hash(kept), crop_x=window.x, crop_y=window.y, crop_side=window.side,
                size=self.size,
            )  # fmt: skip
        for path in self.files(made):
            write_photo(path, kept)
        return made, {}

    def files(self, row: CatalogueRow) -> tuple[Path, ...]:
        """The photo."""
        return (self.workspace.unlabelled_photo(photo_id(row)),)

    def _window(self, sample: Sample, photo: Photo) -> Window | None:
        if sample.car is None:
            _require_pixels(min(photo.shape[:2]), "photo")
            return None
        left, top, right, bottom = (round(edge) for edge in sample.car.box)
        height, width = photo.shape[:2]
        box = max(0, left), max(0, top), min(width, right), min(height, bottom)
        if box[0] >= box[2] or box[1] >= box[3]:
            raise DataError(f"the box {sample.car.box} lies outside the photo of {width} x {height} pixels")
        window = window_around(box, photo.shape, self.margin)
        _require_pixels(window.side, "square around the car")
        return window


def photo_id(row: CatalogueRow) -> str:
    """The name of a photo without a mask: its bytes and its square decide it, wherever it lies and whatever it is
    called, so that no photo is there twice, and none is called as a pair."""
    told = f"{row.sha256}:{row.crop_x}:{row.crop_y}:{row.crop_side}"
    return f"u-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def _require_pixels(side: int, what: str) -> None:
    if side < SMALLEST_CROP:
        raise DataError(f"the {what} has a side of {side} pixels; {SMALLEST_CROP} are the least")


def _shrunk(photo: Photo, longest: int) -> Photo:
    scale = longest / max(photo.shape[:2])
    if scale >= 1:
        return photo
    size = [max(1, round(length * scale)) for length in photo.shape[1::-1]]
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
