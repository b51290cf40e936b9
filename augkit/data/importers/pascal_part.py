"""PASCAL-Part: part masks for the photos of PASCAL VOC 2010, one ``.mat`` file a photo; its cars."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import Mask, PartSchema
from augkit.core.regular_file import LABELS, read_regular
from augkit.data.importers import IMPORTERS
from augkit.data.importers._matlab import field, load_struct, records, text
from augkit.data.importers._photos import PhotoFolder
from augkit.data.importers._pictures import photo_bytes
from augkit.data.importers._source import contained, files_below, require_folder
from augkit.data.photo_decoding import require_size
from augkit.data.samples import LazySamples, Sample, SampleSet

# The data set's names (without a number) and the schema's; parts that differ by number are one part.
NAMES = {
    "frontside": "front_side",
    "leftside": "left_side",
    "rightside": "right_side",
    "backside": "back_side",
    "roofside": "roof",
    "rooftop": "roof",
    "leftmirror": "left_mirror",
    "rightmirror": "right_mirror",
    "fliplate": "front_plate",
    "bliplate": "back_plate",
    "door": "door",
    "wheel": "wheel",
    "headlight": "headlight",
    "window": "window",
}
REST = "rest_of_car"
"""What belongs to the car, but to none of its parts."""

_SCHEMA = PartSchema.from_names([*dict.fromkeys(NAMES.values()), REST])
_FOLDER = "Annotations_Part"
_PHOTOS = ("JPEGImages", "VOC2010/JPEGImages", "VOCdevkit/VOC2010/JPEGImages")
_CAR_LIST = "ImageSets/Main/car_trainval.txt"


@IMPORTERS.register("pascal-part")
def read_pascal_part(source: Path, annotations: Path | None = None) -> SampleSet:
    """Reads the cars of PASCAL-Part; a photo with several makes as many samples.

    ``source`` holds ``Annotations_Part/ID.mat`` (``annotations`` names that folder where it is elsewhere) and
    ``JPEGImages/ID.jpg``, also below ``VOC2010`` or ``VOCdevkit/VOC2010``. Samples are named ``ID.jpg#object-N``, the
    N-th object of the file, from 1. Numbered parts (``door_1``, ``door_2``) are one part; where parts overlap, the
    smaller lies on top; what belongs to the car but to none of its parts is ``rest_of_car``. Cars without parts, and
    files that are no such annotation, are problems of their samples; objects of other classes are passed over.

    Which files hold cars is known only by reading them: that is what takes the time here. Where VOC's own list
    ``ImageSets/Main/car_trainval.txt`` lies beside the photos, files that it says have no car are not opened.
    Raises ConfigError where there is no annotation folder, or it is empty.
    """
    require_folder(source, f"a folder with {_FOLDER} and JPEGImages")
    root = annotations or source / _FOLDER
    require_folder(root, f"the folder {_FOLDER} with one .mat file a photo (name it with --annotations)")
    files = files_below(root, ".mat")
    if not files:
        raise ConfigError(f"{root}: no .mat files", "one .mat file a photo", "check the path")
    table = _ObjectTable(source, root)
    without = _without_cars(source)
    counts = Counter(PurePosixPath(file).stem for file in files)
    for file in files:
        stem = PurePosixPath(file).stem
        if counts[stem] > 1:
            table.add_problem(file, f"{counts[stem]} files have the name {stem}.mat")
        elif stem not in without:
            table.add(file)
    return SampleSet(_SCHEMA, LazySamples(table.names, table.sample))


class _ObjectTable:
    """Which sample is which object of which file: a name and a number a sample."""

    def __init__(self, source: Path, root: Path) -> None:
        self.names: list[str] = []
        self._root, self._source, self._photos = root, source, PhotoFolder(source)
        self._files: list[str] = []
        self._objects = array("l")
        self._problems: dict[str, str] = {}

    def add(self, file: str) -> None:
        """Lists a file's cars; one that cannot be read is listed once, with the reason."""
        try:
            objects = list(_cars(contained(self._root, self._root / file)))
        except (DataError, OSError) as error:
            self.add_problem(file, str(error))
            return
        for number in objects:
            self._list(file, number, f"{PurePosixPath(file).stem}-object-{number}.jpg")

    def add_problem(self, file: str, problem: str) -> None:
        """Lists a file as one sample with a problem."""
        self._problems[file] = problem
        self._list(file, 0, file)

    def _list(self, file: str, number: int, name: str) -> None:
        self._files.append(file)
        self._objects.append(number)
        self.names.append(name)

    def sample(self, place: int, id: str) -> Sample:
        """The sample at a place of ``names``."""
        file, number = self._files[place], self._objects[place]
        stem = PurePosixPath(file).stem
        if file in self._problems:
            return Sample(id, f"{_FOLDER}/{file}", problem=self._problems[file])
        try:
            photo = self._photos.find([f"{folder}/{stem}.jpg" for folder in _PHOTOS])
        except DataError as error:
            return Sample(id, f"{_PHOTOS[0]}/{stem}.jpg#object-{number}", problem=str(error))
        name = f"{self._photos.relative(photo)}#object-{number}"
        return Sample(id, name, partial(photo_bytes, self._source, photo), CarMask(self._root / file, number))


@dataclass(frozen=True)
class CarMask:
    """The ``number``-th object of a file, from 1. Called, it reads the (H, W) mask of the schema's parts.

    Raises DataError for an object without parts, parts of other names, and masks that do not fit together.
    """

    file: Path
    number: int

    def __call__(self) -> Mask:
        """The parts over the whole car, from the largest to the smallest."""
        where = f"object {self.number}"
        found = _objects(self.file)[self.number - 1]
        whole = _cover(field(found, "mask", where), where)
        parts = records(field(found, "parts", where), f"{where}: parts")
        if not parts.size:
            raise DataError(f"{where}: a car without parts")
        covers = []
        for part in parts:
            name = text(field(part, "part_name", f"{where}: part"), f"{where}: part_name")
            cover = _cover(field(part, "mask", f"{where}: {name}"), f"{where}: {name}")
            if cover.shape != whole.shape:
                raise DataError(f"{where}: the mask of {name} is {cover.shape}, that of the car {whole.shape}")
            covers.append((_part_id(name, where), cover))
        mask = np.where(whole, np.uint8(_SCHEMA.id_of(REST)), np.uint8(0))
        for id, cover in sorted(covers, key=lambda item: -int(item[1].sum())):
            mask[cover] = id
        return mask


def _objects(file: Path) -> NDArray[np.void]:
    """The records of all objects of a photo."""
    annotation = load_struct(file, "anno")
    if annotation.size != 1:
        raise DataError(f"{file.name}: anno has {annotation.size} elements; 1 is expected")
    return records(field(annotation[0], "objects", f"{file.name}: anno"), f"{file.name}: objects")


def _cars(file: Path) -> Iterator[int]:
    """Numbers, from 1, of the objects that are cars."""
    for number, found in enumerate(_objects(file), 1):
        where = f"{file.name}: object {number}"
        if text(field(found, "class", where), f"{where}: class") == "car":
            yield number


def _cover(value: NDArray[np.generic], name: str) -> NDArray[np.bool_]:
    if value.ndim != 2 or value.dtype.kind not in "biuf":
        raise DataError(f"{name}: the mask has the shape {value.shape} and type {value.dtype}")
    require_size(value.shape, f"mask of {name}")
    return value.astype(bool)


def _part_id(name: str, where: str) -> int:
    known = NAMES.get(re.sub(r"_\d+$", "", name))
    if known is None:
        raise DataError(f"{where}: no part of a car is named {name!r}; known are {', '.join(NAMES)}")
    return _SCHEMA.id_of(known)


def _without_cars(source: Path) -> frozenset[str]:
    """Ids of which VOC's list says that they show no car; empty where there is no list."""
    for folder in _PHOTOS:
        path = source / Path(folder).parent / _CAR_LIST
        if path.is_file():
            text = read_regular(contained(source, path), LABELS).decode(errors="replace")
            lines = (line.split() for line in text.splitlines())
            return frozenset(words[0] for words in lines if len(words) == 2 and words[1] == "-1")
    return frozenset()
