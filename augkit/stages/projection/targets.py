"""Which picture is to be projected: a photo, a mask, or a pair of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import IGNORE, Mask
from augkit.core.regular_file import PICTURE, read_regular
from augkit.data.catalogue import CatalogueRow, read_catalogue
from augkit.data.crop import Photo, resize_mask, resize_photo
from augkit.data.orientation import classify
from augkit.data.pair import Pair
from augkit.data.pair_files import read_mask, read_photo
from augkit.data.photo_decoding import open_picture
from augkit.stages.model_store import ModelStore
from augkit.stages.projection.latent_model import LatentStage


@dataclass(frozen=True)
class ProjectionSource:
    """A square picture. ``word`` is what the user called it; ``picture`` is (S, S) part ids or an (S, S, 3) photo."""

    name: str
    word: str
    stage: LatentStage
    car_class: CarClass
    picture: Mask | Photo

    def at(self, size: int) -> Pair:
        """The picture at a generator's size; a photo's mask is all background, so that every pixel counts."""
        if self.stage == "mask":
            return Pair(np.zeros((size, size, 3), np.uint8), resize_mask(self.picture, size), self.car_class)
        return Pair(resize_photo(self.picture, size), np.zeros((size, size), np.uint8), self.car_class)


def read_source(
    store: ModelStore, word: str, stage: LatentStage | None, car_class: CarClass | None
) -> ProjectionSource:
    """A file, or else the id of a pair of the catalogue, whose mask is meant unless ``stage`` says otherwise.

    The class is ``car_class``, or the catalogue's, or what the orientation rule makes of the mask.
    Raises DataError for what cannot be projected, and ConfigError for a photo without a class.
    """
    path = Path(word)
    if path.is_file():
        return _of_file(store, path, stage, car_class)
    row = _row(store, word)
    kind: LatentStage = stage or "mask"
    own = car_class or row.car_class
    if kind == "mask":
        return ProjectionSource(word, word, kind, own, _mask(store, store.workspace.mask(word)))
    photo = store.workspace.photo(word)
    return ProjectionSource(word, word, kind, own, _square(photo, read_photo(photo)))


def _of_file(store: ModelStore, path: Path, stage: LatentStage | None, car_class: CarClass | None) -> ProjectionSource:
    kind = _kind(path)
    if stage not in (None, kind):
        found = "a mask (a grey PNG)" if kind == "mask" else "a photo"
        raise DataError(
            f"{path}: {found}, for --stage {stage}", _TAKES[stage], "leave --stage out, or name another file"
        )  # fmt: skip
    if kind == "mask":
        mask = _mask(store, path)
        return ProjectionSource(path.stem, str(path), kind, car_class or classify(mask, store.schema).car_class, mask)
    if car_class is None:
        raise ConfigError(
            f"{path}: a photo does not say its class", "--class, e.g. --class front-left-5",
            "name it; the class of a mask is found by the orientation rule",
        )  # fmt: skip
    return ProjectionSource(path.stem, str(path), kind, car_class, _square(path, _foreign(path, read_photo)))


_TAKES = {"mask": "an 8-bit grey PNG of part ids", "image-unconditional": "an RGB photo (JPEG or PNG)"}


def _kind(path: Path) -> LatentStage:
    """Grey PNGs are masks, as everywhere here; pictures in colours, and JPEGs, are photos."""
    try:
        with open_picture(read_regular(path, PICTURE)) as picture:
            form, mode = picture.format, picture.mode
    except (DataError, OSError) as error:
        raise DataError(f"{path}: not a readable picture ({error})", "a JPEG or PNG", "name another file") from error
    if form == "PNG" and mode == "L":
        return "mask"
    if form == "JPEG" or mode in ("RGB", "RGBA"):
        return "image-unconditional"
    raise DataError(f"{path}: a {form} of mode {mode}", " or ".join(_TAKES.values()), "convert it")


def _mask(store: ModelStore, path: Path) -> Mask:
    mask = _square(path, _foreign(path, read_mask))
    store.schema.check(mask, str(path))
    if not ((mask > 0) & (mask != IGNORE)).any():
        raise DataError(f"{path}: shows no part", "a mask of a car", "name another file")
    return mask


def _foreign(path: Path, read: Callable[[Path], Mask | Photo]) -> Mask | Photo:
    """Reads it; the remedies of the workspace's own files do not help with others."""
    try:
        return read(path)
    except DataError as error:
        raise DataError(error.found, error.expected, "name another file") from error


def _square(path: Path, picture: Mask | Photo) -> Mask | Photo:
    height, width = picture.shape[:2]
    if height != width:
        raise DataError(
            f"{path}: {width} x {height} px",
            "a square picture, cut around the car as the workspace's pairs are: nothing is cut here",
            "`augkit import` cuts photos with their masks; then name the pair by its id",
        )
    return picture


def _row(store: ModelStore, id: str) -> CatalogueRow:
    for row in read_catalogue(store.workspace.catalogue):
        if row.id == id:
            if row.problem:
                raise DataError(f"{id}: {row.problem}", "a usable pair", "see `augkit audit`")
            return row
    raise DataError(
        f"{id}: no such file, and no pair of that id in the catalogue",
        "a photo (JPEG, PNG), a mask (grey PNG of part ids) or a pair's id", "ids are the file names in pairs/",
    )  # fmt: skip
