"""Pairs of a data set decoded, and drawn once for a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from augkit.core.classes import CarClass
from augkit.core.errors import ShardError
from augkit.core.parts import Mask, PartSchema
from augkit.core.storage import Storage
from augkit.data.pair import Pair, UnpaintedMask
from augkit.report.markup import mask_uri, photo_uri
from augkit.report.rejections import Row
from augkit.shards.codec import decode_mask, decode_photo
from augkit.shards.reader import read_stored

PHOTO_SIZE, THUMBNAIL = 256, 64

Redraw = Callable[[Row], Mask | None]
"""Makes the mask of a rejected row again, which was never painted; None where that cannot be done."""


def never(row: Row) -> None:
    """The redraw that makes nothing again."""
    del row


@dataclass(frozen=True)
class Tile:
    """A pair on a page: data URIs of photo (may be empty) and mask, what it is, and the alternative text.

    ``real`` says whether the key is the id of a real pair.
    """

    role: str
    key: str
    real: bool
    photo: str
    mask: str
    text: str


class ImageCache:
    """Reads rows of the index; each is decoded and drawn once."""

    def __init__(self, storage: Storage, schema: PartSchema, redraw: Redraw = never) -> None:
        self.storage, self.schema, self.redraw = storage, schema, redraw
        self.unreadable: set[str] = set()
        """Keys of pairs whose bytes are missing or broken."""
        self._pairs: dict[str, Pair | UnpaintedMask | None] = {}
        self._drawn: dict[tuple[str, bool], tuple[str, str]] = {}

    def pair(self, row: Row) -> Pair | UnpaintedMask | None:
        """The pair of a row, or the mask of one that was never painted; None where its bytes are missing or broken, and
        where its mask cannot be made again."""
        if row["key"] not in self._pairs:
            self._pairs[row["key"]] = self._read(row) if row["shard"] is not None else self._made_again(row)
        return self._pairs[row["key"]]

    def tile(self, row: Row, role: str, mirrored: bool = False) -> Tile | None:
        """The row as a tile, in the mirror if asked for; None where there is no pair to show."""
        pair = self.pair(row)
        if pair is None:
            return None
        if (row["key"], mirrored) not in self._drawn:
            shown = pair.flip(self.schema) if mirrored else pair
            photo = photo_uri(shown.photo, PHOTO_SIZE) if isinstance(shown, Pair) else ""
            self._drawn[row["key"], mirrored] = photo, mask_uri(shown.mask, self.schema, PHOTO_SIZE)
        text = f"{role}{', mirrored' if mirrored else ''}: {row['class']}, {row['key']}"
        about = role + (" ⇄" if mirrored else ""), row["key"], row["source"] == "real"
        return Tile(*about, *self._drawn[row["key"], mirrored], text)

    def thumbnail(self, row: Row) -> str:
        """The row's photo as a small data URI; empty where there is none."""
        pair = self.pair(row)
        return photo_uri(pair.photo, THUMBNAIL) if isinstance(pair, Pair) else ""

    def _read(self, row: Row) -> Pair | None:
        try:
            stored = read_stored(self.storage, row)
            return Pair(decode_photo(stored.photo), decode_mask(stored.mask), CarClass.parse(row["class"]))
        except ShardError:
            self.unreadable.add(row["key"])
            return None

    def _made_again(self, row: Row) -> UnpaintedMask | None:
        mask = self.redraw(row)
        return None if mask is None else UnpaintedMask(mask, CarClass.parse(row["class"]))
