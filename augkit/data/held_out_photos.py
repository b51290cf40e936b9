"""Whether a photo shows what a held-out one shows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow
from augkit.data.crop import Photo
from augkit.data.near_duplicates import (
    MAX_DISTANCE,
    MIN_CORRELATION,
    correlation,
    hash_bits,
    perceptual_hash,
    thumb,
)
from augkit.data.pair_files import read_photo


class HeldOutPhotos:
    """The canonical photos of a catalogue that no training may see, as near duplicates are told."""

    def __init__(self, workspace: Workspace, rows: Iterable[CatalogueRow]) -> None:
        self.workspace = workspace
        self.rows = [row for row in rows if row.split != "train" and row.phash and not row.problem]
        self._hashes = np.array([hash_bits(row.phash)[0] for row in self.rows], np.uint64)

    def twin(self, photo: Photo) -> str:
        """The id of the one that a canonical photo (S, S, 3) nearly duplicates, in the mirror or not; else empty."""
        told = perceptual_hash(photo)
        if not told or not self.rows:
            return ""
        small = thumb(photo)
        for bits, seen in zip(hash_bits(told), (small, small[:, ::-1]), strict=True):
            near = np.bitwise_count(self._hashes ^ np.uint64(bits)) <= MAX_DISTANCE
            for row in (self.rows[place] for place in np.flatnonzero(near).tolist()):
                if correlation(seen, thumb(read_photo(self.workspace.photo(row.id)))) >= MIN_CORRELATION:
                    return row.id
        return ""
