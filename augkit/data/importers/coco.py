"""COCO: JSON files with polygons or run lengths, and folders of photos."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeGuard

from augkit.core.errors import DataError
from augkit.core.parts import PartSchema
from augkit.data.importers import IMPORTERS
from augkit.data.importers._outlines import Outline
from augkit.data.importers._part_table import fixed_ids
from augkit.data.importers._photos import PhotoFolder
from augkit.data.importers._places import Place, locate
from augkit.data.sample_ids import ids_of
from augkit.data.samples import Sample, SampleSet, require_size

Entry = dict[str, Any]


@IMPORTERS.register("coco")
def read_coco(source: Path, annotations: Path | None = None) -> SampleSet:
    """Reads a COCO data set of instances: one JSON file with one folder of photos, or several of each.

    ``source`` is a JSON file, or a folder with

    - ``annotations.json``, or one other JSON file, also in ``annotations/``; or
    - several JSON files there, whose names say the split: ``annotations/instances_train2017.json`` with photos in
      ``train2017/`` or ``images/train2017/``; or
    - a JSON file in each of the folders ``train``, ``valid``, ``test`` (Roboflow: ``train/_annotations.coco.json``).

    ``annotations`` names one file where that leaves doubt. A file's split, if its name or folder says one (train, val
    or test), becomes that of its samples, its folder or name their subset. All files have to have the same categories.
    Photos are looked for below the folder of the split, if there is one, else below ``source``: at ``path``, at
    ``file_name``, then anywhere by name. Categories become parts 1..K in the order of their ids; one named
    ``_background_`` is dropped, one named ``ignore`` is drawn as ignore (see ``core.part_names.outside_parts``). Of
    overlapping parts the smaller lies on top.

    Raises ConfigError for paths that are not there, DataError for a file that is no COCO data set and for files with
    different categories, SchemaError for categories that make no part schema. Whatever concerns one photo becomes the
    problem of its sample.
    """
    samples: list[Sample] = []
    schema: PartSchema | None = None
    first, known = Path(), dict[int, int]()
    places = locate(source, annotations)
    folders: dict[Path, PhotoFolder] = {}
    for place in places:
        data = _load(place.file)
        found, part_ids = _parts(place.file, data["categories"])
        if schema is not None and (found, part_ids) != (schema, known):
            raise DataError(
                f"{place.file}: the categories are not those of {first}: {_listed(data)}",
                f"{', '.join(schema.names[1:])}, with the same ids in every file",
                "export the files with one list of categories, or import one with --annotations FILE",
            )
        schema, known, first = found, part_ids, place.file
        folder = folders.setdefault(place.photos, PhotoFolder(place.photos))
        samples += _samples(data, part_ids, place, folder)
    samples += _unlisted(places, folders)
    assert schema is not None
    ids = ids_of([sample.source_file for sample in samples])
    return SampleSet(schema, [replace(sample, id=id) for id, sample in zip(ids, samples, strict=True)])


def _listed(data: Mapping[str, list[Entry]]) -> str:
    return ", ".join(f"{category.get('id')}: {category.get('name')}" for category in data["categories"])


def _load(file: Path) -> dict[str, list[Entry]]:
    """The file's three tables. Raises DataError where it has no such."""
    try:
        data = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file}: {error}", "a COCO file in JSON", "export the annotations again") from error
    tables = ("images", "categories", "annotations")
    missing = [name for name in tables if not (isinstance(data, dict) and _is_table(data.get(name)))]
    if missing:
        raise DataError(
            f"{file}: {', '.join(missing)}: missing, or not a list of objects",
            "a COCO file with the lists images, categories, annotations",
            "export the annotations in the COCO format",
        )
    return {name: data[name] for name in tables}


def _is_table(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _parts(file: Path, categories: Sequence[Entry]) -> tuple[PartSchema, dict[int, int]]:
    """The schema, and the part id of each category id (0 for the background, 255 for what is ignored)."""
    remedy = "correct the file's categories"
    numbers: list[Any] = [category.get("id") for category in categories]
    names: list[Any] = [category.get("name") for category in categories]
    named = {number: name for number, name in zip(numbers, names, strict=True) if _is_int(number) and _is_name(name)}
    if len(named) < len(categories):
        shown = [f"{number!r}: {name!r}" for number, name in zip(numbers, names, strict=True)]
        raise DataError(
            f"{file}: {len(categories)} categories, {len(named)} with name and own id: {', '.join(shown)}",
            "a name and a whole number as id a category, no id twice",
            remedy,
        )
    by_number = dict(sorted(named.items()))
    fixed = dict(zip(by_number, fixed_ids(list(by_number.values())), strict=True))
    kept = [number for number, id in fixed.items() if id is None]
    if not kept:
        raise DataError(f"{file}: no categories", "one category a part", remedy)
    schema = PartSchema.from_names([by_number[number] for number in kept])
    outside = {number: id for number, id in fixed.items() if id is not None}
    return schema, outside | {number: id for id, number in enumerate(kept, 1)}


def _samples(
    data: Mapping[str, list[Entry]], part_ids: Mapping[int, int], place: Place, photos: PhotoFolder
) -> Iterator[Sample]:
    """Samples of all images, and of annotations without an image; no ids yet."""
    counts = Counter(repr(image.get("id")) for image in data["images"])
    shapes: dict[str, list[Entry]] = defaultdict(list)
    for annotation in data["annotations"]:
        shapes[repr(annotation.get("image_id"))].append(annotation)
    for image in data["images"]:
        key = repr(image.get("id"))
        if counts[key] > 1:
            yield place.sample(_named(image), problem=f"image id {key} is listed {counts[key]} times")
        else:
            yield _sample(image, shapes.get(key, []), part_ids, photos, place)
    for key in sorted(shapes.keys() - counts.keys()):
        problem = f"{len(shapes[key])} annotation(s) belong to image {key}, which the file does not list"
        yield place.sample(f"{place.file.name}#image-{key}", problem=problem)


def _unlisted(places: Sequence[Place], folders: Mapping[Path, PhotoFolder]) -> Iterator[Sample]:
    """Samples of the photos in each folder that none of its files lists."""
    for root, photos in folders.items():
        here = [place for place in places if place.photos == root]
        names = ", ".join(place.file.name for place in here)
        whose = here[0] if len(here) == 1 else replace(here[0], split=None, subset="")
        for path in photos.unused():
            yield whose.sample(path, problem=f"the photo is not listed in {names}")


def _sample(
    image: Entry, annotations: Sequence[Entry], part_ids: Mapping[int, int], photos: PhotoFolder, place: Place
) -> Sample:
    try:
        path = photos.find([image[key] for key in ("path", "file_name") if isinstance(image.get(key), str)])
    except DataError as error:
        return place.sample(_named(image), problem=str(error))
    source = photos.relative(path)
    try:
        outline = _outline(image, annotations, part_ids)
    except DataError as error:
        return place.sample(source, problem=str(error))
    return place.sample(source, photo=partial(Path.read_bytes, path), mask=outline)


def _outline(image: Entry, annotations: Sequence[Entry], part_ids: Mapping[int, int]) -> Outline:
    width, height = image.get("width"), image.get("height")
    if not (_is_int(width) and _is_int(height) and width > 0 and height > 0):
        raise DataError(f"the file records a width and height of {width} and {height}")
    require_size((height, width), "annotation")
    if not annotations:
        raise DataError("no annotation")
    shapes = []
    for number, annotation in enumerate(annotations):
        name, category = f"annotation {annotation.get('id', f'number {number}')}", annotation.get("category_id")
        if not _is_int(category) or category not in part_ids:
            raise DataError(f"{name}: category {category!r} is not among the file's categories")
        if part_ids[category]:
            shapes.append((part_ids[category], name, annotation.get("segmentation")))
    return Outline(height, width, tuple(shapes))


def _named(image: Entry) -> str:
    """What to call an image whose photo is not found."""
    return next(
        (image[key] for key in ("path", "file_name") if isinstance(image.get(key), str) and image[key]),
        f"image {image.get('id')}",
    )


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value)
