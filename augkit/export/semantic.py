"""Photos beside masks of ids, in parallel folders: what most semantic segmentation tools read. Lossless."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import yaml

from augkit.core.atomic_file import write_text
from augkit.core.parts import IGNORE
from augkit.export import EXPORTERS
from augkit.export._picture_files import write_pairs
from augkit.export.export_format import ExportFormat, ExportHeading, ExportItem, ExportPlace, Record, Records


@EXPORTERS.register("semantic")
class SemanticFolders(ExportFormat):
    """``images/{split}/{key}.jpg``, ``masks/{split}/{key}.png`` and ``data.yaml``."""

    about: ClassVar[str] = "Ultralytics' semantic task, detectron2's load_sem_seg, smp and most scripts"

    def write(self, batch: Iterable[ExportItem], name: str, heading: ExportHeading, place: ExportPlace) -> list[Record]:
        """See ``ExportFormat``."""
        del name, heading
        return write_pairs(place, "images", "masks", batch)

    def finish(self, records: Records, heading: ExportHeading, place: ExportPlace) -> None:
        """See ``ExportFormat``."""
        about = {
            **{split: f"images/{split}" for split in records.counts},
            "masks_dir": "masks",
            "ignore_index": IGNORE,
            "names": dict(enumerate(heading.schema.names)),
            "colours": {part.id: list(part.colour) for part in heading.schema.parts},
            "license": heading.license,
        }
        write_text(place.path("data.yaml"), yaml.safe_dump(about, sort_keys=False))
