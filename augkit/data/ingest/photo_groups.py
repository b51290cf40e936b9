"""Photos without masks beside labelled ones: which show the same picture, and which of them may stay.

Squares are compared as those of labelled photos are. Beside that the photos that they were cut from are compared, by
the hashes of the whole and then by what both squares show of it: a photo may be cut by another box than its near
duplicate, or not at all. Near duplicates of held-out photos, and whatever hangs together with them, are kept out.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from augkit.core.inside import inside
from augkit.core.workspace import Workspace
from augkit.data.catalogue import Catalogue, CatalogueRow, write_catalogue
from augkit.data.crop import Photo
from augkit.data.ingest.splits import Ledger, Numbers
from augkit.data.near_duplicates import (
    MIN_CORRELATION,
    connected,
    correlation,
    find_groups,
    hash_bits,
    mirrored_pairs,
    near_pairs,
    thumb,
)
from augkit.data.pair_files import read_photo

LEAST_SHARED = 0.5
"""Of the smaller one of two squares, that the other has to show, too: else they are two cars of one photo."""

Edges = NDArray[np.float64]
Rows = Callable[[], Iterator[CatalogueRow]]
"""Rows that can be gone through more than once."""


class PhotoLedger(Ledger):
    """Adds what photos without masks are told by: ids, whole photos' hashes, windows, and whether there is a mask."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.names: list[str] = []
        self._whole, self._windows, self._labelled = array("Q"), array("i"), bytearray()

    def add(self, row: CatalogueRow, fixed: bool = False) -> None:
        """One more row."""
        super().add(row, fixed)
        self.ids.append(row.id)
        self.names.append(row.group)
        self._whole.extend(hash_bits(row.whole_phash))
        self._windows.extend((row.crop_x, row.crop_y, row.crop_side, row.width, row.height))
        self._labelled.append(row.labelled)

    @property
    def whole(self) -> NDArray[np.uint64]:
        """(N, 2) hashes of whole photos and of their mirror images; 0 where there are none."""
        return np.frombuffer(self._whole, np.uint64).reshape(-1, 2)

    @property
    def windows(self) -> NDArray[np.int32]:
        """(N, 5): x, y and side of the square, width and height of the photo."""
        return np.frombuffer(self._windows, np.int32).reshape(-1, 5)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """(N,) rows with a mask."""
        return np.frombuffer(self._labelled, np.bool_)

    @property
    def boxless(self) -> NDArray[np.bool_]:
        """(N,) whole photos."""
        return np.asarray(~self.labelled & (self.windows[:, 2] == 0))


def keep_photos(present: Workspace, new: Workspace) -> list[str]:
    """Takes the unlabelled photos of a workspace over into the catalogue of the one that replaces its pairs.

    Returns a line on what was dropped, if anything was.
    """
    if not present.catalogue.is_file():
        return []
    earlier, dropped = Catalogue(present.catalogue), list[str]()
    if next(earlier.unlabelled(), None) is None:
        return []
    labelled = Catalogue(new.catalogue)

    def kept() -> Iterator[CatalogueRow]:
        for row, reason in placed(labelled, earlier.unlabelled, new, [present.unlabelled]):
            if reason:
                dropped.append(row.id)
            else:
                yield row

    write_catalogue(new.catalogue, chain(labelled, kept()))
    told = f"{len(dropped)} photos without masks were dropped: they show what is labelled or held out now"
    return [told] if dropped else []


def placed(
    labelled: Catalogue, photos: Rows, pairs: Workspace, folders: Sequence[Path]
) -> Iterator[tuple[CatalogueRow, str]]:
    """The photos with their groups, and the reason where one is kept out.

    ``pairs`` is where the labelled rows' pairs are, ``folders`` where the photos may be.
    """
    ledger = PhotoLedger()
    for row in labelled:
        ledger.add(row, fixed=True)
    count = len(ledger)
    for row in photos():
        ledger.add(row)
    groups = _groups(ledger, pairs, folders)
    split = np.where(ledger.labelled & ledger.usable, ledger.fixed, -1)
    held = {int(groups[place]): place for place in np.flatnonzero(split > 0)[::-1].tolist()}
    known = {int(groups[place]): place for place in np.flatnonzero(split == 0)[::-1].tolist()}
    sources = {ledger.sha256[place]: place for place in np.flatnonzero(split >= 0).tolist()}
    seen: dict[str, str] = {}
    leaders: dict[int, str] = {}
    for place, row in enumerate(photos(), count):
        group = int(groups[place])
        own = ledger.names[known[group]] if group in known else ""
        reason = row.problem
        if not reason and group in held:
            reason = f"the same picture as the held-out photo {ledger.ids[held[group]]}, or nearly"
        elif not reason and ledger.sha256[place] in sources:
            reason = f"{ledger.ids[sources[ledger.sha256[place]]]} is the same file, with a mask"
        elif not reason and row.id in seen:
            reason = f"the same picture as {seen[row.id]}"
        if not reason:
            seen[row.id] = row.source_file
        yield replace(row, group=own or leaders.setdefault(group, row.id)), reason


def _groups(ledger: PhotoLedger, pairs: Workspace, folders: Sequence[Path]) -> Numbers:
    """(N,) group numbers of all rows."""
    pictures = _Pictures(ledger, pairs, folders)
    phash, known = ledger.phash
    first = find_groups(ledger.sha256, phash, known & ~ledger.boxless & ledger.usable, pictures.look)
    count = len(ledger)
    leaders = np.unique(first, return_index=True)[1][first]
    links = [np.stack([np.arange(count), leaders], axis=1), _whole_links(ledger, pictures)]
    return connected(np.concatenate(links), count)


def _whole_links(ledger: PhotoLedger, pictures: _Pictures) -> Numbers:
    """(M, 2) rows, one of each pair without a mask, whose whole photos show the same, in the mirror or not."""
    usable = np.flatnonzero(ledger.usable & (ledger.whole[:, 0] != 0))
    links = [np.zeros((0, 2), np.int64)]
    same_way = usable[near_pairs(ledger.whole[usable, 0])]
    for mirrored, near in ((False, same_way), (True, mirrored_pairs(usable, ledger.whole))):
        rows = near[~ledger.labelled[near].all(axis=1)]
        same = [pictures.alike(a, b, mirrored) for a, b in rows.tolist()]
        links.append(np.asarray(rows[np.array(same, np.bool_)], np.int64))
    return np.concatenate(links)


def _area(edges: Edges) -> float:
    across, down = np.maximum(edges[2:] - edges[:2], 0.0)
    return float(across * down)


def _seen(photo: Photo, window: Edges, shared: Edges) -> NDArray[np.uint8]:
    """The thumb of the shared part of a picture that shows the window."""
    scale = np.tile(np.array(photo.shape[1::-1]) / (window[2:] - window[:2]), 2)
    left, top, right, bottom = np.round((shared - np.tile(window[:2], 2)) * scale).astype(int).tolist()
    return thumb(np.ascontiguousarray(photo[top : max(bottom, top + 1), left : max(right, left + 1)]))


class _Pictures:
    """Small grey pictures of a ledger's rows."""

    def __init__(self, ledger: PhotoLedger, pairs: Workspace, folders: Sequence[Path]) -> None:
        self.ledger, self._pairs, self._folders = ledger, pairs, folders
        self.look = lru_cache(4096)(lambda number: thumb(self._photo(number)))

    def alike(self, one: int, other: int, mirrored: bool) -> bool:
        """Whether what both show of their photos is the same, the one in the mirror if asked for."""
        first, second = self._window(one, mirrored), self._window(other)
        shared = np.concatenate([np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])])
        if _area(shared) < LEAST_SHARED * min(_area(first), _area(second)):
            return False
        photo = self._photo(one)[:, ::-1] if mirrored else self._photo(one)
        return correlation(_seen(photo, first, shared), _seen(self._photo(other), second, shared)) >= MIN_CORRELATION

    def _window(self, number: int, mirrored: bool = False) -> Edges:
        """(4,) the edges of what a row's picture shows, in shares of the photo."""
        x, y, side, width, height = self.ledger.windows[number].tolist()
        if not side:
            return np.array([0.0, 0.0, 1.0, 1.0])
        left, right = x / width, (x + side) / width
        return np.array(
            [1 - right if mirrored else left, y / height, 1 - left if mirrored else right, (y + side) / height]
        )

    def _photo(self, number: int) -> Photo:
        id = self.ledger.ids[number]
        there = (path for path in (inside(folder, f"{id}.jpg") for folder in self._folders) if path.is_file())
        path = self._pairs.photo(id) if self.ledger.labelled[number] else next(there)
        return read_photo(path)
