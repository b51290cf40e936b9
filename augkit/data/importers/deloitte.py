"""Deloitte/DTU car parts: one ``.npy`` array a photo, its last channel the label."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augkit.core.classes import Doors
from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import Colour, Mask, PartSchema
from augkit.core.regular_file import size_of_regular
from augkit.data.catalogue import Split
from augkit.data.crop import Photo
from augkit.data.importers import IMPORTERS
from augkit.data.importers._source import contained, files_below, refuse_annotations, require_folder
from augkit.data.photo_decoding import require_size
from augkit.data.samples import LazySamples, Sample, SampleSet

# By label value / 10. The published table has no colour for the last: grey is of this importer.
PARTS: tuple[tuple[str, Colour], ...] = (
    ("hood", (250, 149, 10)),
    ("front_door", (19, 98, 19)),
    ("rear_door", (249, 249, 10)),
    ("frame", (10, 248, 250)),
    ("rear_quarter_panel", (149, 7, 149)),
    ("trunk_lid", (5, 249, 9)),
    ("fender", (20, 19, 249)),
    ("bumper", (249, 9, 250)),
    ("rest_of_car", (128, 128, 128)),
)
TEST_PHOTOS = range(1, 31)

_LARGEST = 2**31  # bytes: as many pixels as are read, in doubles
_NAME = re.compile(r"(?:(?P<kind>black|orange)_(?P<doors>[35])_doors|photo)_(?P<number>\d+)")
_IDS = np.full(256, 255, np.uint8)
_IDS[: 10 * len(PARTS) + 1 : 10] = range(len(PARTS) + 1)


@IMPORTERS.register("deloitte")
def read_deloitte(source: Path, annotations: Path | None = None) -> SampleSet:
    """Reads a folder of ``.npy`` arrays (H, W, 4): red, green, blue and the label value, all whole numbers.

    Label values are 0 for the background and 10, 20, ... 90 for the parts (see ``PARTS``). Names say the subset:
    ``black_5_doors_0001.npy``, ``orange_3_doors_0001.npy``, ``photo_0001.npy``; every other name is of the subset
    ``other``. ``photo_0001`` to ``photo_0030`` are the data set's test photos, the rest is dealt out. Arrays are
    mapped, never unpickled: a file with Python objects in it is a problem of its sample, as is one that is damaged,
    of another shape, with other values, or of more than ``samples.MAX_PIXELS``.

    Raises ConfigError where there is no such folder, or no array in it.
    """
    require_folder(source, "a folder with .npy arrays")
    refuse_annotations(annotations, "the arrays hold the labels")
    files = files_below(source, ".npy")
    if not files:
        raise ConfigError(f"{source}: no .npy files", "a folder with .npy arrays", "check the path")
    schema = PartSchema.from_names([name for name, _ in PARTS], [colour for _, colour in PARTS])
    return SampleSet(schema, LazySamples(files, partial(_sample, source, files)))


def _sample(root: Path, files: list[str], place: int, id: str) -> Sample:
    file = files[place]
    subset, doors, split = facts_of(file)
    array = _Array(root, root / file)
    return Sample(id, file, array.photo, array.mask, doors=doors, split=split, subset=subset)


def facts_of(file: str) -> tuple[str, Doors | None, Split | None]:
    """What a file's name says: subset, door count, and the split where the data set fixes it."""
    found = _NAME.fullmatch(PurePosixPath(file).stem.lower())
    if found is None:
        return "other", None, None
    if found["kind"] is None:
        return "photo", None, "test" if int(found["number"]) in TEST_PHOTOS else None
    return found["kind"], "5" if found["doors"] == "5" else "3", None


@dataclass(frozen=True)
class _Array:
    """One file; its methods read it and raise DataError where it is not what it should be."""

    root: Path
    path: Path

    def photo(self) -> Photo:
        """(H, W, 3) RGB."""
        return _whole(self._open()[..., :3], "colour")

    def mask(self) -> Mask:
        """(H, W) part ids."""
        values = _whole(self._open()[..., 3], "label")
        strange, counts = np.unique(values[(_IDS[values] == 255)], return_counts=True)
        if strange.size:
            shown = ", ".join(f"{value} ({count} pixels)" for value, count in zip(strange, counts, strict=True))
            raise DataError(f"label values outside the table: {shown}; 0, 10, ... {10 * len(PARTS)} are known")
        return _IDS[values]

    def _open(self) -> NDArray[Any]:
        """The array, mapped into memory: only what is asked for is read, and Python objects never are."""
        file = contained(self.root, self.path)
        try:
            size_of_regular(file, _LARGEST)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a header of an earlier Python
                array = np.lib.format.open_memmap(file, mode="r")
        except OSError as error:  # its own text may hold the whole path
            raise DataError(f"the array cannot be read: {error.strerror or error}") from error
        except Exception as error:  # a damaged header raises whatever it happens to hit in numpy and its parser
            raise DataError(f"no .npy array of numbers (pickled objects are never loaded): {error}") from error
        if array.ndim != 3 or array.shape[2] != 4 or not array.size:
            raise DataError(f"the array has the shape {array.shape}; (height, width, 4) is expected")
        require_size(array.shape, "array")
        if array.dtype.kind not in "uif":
            raise DataError(f"the array has the type {array.dtype}; whole numbers are expected")
        return array


def _whole(values: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """The values as bytes. Raises DataError where that would change one."""
    with np.errstate(invalid="ignore"):  # what is not finite is found below
        whole = np.asarray(values).astype(np.uint8)
    wrong = whole != values
    if wrong.any():
        raise DataError(
            f"{int(wrong.sum())} {name} values that are no whole number in 0..255, e.g. {values[wrong].flat[0]}"
        )
    return whole
