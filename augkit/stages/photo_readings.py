"""Reading a workspace's unlabelled photos: each is cut to its car, read, and kept where the reading is sure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from augkit.core.atomic_file import write_bytes
from augkit.core.errors import DataError
from augkit.core.parts import BACKGROUND, IGNORE, Mask, PartSchema, histogram
from augkit.core.progress import Progress
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow
from augkit.data.crop import Photo, Window, cut_photo
from augkit.data.held_out_photos import HeldOutPhotos
from augkit.data.orientation import CarView, classify
from augkit.data.pair_files import read_photo
from augkit.data.readings import PhotoReading, ReadingFolder
from augkit.shards.codec import encode_mask, encode_photo
from augkit.sources.teacher.car_finder import find_car, locate_car, without_other_cars
from augkit.sources.teacher.car_reader import CarReader, Chances
from augkit.sources.teacher.thresholds import PartThresholds, kept_share


@dataclass(frozen=True)
class ReadingRule:
    """When a reading counts: thresholds of pixels, the least share of the square that is a car and the least mean
    confidence on it (both from labelled photos), and the least share of the car that has to be sure."""

    thresholds: PartThresholds
    least_car: float
    least_confidence: float
    least_sure: float


@dataclass(frozen=True)
class ReadCar:
    """A square around a car (S, S, 3), all that was read of it, and what of that is sure; (S, S)."""

    photo: Photo
    window: Window
    read: Mask
    sure: Mask
    confidence: float
    other_cars: int

    @property
    def kept(self) -> float:
        """Of the car's pixels, the share that is sure."""
        return kept_share(self.read, self.sure)


class PhotoReader:
    """A teacher's networks and its rule, for photos of ``size`` px as they are stored."""

    def __init__(self, reader: CarReader, rule: ReadingRule, size: int, margin: float) -> None:
        self.reader, self.rule, self.size, self.margin = reader, rule, size, margin

    def find(self, photo: Photo) -> ReadCar:
        """The car of a whole photo (H, W, 3), cut out and read. Raises DataError where there is none."""
        window, others = locate_car(photo, self.reader, self.margin)
        return self.read(cut_photo(photo, window, self.size), window, others)

    def read(self, photo: Photo, window: Window, other_cars: int = 0) -> ReadCar:
        """A square around a car (S, S, 3), read. Raises DataError where it does not seem to show one."""
        chances = self.reader.chances(photo)
        found = find_car(chances.read)
        share = 0.0 if found is None else float(found.piece.mean())
        if found is None or share < self.rule.least_car:
            raise DataError(
                f"no car: {share:.1%} of the square is read as parts of one; on labelled photos it is at least "
                f"{self.rule.least_car:.1%}"
            )
        confidence = float(chances.confidence[found.piece].mean())
        if confidence < self.rule.least_confidence:
            raise DataError(
                f"no car that the teacher knows: its mean confidence is {confidence:.2f}; on labelled photos it is at "
                f"least {self.rule.least_confidence:.2f}"
            )
        read, sure = self._masks(chances)
        return ReadCar(photo, window, read, sure, min(confidence, 1.0), max(other_cars, found.others))

    def _masks(self, chances: Chances) -> tuple[Mask, Mask]:
        whole = chances.enlarged(self.size)
        read = without_other_cars(whole.read)
        return read, np.where(read == IGNORE, IGNORE, self.rule.thresholds.apply(whole)).astype(np.uint8)


class PhotoReadings:
    """A workspace's unlabelled photos on their way into folders of readings."""

    def __init__(self, workspace: Workspace, schema: PartSchema, labelled: Iterable[CatalogueRow]) -> None:
        self.workspace, self.schema = workspace, schema
        self.held_out = HeldOutPhotos(workspace, labelled)

    def write(
        self, rows: Sequence[CatalogueRow], readers: Sequence[tuple[PhotoReader, Path]], key: str, progress: Progress
    ) -> None:
        """Reads the photos with each reader into its folder; the first one finds the cars for all of them."""
        found: list[list[PhotoReading]] = [[] for _ in readers]
        for _, folder in readers:
            ReadingFolder(folder).table.unlink(missing_ok=True)
        for done, row in enumerate(rows, 1):
            for results, result in zip(found, self._read(row, readers), strict=True):
                results.append(result)
            progress("teacher: photos read", done, len(rows))
        for results, (_, folder) in zip(found, readers, strict=True):
            ReadingFolder(folder).write(results, key)

    def _read(self, row: CatalogueRow, readers: Sequence[tuple[PhotoReader, Path]]) -> Iterator[PhotoReading]:
        square: tuple[Photo, Window, int] | None = None
        for reader, folder in readers:
            try:
                square = square or self._square(row, reader)
                car = reader.read(*square)
            except DataError as error:
                yield PhotoReading(row.id, row.group, refused=error.found)
                continue
            yield self._kept(row, car, reader, ReadingFolder(folder))

    def _square(self, row: CatalogueRow, reader: PhotoReader) -> tuple[Photo, Window, int]:
        """The square around the car, where it lies in the source photo, and how many other cars there are."""
        photo = read_photo(self.workspace.unlabelled_photo(row.id))
        if row.crop_side:
            return photo, Window(row.crop_x, row.crop_y, row.crop_side), 0
        window, others = locate_car(photo, reader.reader, reader.margin)
        cut, scale = cut_photo(photo, window, reader.size), row.width / photo.shape[1]
        if twin := self.held_out.twin(cut):
            raise DataError(f"the same picture as the held-out photo {twin}, or nearly")
        return cut, Window(round(window.x * scale), round(window.y * scale), round(window.side * scale)), others

    def _kept(self, row: CatalogueRow, car: ReadCar, reader: PhotoReader, folder: ReadingFolder) -> PhotoReading:
        view, kept = view_of_reading(car, self.schema), car.kept
        refused = ""
        if kept < reader.rule.least_sure:
            least = reader.rule.least_sure
            refused = f"too unsure: {kept:.0%} of the car is kept; at least {least:.0%} have to be"
        else:
            stored = self.workspace.unlabelled_photo(row.id).read_bytes() if row.crop_side else None
            write_bytes(folder.photo(row.id), stored or encode_photo(car.photo)[0])
            write_bytes(folder.mask(row.id), encode_mask(car.sure))
        return PhotoReading(
            row.id, row.group, car.window.x, car.window.y, car.window.side, reader.size,
            histogram(car.sure, self.schema.channels).tolist(), view.orientation, view.doors, view.confidence,
            car.confidence, kept, car.other_cars, refused,
        )  # fmt: skip


def view_of_reading(car: ReadCar, schema: PartSchema) -> CarView:
    """The class that a car shows, by all that was read of it; other cars are background."""
    return classify(np.where(car.read == IGNORE, BACKGROUND, car.read).astype(np.uint8), schema)
