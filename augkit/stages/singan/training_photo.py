"""What a pyramid is trained on: one photo, and its part mask where there is one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import Mask, PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, read_catalogue
from augkit.data.crop import Photo
from augkit.data.drawn_masks import read_drawn_mask
from augkit.data.draws import Draw
from augkit.data.orientation import classify
from augkit.data.pair import Pair
from augkit.data.pair_files import read_mask, read_photo
from augkit.data.present_split import sha256_of


@dataclass(frozen=True)
class TrainingPhoto:
    """``shown`` is a pair, or a photo (H, W, 3) alone where it has no mask.

    ``word`` is what the user called it; ``sha256`` is that of the file, or of the source of a pair's photo.
    """

    name: str
    word: str
    shown: Pair | Photo
    sha256: str = ""

    @property
    def pair(self) -> Pair | None:
        """The photo with its mask, where it has one."""
        return self.shown if isinstance(self.shown, Pair) else None

    @property
    def photo(self) -> Photo:
        """(H, W, 3)."""
        return self.shown.photo if isinstance(self.shown, Pair) else self.shown

    @property
    def digest(self) -> str:
        """sha256 over the pixels of photo and mask."""
        mask = b"" if self.pair is None else self.pair.mask.tobytes()
        return hashlib.sha256(self.photo.tobytes() + repr(self.photo.shape).encode() + mask).hexdigest()


class SinglePhotoDataset:
    """One photo as a data set: every row is the same."""

    def __init__(self, photo: Photo) -> None:
        self.pair = Pair(photo, np.zeros((1, 1), np.uint8), ALL_CLASSES[0])

    def __len__(self) -> int:
        return 1

    def plain(self, index: int) -> Pair:
        """The photo; no network reads its mask or its class."""
        del index
        return self.pair

    def __getitem__(self, draw: Draw) -> Pair:
        """The same: nothing is augmented."""
        return self.pair


def read_subject(workspace: Workspace, word: str, mask: Path | None) -> TrainingPhoto:
    """A photo's file, with the file of its mask if given, or the id of a pair of the catalogue.

    Raises DataError for files that cannot be read or do not belong together, ConfigError for a mask beside a pair.
    """
    path = Path(word)
    if path.is_file():
        photo = read_photo_file(path)
        shown = photo if mask is None else _with_mask(path, photo, mask, PartSchema.load(workspace.schema))
        return TrainingPhoto(plain_name(path.stem), str(path), shown, sha256_of(path))
    if mask is not None:
        raise ConfigError(f"--mask {mask} with the pair {word}", "no --mask: a pair has its own", "leave it out")
    row = pair_of(workspace, word)
    pair = Pair(read_photo(workspace.photo(word)), checked_mask(workspace, word), row.car_class)
    return TrainingPhoto(word, word, pair, row.sha256)


def pair_of(workspace: Workspace, id: str) -> CatalogueRow:
    """The row of a usable pair. Raises DataError where the catalogue has none of that id."""
    row = next((row for row in read_catalogue(workspace.require_catalogue()) if row.id == id), None)
    if row is None:
        raise DataError(
            f"{id}: no such file, and no pair of that id in the catalogue", "a file, or the id of a pair",
            "ids are the file names in pairs/",
        )  # fmt: skip
    if row.problem:
        raise DataError(f"{id}: {row.problem}", "a usable pair", "see `augkit audit`")
    return row


def checked_mask(workspace: Workspace, id: str) -> Mask:
    """The mask of a pair. Raises SchemaError for ids that the schema does not have."""
    mask = read_mask(workspace.mask(id))
    PartSchema.load(workspace.schema).check(mask, str(workspace.mask(id)))
    return mask


def read_photo_file(path: Path) -> Photo:
    """A photo of the user's. Raises DataError."""
    try:
        return read_photo(path)
    except DataError as error:
        raise DataError(error.found, "a whole JPEG or PNG photo", "name another file, or save it again") from error


def view_of(mask: Mask, schema: PartSchema) -> CarClass:
    """The class that a mask shows."""
    return classify(mask, schema).car_class


def plain_name(stem: str) -> str:
    """A file's name as that of a model."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-") or "photo"


def _with_mask(path: Path, photo: Photo, file: Path, schema: PartSchema) -> Pair:
    """The photo of ``path`` with the mask of ``file``. Raises DataError where they are of different sizes."""
    mask = read_drawn_mask(file, schema)
    if mask.shape != photo.shape[:2]:
        raise DataError(
            f"{file}: {mask.shape[1]} x {mask.shape[0]} px",
            f"the size of {path}, {photo.shape[1]} x {photo.shape[0]} px",
            "draw the mask over the photo itself, or resize it without smoothing",
        )  # fmt: skip
    return Pair(photo, mask, view_of(mask, schema))
