"""COCO: JSON files with polygons or run lengths, and folders of photos."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeGuard

from augkit.core.disk_faults import refusal_or
from augkit.core.errors import DataError
from augkit.core.parts import PartSchema
from augkit.core.regular_file import ANNOTATIONS, read_plain
from augkit.data.importers import IMPORTERS
from augkit.data.importers._outlines import Outline, PartShape
from augkit.data.importers._part_table import fixed_ids
from augkit.data.importers._photos import PhotoFolder
from augkit.data.importers._pictures import photo_bytes
from augkit.data.importers._places import Place, locate
from augkit.data.photo_decoding import require_size
from augkit.data.sample_ids import ids_of
from augkit.data.samples import Sample, SampleSet

_ORDER = ("z_order", "zOrder", "z_index", "zIndex")

_LARGEST = 1e15  # of a number that means something; infinity and what no float holds are beyond it

Entry = dict[str, Any]
_Tables = Mapping[str, list[Entry]]


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
    ``_background_`` is dropped, one named ``ignore`` is drawn as ignore (see ``core.part_names.outside_parts``). How
    shapes are drawn, and which of overlapping ones lies on top, says ``draw``.

    Raises ConfigError for paths that are not there, DataError for a file that is no COCO data set and for files with
    different categories, SchemaError for categories that make no part schema. Whatever concerns one photo becomes the
    problem of its sample.
    """
    places = locate(source, annotations)
    tables = [load_tables(place.file) for place in places]
    schema, part_ids = _common_parts(places, tables)
    folders = {place.photos: PhotoFolder(place.photos) for place in places}
    for place, table in zip(places, tables, strict=True):
        for image in table["images"]:
            folders[place.photos].ask(photo_paths(image))
    samples = [
        sample
        for place, table in zip(places, tables, strict=True)
        for sample in _samples(table, part_ids, place, folders[place.photos])
    ]
    samples += _unlisted(places, folders)
    ids = ids_of([sample.source_file for sample in samples])
    return SampleSet(schema, [replace(sample, id=id) for id, sample in zip(ids, samples, strict=True)], drawn=True)


def _common_parts(places: Sequence[Place], tables: Sequence[_Tables]) -> tuple[PartSchema, dict[int, int]]:
    """The schema of all files, and the part id of each category id. Raises DataError where they differ."""
    used = {_whole(annotation.get("category_id")) for table in tables for annotation in table["annotations"]}
    found = [_parts(place.file, table["categories"], used) for place, table in zip(places, tables, strict=True)]
    for place, table, parts in zip(places, tables, found, strict=True):
        if parts != found[0]:
            raise DataError(
                f"{place.file}: the categories are not those of {places[0].file}: {_listed(table)}",
                f"{', '.join(found[0][0].names[1:])}, with the same ids in every file",
                "export the files with one list of categories, or import one with --annotations FILE",
            )
    return found[0]


def _listed(data: _Tables) -> str:
    return ", ".join(f"{category.get('id')}: {category.get('name')}" for category in data["categories"])


def load_tables(file: Path) -> dict[str, list[Entry]]:
    """The file's three tables. Raises DataError where it has no such."""
    try:
        data = json.loads(read_plain(file, ANNOTATIONS))
    except (OSError, ValueError, RecursionError) as error:
        told = refusal_or(error, "a COCO file in JSON", "export the annotations again")
        raise DataError(f"{file}: {error}", *told) from error
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


def _parts(file: Path, categories: Sequence[Entry], used: set[int | None]) -> tuple[PartSchema, dict[int, int]]:
    """The schema, and the part id of each category id (0 for the background, 255 for what is ignored)."""
    remedy = "correct the file's categories"
    numbers = [_whole(category.get("id")) for category in categories]
    names: list[Any] = [category.get("name") for category in categories]
    named = {number: name for number, name in zip(numbers, names, strict=True) if number is not None and _is_name(name)}
    if len(named) < len(categories):
        shown = [f"{category.get('id')!r}: {category.get('name')!r}" for category in categories]
        raise DataError(
            f"{file}: {len(categories)} categories, {len(named)} with name and own id: {', '.join(shown)}",
            "a name and a whole number as id a category, no id twice",
            remedy,
        )
    roots = _roots(categories) - used
    by_number = {number: name for number, name in sorted(named.items()) if number not in roots}
    fixed = dict(zip(by_number, fixed_ids(list(by_number.values())), strict=True))
    kept = [number for number, id in fixed.items() if id is None]
    if not kept:
        raise DataError(f"{file}: no categories", "one category a part", remedy)
    schema = PartSchema.from_names([by_number[number] for number in kept])
    outside = {number: id for number, id in fixed.items() if id is not None}
    return schema, outside | {number: id for id, number in enumerate(kept, 1)}


def _roots(categories: Sequence[Entry]) -> set[int | None]:
    """Ids of categories that others are said to belong to, as Roboflow's first: no parts, unless they have shapes."""
    above = [(category.get("supercategory"), category["name"]) for category in categories]
    parents = {parent for parent, name in above if isinstance(parent, str) and parent != name}
    return {_whole(category.get("id")) for category in categories if category["name"] in parents}


def _samples(data: _Tables, part_ids: Mapping[int, int], place: Place, photos: PhotoFolder) -> Iterator[Sample]:
    """Samples of all images, and of annotations without an image; no ids yet."""
    counts = Counter(image_key(image.get("id")) for image in data["images"])
    shapes: dict[str, list[Entry]] = defaultdict(list)
    for annotation in data["annotations"]:
        shapes[image_key(annotation.get("image_id"))].append(annotation)
    for image in data["images"]:
        key = image_key(image.get("id"))
        if counts[key] > 1:
            yield place.sample(image_name(image), problem=f"image id {key} is listed {counts[key]} times")
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
        path = photos.find(photo_paths(image))
    except DataError as error:
        return place.sample(image_name(image), problem=str(error))
    source = photos.relative(path)
    try:
        outline = _outline(image, annotations, part_ids)
    except DataError as error:
        return place.sample(source, problem=str(error))
    return place.sample(source, photo=partial(photo_bytes, photos.root, path), mask=outline)


def _outline(image: Entry, annotations: Sequence[Entry], part_ids: Mapping[int, int]) -> Outline:
    width, height = image.get("width"), image.get("height")
    if not (_is_int(width) and _is_int(height) and width > 0 and height > 0):
        raise DataError(f"the file records a width and height of {width} and {height}")
    require_size((height, width), "annotation")
    if not annotations:
        raise DataError("no annotation")
    shapes = []
    for number, annotation in enumerate(annotations):
        name, category = f"annotation {annotation.get('id', f'number {number}')}", _whole(annotation.get("category_id"))
        if category is None or category not in part_ids:
            raise DataError(f"{name}: category {annotation.get('category_id')!r} is not among the file's categories")
        if part_ids[category]:
            shapes.append(_shape(annotation, part_ids[category], name))
    return Outline(height, width, tuple(shapes))


def _shape(annotation: Entry, part: int, name: str) -> PartShape:
    box = annotation.get("bbox")
    stated = tuple(map(finite, box)) if isinstance(box, list) and len(box) == 4 else ()
    attributes = annotation.get("attributes")
    places = [annotation, attributes if isinstance(attributes, dict) else {}]
    z = next((finite(place[key]) for place in places for key in _ORDER if key in place), 0.0)
    return PartShape(part, name, annotation.get("segmentation"), finite(annotation.get("area")), stated, z)


def finite(value: object) -> float:
    """A number that means something; 0 for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST:
        return float(value)
    return 0.0


def photo_paths(image: Entry) -> list[str]:
    """Where the photo may be."""
    return [image[key] for key in ("path", "file_name") if isinstance(image.get(key), str) and image[key]]


def image_name(image: Entry) -> str:
    """What to call an image whose photo is not found."""
    return next(iter(photo_paths(image)), f"image {image.get('id')}")


def image_key(value: object) -> str:
    """An image's id, by which annotations find it: 1, "1" and 1.0 are one."""
    number = _whole(value)
    return repr(value) if number is None else str(number)


def _whole(value: object) -> int | None:
    """A whole number, however the file writes it; None for anything else."""
    if type(value) is int:
        return value
    if isinstance(value, float | str):
        text = str(value).strip()
        if match := re.fullmatch(r"(-?\d{1,18})(\.0*)?", text):
            return int(match[1])
    return None


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value)
