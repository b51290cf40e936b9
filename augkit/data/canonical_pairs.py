"""Pairs of a workspace as they are on disk, at one size."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from augkit.core.errors import DataError
from augkit.core.parts import Mask, PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow
from augkit.data.pair import Pair
from augkit.data.pair_files import read_mask, read_photo, read_silhouette
from augkit.data.whole_car import body_of, put_body

CACHE_BYTES = 2 << 30


class PairCache:
    """Items by number, made once and kept while all of them, at ``size`` px, fit into ``CACHE_BYTES``."""

    def __init__(self, make: Callable[[int], Pair], count: int, size: int) -> None:
        self._make, self._keep = make, count * size * size * 4 <= CACHE_BYTES
        self._items: dict[int, Pair] = {}

    def __getitem__(self, index: int) -> Pair:
        if index in self._items:
            return self._items[index]
        item = self._make(index)
        if self._keep:
            self._items[index] = item
        return item


class CanonicalPairs:
    """Rows of the catalogue as pairs of ``size`` px; decoded once and kept while they fit into ``CACHE_BYTES``.

    Where the schema has the internal body, masks show it as far as the workspace has a sound silhouette of the pair.
    """

    def __init__(self, workspace: Workspace, rows: Sequence[CatalogueRow], schema: PartSchema, size: int) -> None:
        self.workspace, self.rows, self.schema, self.size = workspace, tuple(rows), schema, size
        self._items = PairCache(self._read, len(rows), size)

    def __len__(self) -> int:
        return len(self.rows)

    def plain(self, index: int) -> Pair:
        """The pair as it is. Raises DataError where a file is missing, broken or of another size."""
        return self._items[index]

    def _read(self, index: int) -> Pair:
        row = self.rows[index]
        mask = read_mask(self.workspace.mask(row.id))
        photo = read_photo(self.workspace.photo(row.id))
        if photo.shape[:2] != mask.shape:
            raise DataError(
                f"{self.workspace.mask(row.id)}: {mask.shape[1]} x {mask.shape[0]} px",
                f"the size of its photo, {photo.shape[1]} x {photo.shape[0]} px",
                "import the data again",
            )
        self.schema.check(mask, str(self.workspace.mask(row.id)))
        return Pair(photo, self._whole(mask, row), row.car_class).resize(self.size)

    def _whole(self, mask: Mask, row: CatalogueRow) -> Mask:
        """The mask with the body, where there is one to show."""
        body = body_of(self.schema)
        if body is None or not self.workspace.silhouette(row.id).is_file():
            return mask
        return put_body(mask, read_silhouette(self.workspace, row.id, len(mask)) == 1, body)
