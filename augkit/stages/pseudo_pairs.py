"""Photos that a teacher read, in the form of shards: what a student trains on beside labelled pairs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from augkit.core.parts import PartSchema
from augkit.data.readings import PhotoReading, ReadingFolder
from augkit.stages.catalogue_pairs import CataloguePairs


class StudentPairs:
    """Labelled pairs and the photos of folders of readings: the interface of ``EncodedPairs``."""

    def __init__(self, labelled: CataloguePairs, schema: PartSchema, folder: Path | None) -> None:
        self.labelled, self.schema = labelled, schema
        self.readings = None if folder is None else ReadingFolder(folder)
        self.read: Sequence[PhotoReading] = [] if self.readings is None else self.readings.pairs()
        index = labelled.index
        if self.read:
            index = pa.concat_tables(
                [
                    index,
                    pa.table(
                        {
                            "key": [row.id for row in self.read],
                            "source": ["pseudo"] * len(self.read),
                            "histogram": [row.histogram for row in self.read],
                        }
                    ),
                ]
            )
        self.index = index

    def __len__(self) -> int:
        return len(self.labelled) + len(self.read)

    @property
    def classes(self) -> list[str]:
        """The class name of each row."""
        return [*self.labelled.classes, *(row.car_class.name for row in self.read)]

    def raw(self, index: int) -> tuple[bytes, bytes]:
        """The encoded bytes of photo and mask."""
        if index < len(self.labelled):
            return self.labelled.raw(index)
        assert self.readings is not None
        id = self.read[index - len(self.labelled)].id
        return self.readings.photo(id).read_bytes(), self.readings.mask(id).read_bytes()
