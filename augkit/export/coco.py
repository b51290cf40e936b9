"""COCO instances: one JSON file a split. Lossless, as run lengths and as polygons along the pixels' edges."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import IO, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from augkit.core.atomic_file import replacing
from augkit.core.parts import IGNORE
from augkit.export import EXPORTERS
from augkit.export._picture_files import write_photo
from augkit.export._polygons import corner_polygons
from augkit.export.export_format import ExportFormat, ExportHeading, ExportItem, ExportPlace, Record, Records

_LICENCE = 1


@EXPORTERS.register("coco")
class CocoInstances(ExportFormat):
    """``images/{split}/{key}.jpg`` and ``annotations/instances_{split}.json``: an annotation for each part of a photo,
    or for each connected region of it; a category has the id of its part.

    ``segmentation`` is ``rle`` (run lengths) or ``polygons``; ``instances`` is ``parts`` or ``regions``. With
    ``ignore`` pixels that are to be ignored get a category of that name, which `augkit import coco` reads back.
    """

    about: ClassVar[str] = "pycocotools, detectron2, CVAT, Datumaro and most annotation tools"

    segmentation: Literal["rle", "polygons"] = "rle"
    instances: Literal["parts", "regions"] = "parts"
    ignore: bool = False

    def write(self, batch: Iterable[ExportItem], name: str, heading: ExportHeading, place: ExportPlace) -> list[Record]:
        """See ``ExportFormat``."""
        del name
        records = []
        for item in batch:
            write_photo(place, "images", item)
            records.append(item.facts | {"annotations": list(self._annotations(item, heading))})
        return records

    def finish(self, records: Records, heading: ExportHeading, place: ExportPlace) -> None:
        """See ``ExportFormat``."""
        for split in records.counts:
            path = place.path(f"annotations/instances_{split}.json")
            with replacing(path) as temporary, temporary.open("w") as file:
                self._list(file, records, heading, split)

    def _annotations(self, item: ExportItem, heading: ExportHeading) -> Iterator[dict[str, Any]]:
        ids = [part.id for part in heading.schema.parts] + ([IGNORE] if self.ignore else [])
        for id in np.intersect1d(item.ids, ids).tolist():
            for region in self._regions(item.ids == id):
                yield {"category_id": id} | self._shape(region)

    def _regions(self, region: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
        if self.instances == "parts":
            yield region
            return
        import cv2

        count, numbers = cv2.connectedComponents(region.astype(np.uint8))
        yield from (numbers == number for number in range(1, count))

    def _shape(self, region: NDArray[np.bool_]) -> dict[str, Any]:
        from pycocotools import mask as coco_masks

        rle = coco_masks.encode(np.asfortranarray(region, np.uint8))
        about = {"area": int(coco_masks.area(rle)), "bbox": coco_masks.toBbox(rle).tolist(), "iscrowd": 0}
        if self.segmentation == "rle":
            return about | {"segmentation": {"size": list(rle["size"]), "counts": rle["counts"].decode()}}
        return about | {"segmentation": [ring.ravel().tolist() for ring in corner_polygons(region)]}

    def _list(self, file: IO[str], records: Records, heading: ExportHeading, split: str) -> None:
        """The JSON file, written as it is gone through: only a pair is in memory."""
        head = {
            "info": {"description": heading.title, "version": heading.version, "contributor": "augkit"},
            "licenses": [{"id": _LICENCE, "name": heading.license, "url": ""}],
            "categories": self._categories(heading),
        }
        file.write(json.dumps(head)[:-1])
        for name, entries in (("images", _images(records, split)), ("annotations", _numbered(records, split))):
            file.write(f', "{name}": [')
            for place, entry in enumerate(entries):
                file.write(("," if place else "") + "\n" + json.dumps(entry))
            file.write("]")
        file.write("}\n")

    def _categories(self, heading: ExportHeading) -> list[dict[str, Any]]:
        parts = [(part.id, part.name) for part in heading.schema.parts]
        named = [*parts, *([(IGNORE, "ignore")] if self.ignore else [])]
        return [{"id": id, "name": name, "supercategory": "car"} for id, name in named]


def _images(records: Records, split: str) -> Iterator[dict[str, Any]]:
    for number, record in enumerate(records.of(split), 1):
        about = {name: record[name] for name in ("width", "height", "source", "class")}
        yield {"id": number, "file_name": record["file"], "license": _LICENCE, **about}


def _numbered(records: Records, split: str) -> Iterator[dict[str, Any]]:
    id = 0
    for image, record in enumerate(records.of(split), 1):
        for annotation in record["annotations"]:
            id += 1
            yield {"id": id, "image_id": image, **annotation}
