"""Polygons in text files: Ultralytics' task ``segment``. Outlines are rounded to pixels; what is ignored is lost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np
import yaml

from augkit.core.atomic_file import write_text
from augkit.export import EXPORTERS
from augkit.export._picture_files import write_photo
from augkit.export._polygons import centre_polygons
from augkit.export.export_format import ExportFormat, ExportHeading, ExportItem, ExportPlace, Record, Records

_FEWEST = 3
"""Points of a polygon; a region of fewer pixels has none."""


@EXPORTERS.register("yolo")
class YoloSegments(ExportFormat):
    """``images/{split}/{key}.jpg``, ``labels/{split}/{key}.txt`` and ``data.yaml``: a line for every connected region
    of a part, ``class x y x y ...`` as shares of width and height; class 0 is the first part."""

    about: ClassVar[str] = "Ultralytics' segment task"

    def write(self, batch: Iterable[ExportItem], name: str, heading: ExportHeading, place: ExportPlace) -> list[Record]:
        """See ``ExportFormat``."""
        del name
        records = []
        for item in batch:
            write_photo(place, "images", item)
            text = "".join(f"{line}\n" for line in _lines(item, len(heading.schema.parts)))
            place.put(f"labels/{item.split}/{item.key}.txt", text.encode())
            records.append(item.facts)
        return records

    def finish(self, records: Records, heading: ExportHeading, place: ExportPlace) -> None:
        """See ``ExportFormat``."""
        about = {
            **{split: f"images/{split}" for split in records.counts},
            "names": dict(enumerate(heading.schema.names[1:])),
            "license": heading.license,
        }
        write_text(place.path("data.yaml"), yaml.safe_dump(about, sort_keys=False))


def _lines(item: ExportItem, parts: int) -> Iterable[str]:
    size = np.array(item.ids.shape[::-1])
    for part in range(1, parts + 1):
        for ring in centre_polygons(item.ids == part):
            if len(ring) >= _FEWEST:
                yield " ".join([str(part - 1), *(f"{value:.6f}" for value in (ring / size).ravel())])
