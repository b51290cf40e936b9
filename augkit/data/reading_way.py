"""What a person may say about reading a data set, where its files leave doubt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from augkit.core.errors import ConfigError

Exif = Literal["upright", "stored"]
"""Which way round a photo lies under its annotation: turned as its EXIF orientation says, or as it is stored."""
Overlap = Literal["smaller", "order"]
"""Which of overlapping shapes lies on top: the smaller one, or the one that comes later in the file's order."""


@dataclass(frozen=True)
class ReadingWay:
    """How all samples are read; None leaves it to the files. Raises ConfigError for another word."""

    exif: Exif | None = None
    overlap: Overlap | None = None

    def __post_init__(self) -> None:
        for option, known in (("exif", get_args(Exif)), ("overlap", get_args(Overlap))):
            word = getattr(self, option)
            if word is not None and word not in known:
                raise ConfigError(f"--{option} {word}", " or ".join(known))


AS_FILES_SAY = ReadingWay()
