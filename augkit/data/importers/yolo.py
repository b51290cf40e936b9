"""Ultralytics YOLO data sets: ``data.yaml`` with polygons in text files, or with mask pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from augkit.core.disk_faults import refusal_or
from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import Mask
from augkit.core.plain_yaml import load_plain
from augkit.core.regular_file import SETTINGS, read_plain
from augkit.data.catalogue import SPLITS
from augkit.data.importers import IMPORTERS
from augkit.data.importers._part_table import PartEntry, PartTable
from augkit.data.importers._pictures import MaskFile, photo_bytes
from augkit.data.importers._source import hidden
from augkit.data.importers._yolo_files import MASK_SUFFIXES, YoloEntry, YoloFiles, label_of
from augkit.data.importers._yolo_labels import PolygonFile
from augkit.data.importers._yolo_splits import warnings_of
from augkit.data.samples import LazySamples, PartMask, Sample, SampleSet

_LAYOUT = "a folder with data.yaml (train, val, test, names), images/ and labels/"


@IMPORTERS.register("yolo")
def read_yolo(source: Path, annotations: Path | None = None) -> SampleSet:
    """Reads a data set of Ultralytics' ``segment`` or ``semantic`` task.

        SRC/
          data.yaml               path, train, val, test, names, and masks_dir: masks for mask pictures
          images/
            train/a.jpg
            val/b.jpg
          labels/                 segment: one row a polygon, class x1 y1 x2 y2 x3 y3 ..., as shares of width and height
            train/a.txt
            val/b.txt
          masks/                  semantic, instead of labels/: a grey picture of class numbers, 255 ignored
            train/a.png

    ``source`` is the folder with ``data.yaml`` (or one other YAML file), or the YAML file itself; ``annotations``
    names the file where that leaves doubt. The folder that the file's entries are relative to is ``path`` where that
    exists (for a folder as source: where it is inside the folder, since most files carry a path of the machine they
    were written on), else the source folder, or the file's. ``train``, ``val`` and ``test`` are folders, text files
    that list photos, or lists of such; they fix the samples' splits (of equal ones the first). Paths of another machine
    are found by their longest tail. ``labels`` (or ``masks_dir``) takes the place of the last ``images`` in a photo's
    path; where there is none, labels lie beside the photos.

    Classes become parts 1..K in the order of their numbers; one named ``background`` is 0. Of overlapping parts the
    smaller lies on top (see ``PolygonFile`` for what is a fault in a text file, ``MaskFile`` for mask pictures).

    Raises ConfigError for paths that are not there, DataError for a file that is no data set description, SchemaError
    for names that make no part schema. Whatever concerns one photo becomes the problem of its sample.
    """
    file = _locate(source, annotations)
    description = _load(file)
    root = _root(source, file, description)
    table, masks_dir = _table(file, description), _masks_dir(file, description)
    entries, repeats = YoloFiles(root, file, masks_dir).entries(description)
    if not entries:
        raise DataError(f"{file}: no photo in {', '.join(s for s in SPLITS if description.get(s))}", _LAYOUT)
    classes = tuple((number, id) for number, id in table.values if number in _classes(description))
    maker = _Maker(root, table, masks_dir, classes, entries)
    samples = LazySamples([entry.file for entry in entries], maker.sample)
    return SampleSet(table.schema, samples, warnings_of(file.name, repeats), drawn=not masks_dir)


def _locate(source: Path, annotations: Path | None) -> Path:
    if not source.exists():
        raise ConfigError(f"{source}: nothing is there", _LAYOUT, "check the path")
    if annotations is not None:
        if not annotations.is_file():
            raise ConfigError(f"--annotations {annotations}: no such file", "the data set's YAML file", "check it")
        return annotations
    if source.is_file():
        return source
    if (source / "data.yaml").is_file():
        return source / "data.yaml"
    found = sorted(path for path in [*source.glob("*.yaml"), *source.glob("*.yml")] if not hidden(path.name))
    if len(found) != 1:
        names = ", ".join(path.name for path in found[:10]) or "none"
        raise ConfigError(
            f"{source}: YAML files: {names}", "data.yaml, or one YAML file", "name it with --annotations FILE"
        )
    return found[0]


def _load(file: Path) -> dict[str, Any]:
    try:
        description = load_plain(read_plain(file, SETTINGS))
    except (OSError, ValueError) as error:
        told = refusal_or(error, "a YAML file as Ultralytics reads it", "correct the file")
        raise DataError(f"{file}: {error}", *told) from error
    if not isinstance(description, dict) or not description.get("names"):
        raise DataError(f"{file}: no names in it", "names: a list, or a mapping from class numbers", "add the names")
    if not any(description.get(split) for split in SPLITS):
        raise DataError(f"{file}: neither train nor val nor test", "at least train: FOLDER", "add the photos' folders")
    if description.get("label_mapping"):
        raise DataError(f"{file}: label_mapping", "masks that hold the class numbers of names", "store masks so")
    return description


def _root(source: Path, file: Path, description: Mapping[str, Any]) -> Path:
    base = source if source.is_dir() else file.parent
    path = description.get("path")
    if path is None:
        return base
    named = Path(os.path.normpath(file.parent / str(path)))
    inside = named.resolve().is_relative_to(base.resolve())
    return named if named.is_dir() and (inside or source.is_file()) else base


def _table(file: Path, description: Mapping[str, Any]) -> PartTable:
    classes = _classes(description)
    if not classes or not all(_is_class(k) and isinstance(v, str) for k, v in classes.items()):
        names = description["names"]
        raise DataError(
            f"{file}: names: {names!r}", "a list of names, or a mapping from class numbers to names", "correct the file"
        )
    count = description.get("nc", len(classes))
    if count != len(classes):
        raise DataError(f"{file}: nc is {count}, but there are {len(classes)} names", "as many names", "correct either")
    return PartTable.of(file.name, [PartEntry(number, name) for number, name in classes.items()])


def _classes(description: Mapping[str, Any]) -> dict[Any, Any]:
    """The names by class number, as Ultralytics reads them ("0" is 0); empty for neither a list nor a mapping."""
    names = description["names"]
    if isinstance(names, list):
        return dict(enumerate(names))
    if not isinstance(names, dict):
        return {}
    return {int(key) if isinstance(key, str) and key.isdecimal() else key: name for key, name in names.items()}


def _is_class(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _masks_dir(file: Path, description: Mapping[str, Any]) -> str:
    """The folder that stands for ``images`` in the paths of masks; empty for a data set of polygons."""
    masks = description.get("masks_dir")
    if masks is None:
        return ""
    if not isinstance(masks, str) or not masks or Path(masks).is_absolute() or ".." in Path(masks).parts:
        raise DataError(f"{file}: masks_dir: {masks!r}", "the name of a folder beside images", "correct the file")
    return masks


@dataclass(frozen=True)
class _Maker:
    """Makes samples of entries; of polygons' classes only those with a name have a part."""

    root: Path
    table: PartTable
    masks_dir: str
    classes: tuple[tuple[int, int], ...]
    entries: Sequence[YoloEntry]

    def sample(self, place: int, id: str) -> Sample:
        photo, split, problem, label = self.entries[place]
        if problem:
            return Sample(id, photo, problem=problem, split=split)
        label = label or label_of(photo, self.masks_dir)
        mask: _MaskOf | PolygonFile = PolygonFile(self.root, self.root / f"{label}.txt", self.classes)
        if self.masks_dir:
            mask = _MaskOf(self.root, tuple(self.root / (label + suffix) for suffix in MASK_SUFFIXES), self.table)
        return Sample(id, photo, partial(photo_bytes, self.root, self.root / photo), mask, split=split)


@dataclass(frozen=True)
class _MaskOf:
    """The mask picture at one of the ``paths``, which differ in their suffix. Called, it reads it."""

    root: Path
    paths: tuple[Path, ...]
    table: PartTable

    def __call__(self) -> PartMask | Mask:
        found = [path for path in self.paths if path.is_file()]
        if len(found) != 1:
            stem = self.paths[0].with_suffix("").relative_to(self.root).as_posix()
            raise DataError(f"{len(found)} masks at {stem} ({', '.join(MASK_SUFFIXES)}); there has to be one")
        return MaskFile(self.root, found[0], self.table)()
