"""COCO: one JSON file with polygons or run lengths, and a folder of photos."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeGuard

from augkit.data.importers import IMPORTERS
from augkit.data.importers._outlines import Outline
from augkit.data.importers._photos import PhotoFolder
from augkit.data.samples import Sample, SampleSet, ids_of
from augkit.errors import ConfigError, DataError
from augkit.parts import PartSchema

_BACKGROUND_NAMES = ("_background_", "background")
_LARGEST_SIDE = 2**15

Entry = dict[str, Any]


@IMPORTERS.register("coco")
def read_coco(source: Path, annotations: Path | None = None) -> SampleSet:
    """Reads a COCO data set.

    ``source`` is a folder with ``annotations.json`` (or one other JSON file, also in ``annotations/``), or the JSON
    file itself; ``annotations`` names the file where that leaves doubt. Photos are looked for below the folder: at
    ``path``, at ``file_name``, then anywhere by name. Categories become parts 1..K in the order of their ids; one
    named ``_background_`` is dropped. Of overlapping parts the smaller lies on top.

    Raises ConfigError for paths that are not there, DataError for a file that is no COCO data set, SchemaError for
    categories that make no part schema. Whatever concerns one photo becomes the problem of its sample.
    """
    file, root = _locate(source, annotations)
    data = _load(file)
    schema, part_ids = _parts(file, data["categories"])
    samples = list(_samples(data, part_ids, PhotoFolder(root), file.name))
    ids = ids_of([sample.source_file for sample in samples])
    return SampleSet(
        schema, [Sample(id, s.source_file, s.photo, s.mask, s.problem) for id, s in zip(ids, samples, strict=True)]
    )


def _locate(source: Path, annotations: Path | None) -> tuple[Path, Path]:
    """The annotation file and the folder below which the photos are."""
    if not source.exists():
        raise ConfigError(f"{source}: nothing is there", "a folder with annotations.json and photos", "check the path")
    if annotations is not None:
        if not annotations.is_file():
            raise ConfigError(f"--annotations {annotations}: no such file", "the data set's JSON file", "check it")
        return annotations, source if source.is_dir() else source.parent
    if source.is_file():
        return source, source.parent.parent if source.parent.name == "annotations" else source.parent
    if (source / "annotations.json").is_file():
        return source / "annotations.json", source
    found = sorted([*source.glob("*.json"), *source.glob("annotations/*.json")])
    if len(found) != 1:
        names = ", ".join(str(path.relative_to(source)) for path in found[:10]) or "none"
        raise ConfigError(
            f"{source}: JSON files: {names}", "annotations.json, or one JSON file", "name it with --annotations FILE"
        )
    return found[0], source


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
    """The schema, and the part id of each category id (0 for the background)."""
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
    kept = [number for number, name in by_number.items() if name.lower() not in _BACKGROUND_NAMES]
    if not kept:
        raise DataError(f"{file}: no categories", "one category a part", remedy)
    schema = PartSchema.from_names([by_number[number] for number in kept])
    return schema, dict.fromkeys(by_number, 0) | {number: id for id, number in enumerate(kept, 1)}


def _samples(
    data: Mapping[str, list[Entry]], part_ids: Mapping[int, int], photos: PhotoFolder, name: str
) -> Iterator[Sample]:
    """Samples of all images, of annotations without an image, and of photos that the file does not list; no ids yet."""
    counts = Counter(repr(image.get("id")) for image in data["images"])
    shapes: dict[str, list[Entry]] = defaultdict(list)
    for annotation in data["annotations"]:
        shapes[repr(annotation.get("image_id"))].append(annotation)
    for image in data["images"]:
        key = repr(image.get("id"))
        if counts[key] > 1:
            yield Sample("", _named(image), problem=f"image id {key} is listed {counts[key]} times")
        else:
            yield _sample(image, shapes.get(key, []), part_ids, photos)
    for key in sorted(shapes.keys() - counts.keys()):
        problem = f"{len(shapes[key])} annotation(s) belong to image {key}, which the file does not list"
        yield Sample("", f"{name}#image-{key}", problem=problem)
    for path in photos.unused():
        yield Sample("", path, problem=f"the photo is not listed in {name}")


def _sample(image: Entry, annotations: Sequence[Entry], part_ids: Mapping[int, int], photos: PhotoFolder) -> Sample:
    try:
        path = photos.find([image[key] for key in ("path", "file_name") if isinstance(image.get(key), str)])
    except DataError as error:
        return Sample("", _named(image), problem=str(error))
    source = photos.relative(path)
    try:
        outline = _outline(image, annotations, part_ids)
    except DataError as error:
        return Sample("", source, problem=str(error))
    return Sample("", source, partial(Path.read_bytes, path), outline)


def _outline(image: Entry, annotations: Sequence[Entry], part_ids: Mapping[int, int]) -> Outline:
    width, height = image.get("width"), image.get("height")
    if not (_is_int(width) and _is_int(height) and 0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE):
        raise DataError(f"the file records a width and height of {width} and {height}")
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
