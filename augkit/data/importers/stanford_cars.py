"""Stanford Cars: photos with one box each and no masks; the car is cut out of its box."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from augkit.core.errors import ConfigError
from augkit.core.parts import Mask, PartSchema
from augkit.data.catalogue import Split
from augkit.data.foreground import from_box
from augkit.data.importers import IMPORTERS
from augkit.data.importers._boxes import Box, BoxRow, read_boxes, subset_of
from augkit.data.importers._file_names import FileNames
from augkit.data.importers._photos import photo_names
from augkit.data.importers._pictures import photo_bytes
from augkit.data.importers._source import contained, files_below, require_folder
from augkit.data.photo_decoding import decode, open_picture
from augkit.data.plausibility import Polygons, require_pixels
from augkit.data.samples import LazySamples, Sample, SampleSet

# Of train and of test the first file that is there; the last one has both.
_TRAIN = ("cars_train_annos.mat", "anno_train.csv")
_TEST = ("cars_test_annos_withlabels.mat", "cars_test_annos.mat", "anno_test.csv")
_BOTH = ("cars_annos.mat",)


@IMPORTERS.register("stanford-cars")
def read_stanford_cars(source: Path, annotations: Path | None = None) -> SampleSet:
    """Reads Stanford Cars into a schema of the one part ``car``: for pre-training with silhouettes.

    There are no masks: each is made from the photo and its box by GrabCut (``augkit.data.foreground``) when
    the sample is read, which takes most of the time. Boxes come from ``cars_train_annos.mat`` and
    ``cars_test_annos_withlabels.mat`` or ``cars_test_annos.mat`` anywhere below the folder, or else from
    ``anno_train.csv`` and ``anno_test.csv``, or else from ``cars_annos.mat``; or from the one file that
    ``annotations`` names. Photos are found by name below folders with the word ``train`` or ``test`` in their names
    (both have a ``00001.jpg``), or without either, such as ``car_ims``. The photos of ``test`` are the test split.

    Raises ConfigError where there is no annotation file, DataError where one cannot be read.
    """
    require_folder(source, "a folder with cars_train, cars_test and devkit")
    files = _annotation_files(source) if annotations is None else [annotations]
    try:
        rows = [row for file in files for row in read_boxes(file)]
    except OSError as error:
        raise ConfigError(f"--annotations: {error}", "the data set's .mat or .csv file", "check the path") from error
    rows = list(_paired(rows, photo_names(source)))
    names = [row.name for row in rows]
    return SampleSet(PartSchema.from_names(["car"]), LazySamples(names, partial(_sample, source, rows)))


def _annotation_files(source: Path) -> list[Path]:
    below: dict[str, list[str]] = defaultdict(list)
    for file in files_below(source, ".mat", ".csv"):
        below[PurePosixPath(file).name].append(file)
    chosen = [next((name for name in names if name in below), None) for names in (_TRAIN, _TEST, _BOTH)]
    found = [name for name in (chosen[:2] if any(chosen[:2]) else chosen[2:]) if name is not None]
    if not found:
        names = ", ".join((*_TRAIN, *_TEST, *_BOTH))
        raise ConfigError(f"{source}: no annotation file", f"one of {names}", "name it with --annotations FILE")
    twice = [file for name in found for file in below[name] if len(below[name]) > 1]
    if twice:
        raise ConfigError(
            f"{source}: several files of one name: {', '.join(twice)}", "one of each", "name one with --annotations"
        )
    return [contained(source, source / below[name][0]) for name in found]


def _paired(rows: Sequence[BoxRow], photos: Sequence[str]) -> Iterator[BoxRow]:
    """The rows with their photos' paths as names, then a row for each photo without a box in the folders in use."""
    subsets: dict[str, list[str]] = defaultdict(list)
    for photo in photos:
        subsets[_folder_subset(photo)].append(photo)
    names = {subset: FileNames(own) for subset, own in subsets.items()}
    everywhere = FileNames(photos)
    found = [_with_photo(row, [names.get(row.subset), names.get("")] if row.subset else [everywhere]) for row in rows]
    times = Counter(row.name for row in found)
    for row in found:
        yield replace(row, problem=f"{times[row.name]} rows name this photo") if times[row.name] > 1 else row
    used = times.keys() & set(photos)
    folders = {PurePosixPath(photo).parent for photo in used}
    for photo in photos:
        if photo not in used and PurePosixPath(photo).parent in folders:
            yield BoxRow(photo, _folder_subset(photo), problem="no annotation has a box for it")


def _with_photo(row: BoxRow, places: Sequence[FileNames | None]) -> BoxRow:
    """The row with the path of its photo, looked for in one place after the other, or with what is wrong with that."""
    searched = (place.find([row.name]) for place in places if place is not None)
    found = next(filter(None, searched), [])
    if len(found) == 1:
        return replace(row, name=found[0], subset=row.subset or _folder_subset(found[0]))
    problem = f"{len(found)} photos have the name: {', '.join(found[:5])}" if found else "no photo of that name"
    name = row.name.replace("\\", "/")
    return replace(row, name=f"{row.subset}/{name}" if row.subset else name, problem=row.problem or problem)


def _folder_subset(photo: str) -> str:
    return subset_of(str(PurePosixPath(photo).parent))


def _sample(root: Path, rows: Sequence[BoxRow], place: int, id: str) -> Sample:
    row = rows[place]
    split: Split | None = "test" if row.subset == "test" else None
    if row.box is None or row.problem:
        return Sample(id, row.name, problem=row.problem, split=split, subset=row.subset)
    photo = partial(photo_bytes, root, root / row.name)
    return Sample(id, row.name, photo, BoxSilhouette(photo, row.box), split=split, subset=row.subset)


@dataclass(frozen=True)
class BoxSilhouette:
    """A photo and the box of the car in it. Called, it cuts the car out.

    Raises DataError for a photo that cannot be read, and for a box with no area in it.
    """

    photo: Callable[[], bytes]
    box: Box

    def __call__(self) -> Mask:
        """(H, W) mask: 1 on the car."""
        data = self.photo()
        with open_picture(data) as picture:
            shape = picture.height, picture.width
        left, top, right, bottom = self.box
        require_pixels([Polygons([[left + 1, top + 1, right, top + 1, right, bottom, left + 1, bottom]])], *shape)
        return np.asarray(from_box(decode(data, shape), self.box), np.uint8)
