"""What a person may say about reading a data set, where its files leave doubt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Exif = Literal["upright", "stored"]
"""Which way round a photo lies under its annotation: turned as its EXIF orientation says, or as it is stored."""
Overlap = Literal["smaller", "order"]
"""Which of overlapping shapes lies on top: the smaller one, or the one that comes later in the file's order."""


@dataclass(frozen=True)
class ReadingWay:
    """How all samples are read; None leaves it to the files."""

    exif: Exif | None = None
    overlap: Overlap | None = None


AS_FILES_SAY = ReadingWay()
