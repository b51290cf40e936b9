"""Photos that nobody labelled: a folder of them, or a COCO file with boxes around cars."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from augkit.core.errors import DataError
from augkit.core.parts import PartSchema
from augkit.data.crop import Box
from augkit.data.importers import IMPORTERS
from augkit.data.importers._photos import PhotoFolder, photo_names
from augkit.data.importers._pictures import photo_bytes
from augkit.data.importers._places import Place, locate
from augkit.data.importers._source import files_below, require_folder
from augkit.data.importers.coco import Entry, finite, image_key, image_name, load_tables, photo_paths
from augkit.data.sample_ids import ids_of
from augkit.data.samples import CarBox, LazySamples, Sample, SampleSet

_CARS = frozenset({"car", "cars", "vehicle", "auto", "automobile", "suv", "van", "pickup", "hatchback", "saloon",
                   "sedan", "estate", "minivan"})  # fmt: skip
_NO_PARTS = PartSchema(())


@IMPORTERS.register("photos")
def read_photos(source: Path, annotations: Path | None = None) -> SampleSet:
    """Reads photos without masks, which join the labelled ones of a workspace.

    ``source`` is a folder with photos anywhere below it, or a COCO data set as ``read_coco`` takes it, with boxes.
    Where some of its categories are called as cars are, each box of such a category is one car; else the boxes of a
    photo are those of one car's parts. Without boxes the teacher finds the car.

    Raises ConfigError for a source that is not there, DataError where it holds no photo or no COCO data set. Whatever
    concerns one photo becomes the problem of its sample.
    """
    if annotations is not None or source.is_file() or (source.is_dir() and _is_coco(source)):
        return SampleSet(_NO_PARTS, _boxed(source, annotations), labelled=False)
    require_folder(source, "a folder of photos, or a COCO file with boxes")
    names = photo_names(source)
    if not names:
        raise DataError(f"{source}: no photo", "JPEG, PNG, WebP, BMP or TIFF files anywhere below it", "check the path")
    return SampleSet(_NO_PARTS, LazySamples(names, partial(_plain, source, names)), labelled=False)


def _plain(source: Path, names: Sequence[str], place: int, id: str) -> Sample:
    name = names[place]
    return Sample(id, name, photo=partial(photo_bytes, source, source / name), subset=name.rpartition("/")[0])


def _is_coco(source: Path) -> bool:
    """Whether the folder says what its photos show; a folder of photos has no JSON files, or others."""
    return bool(files_below(source, ".json"))


def _boxed(source: Path, annotations: Path | None) -> list[Sample]:
    found = [sample for place in locate(source, annotations) for sample in _samples(place)]
    ids = ids_of([sample.source_file for sample in found])
    return [replace(sample, id=id) for id, sample in zip(ids, found, strict=True)]


def _samples(place: Place) -> Iterator[Sample]:
    """A sample for each car; a photo without a box is one that the teacher looks for the car in. No ids yet."""
    tables, photos = load_tables(place.file), PhotoFolder(place.photos)
    cars = {image_key(c.get("id")) for c in tables["categories"] if _is_car(c.get("name"))}
    boxes: dict[str, list[Box]] = defaultdict(list)
    for annotation in tables["annotations"]:
        box = annotation.get("bbox")
        if (not cars or image_key(annotation.get("category_id")) in cars) and isinstance(box, list) and len(box) == 4:
            left, top, across, down = map(finite, box)
            if across > 0 and down > 0:
                boxes[image_key(annotation.get("image_id"))].append((left, top, left + across, top + down))
    for image in tables["images"]:
        photos.ask(photo_paths(image))
    for image in tables["images"]:
        own = boxes.get(image_key(image.get("id")), [])
        yield from _of_image(image, own if cars or not own else [_around(own)], photos, place)


def _of_image(image: Entry, boxes: Sequence[Box], photos: PhotoFolder, place: Place) -> Iterator[Sample]:
    try:
        path = photos.find(photo_paths(image))
    except DataError as error:
        yield place.sample(image_name(image), problem=str(error))
        return
    plain = place.sample(photos.relative(path), photo=partial(photo_bytes, photos.root, path))
    for number, box in enumerate(boxes):
        name = plain.source_file + (f"#{number + 1}" if len(boxes) > 1 else "")
        yield replace(plain, source_file=name, car=CarBox(box, _shape(image)))
    if not boxes:
        yield plain


def _shape(image: Entry) -> tuple[int, int] | None:
    height, width = image.get("height"), image.get("width")
    return (height, width) if type(height) is int and type(width) is int and min(height, width) > 0 else None


def _around(boxes: Sequence[Box]) -> Box:
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def _is_car(name: Any) -> bool:
    """A word of the name stands for a car, and none for a part of one (``car_door`` is none)."""
    words = re.findall(r"[a-z]+", name.lower()) if isinstance(name, str) else []
    return bool(words) and set(words) <= _CARS
