"""Canonical pairs as a data set for training, at the size of the stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from augkit.classes import CarClass
from augkit.data.augment import Augmentation
from augkit.data.catalogue import CatalogueRow
from augkit.data.crop import Photo, resize_mask
from augkit.errors import DataError
from augkit.parts import Mask, PartSchema
from augkit.workspace import Workspace

CACHE_BYTES = 2 << 30

_ENDS = (b"\xff\xd9", b"IEND\xae\x42\x60\x82")  # of a whole JPEG, of a whole PNG


@dataclass(frozen=True)
class Draw:
    """Which row, and the seed of its augmentation."""

    index: int
    seed: int


@dataclass(frozen=True)
class PairItem:
    """photo (S, S, 3) RGB, mask (S, S) ids, and the class they show."""

    photo: Photo
    mask: Mask
    car_class: CarClass


class Pairs(Protocol):
    """Pairs at the size of a stage, by index; what every trainer draws from."""

    def __len__(self) -> int: ...

    def plain(self, index: int) -> PairItem:
        """The pair as it is."""

    def __getitem__(self, draw: Draw) -> PairItem:
        """The pair, augmented with the draw's seed."""


class PairDataset:
    """Rows of the catalogue as pairs of ``size`` px; decoded once and kept while they fit into ``CACHE_BYTES``."""

    def __init__(
        self, workspace: Workspace, rows: Sequence[CatalogueRow], schema: PartSchema, size: int, augment: str = "none"
    ) -> None:
        if not rows:
            raise DataError("no pairs to train on", "at least one usable training row", "see `augkit classes`")
        self.workspace, self.rows, self.schema, self.size = workspace, tuple(rows), schema, size
        self.augment = Augmentation(augment, schema)
        self._keep = len(rows) * size * size * 4 <= CACHE_BYTES
        self._cache: dict[int, PairItem] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def plain(self, index: int) -> PairItem:
        """The pair as it is. Raises DataError where a file is missing, broken or of another size."""
        if index in self._cache:
            return self._cache[index]
        row = self.rows[index]
        mask = read_mask(self.workspace.mask(row.id))
        photo = read_photo(self.workspace.photo(row.id))
        if photo.shape[:2] != mask.shape:
            raise DataError(
                f"{self.workspace.mask(row.id)}: {mask.shape[1]} x {mask.shape[0]} px",
                f"the size of its photo, {photo.shape[1]} x {photo.shape[0]} px",
                "import the data again",
            )
        self.schema.check(mask, str(self.workspace.mask(row.id)))
        item = PairItem(resize_photo(photo, self.size), resize_mask(mask, self.size), row.car_class)
        if self._keep:
            self._cache[index] = item
        return item

    def __getitem__(self, draw: Draw) -> PairItem:
        """The pair, augmented with the draw's seed."""
        item = self.plain(draw.index)
        return PairItem(*self.augment(item.photo, item.mask, item.car_class, draw.seed))


def read_photo(path: Path) -> Photo:
    """(H, W, 3) RGB. Raises DataError where the file is missing or no picture."""
    return np.ascontiguousarray(_decode(path, cv2.IMREAD_COLOR)[:, :, ::-1])


def read_mask(path: Path) -> Mask:
    """(H, W) part ids. Raises DataError where the file is missing or not 8-bit grey."""
    mask = _decode(path, cv2.IMREAD_UNCHANGED)
    if mask.ndim != 2 or mask.dtype != np.uint8:
        raise DataError(f"{path}: {mask.dtype} of shape {mask.shape}", "an 8-bit grey PNG of part ids")
    return mask


def resize_photo(photo: Photo, size: int) -> Photo:
    """(H, W, 3) -> (size, size, 3): area means when shrinking, cubic when enlarging."""
    if photo.shape[:2] == (size, size):
        return photo
    method = cv2.INTER_AREA if photo.shape[0] > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(photo, (size, size), interpolation=method), np.uint8)


def _decode(path: Path, flags: int) -> Photo:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}", "a file of the workspace", "import the data again") from error
    whole = data.endswith(_ENDS)  # OpenCV decodes half a file and greys out the rest
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if whole else None
    if picture is None:
        raise DataError(f"{path}: not a readable picture", "a whole JPEG or PNG", "import the data again")
    return np.asarray(picture)
