"""Rows of the catalogue in the form of shards: what a segmenter trains on where no shards are written yet."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Self

import pyarrow as pa

from augkit.core.parts import PartSchema
from augkit.core.regular_file import PICTURE, read_regular
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow


class CataloguePairs:
    """Real pairs by their files: the interface of ``EncodedPairs``."""

    def __init__(self, workspace: Workspace, rows: Sequence[CatalogueRow], schema: PartSchema) -> None:
        self.workspace, self.rows, self.schema = workspace, tuple(rows), schema
        self.index = pa.table(
            {
                "key": [row.id for row in rows],
                "source": ["real"] * len(rows),
                "histogram": [row.histogram for row in rows],
            }
        )

    def summed(self) -> Self:
        """The same with checksums of the files in the index, which tell one training's pairs from another's."""
        sums = [tuple(map(zlib.crc32, self.raw(row))) for row in range(len(self))]
        for place, name in enumerate(("photo_crc32", "mask_crc32")):
            self.index = self.index.append_column(name, pa.array([own[place] for own in sums], pa.int64()))
        return self

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def classes(self) -> list[str]:
        """The class name of each row."""
        return [row.car_class.name for row in self.rows]

    def raw(self, index: int) -> tuple[bytes, bytes]:
        """The encoded bytes of photo and mask."""
        id = self.rows[index].id
        return read_regular(self.workspace.photo(id), PICTURE), read_regular(self.workspace.mask(id), PICTURE)
