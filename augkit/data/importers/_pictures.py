"""Photos and mask pictures in files, read when a sample is: names in, bytes and part ids out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augkit.core.errors import DataError
from augkit.core.parts import BACKGROUND, Mask, histogram
from augkit.core.regular_file import PICTURE, read_regular
from augkit.data.importers._palette import Palette
from augkit.data.importers._part_table import LARGEST_VALUE, PartTable
from augkit.data.importers._source import contained
from augkit.data.photo_decoding import open_picture, readable
from augkit.data.samples import PartMask

MOST_UNKNOWN = 0.05
"""The share of a coloured mask that may be of no colour of the palette, nor near one, before the mask is refused."""

_SHOWN = 8
_NONE = -1


def photo_bytes(root: Path, path: Path) -> bytes:
    """The bytes of a file below ``root``. Raises DataError where a link leads out of the folder."""
    return read_regular(contained(root, path), PICTURE)


@dataclass(frozen=True)
class MaskFile:
    """The mask picture at ``path``, below ``root``. Called, it reads it.

    - Grey pictures of 8 or 16 bits hold the values of the table.
    - Pictures in colours are told by the table's palette: see ``Palette`` for inexact colours. One whose channels are
      equal in every pixel is grey, unless each of its greys is a colour of the palette. So is one that is black in all
      channels but one (ids in the red channel), where the table lists all that is in it.
    - Pictures with a colour map hold values as indices, the usual form. They are read by their colours where all that
      are in use are the palette's and mean something else than their indices do (a coloured mask that a tool has
      stored with fewer bits). Where only some are, there is no telling, and the mask is refused.
    - Pixels that are fully transparent are background.

    Calling raises DataError for a file that is damaged or no picture, values that the table does not have (with their
    counts), grey JPEG files (its losses change ids), and more than ``MOST_UNKNOWN`` of unknown colours.
    """

    root: Path
    path: Path
    table: PartTable

    def __call__(self) -> PartMask:
        """(H, W) part ids, and the share of colours that are not exactly of the palette."""
        with opened(contained(self.root, self.path), "mask") as picture:
            return _part_mask(picture, self.table)


@contextmanager
def opened(path: Path, kind: str) -> Iterator[Image.Image]:
    """A picture whose header is read. What PIL says of damage, then or in the block, is a DataError."""
    try:
        data = read_regular(path, PICTURE)
    except FileNotFoundError as error:
        raise DataError(f"the {kind} {path.name} is not there") from error
    with readable(kind), open_picture(data, kind) as picture, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a damaged tag that does not matter
        yield picture


def _part_mask(picture: Image.Image, table: PartTable) -> PartMask:
    if picture.mode == "P":
        result = _from_indices(picture, table)
    elif picture.mode in ("1", "L", "LA", "I") or picture.mode.startswith("I;16"):
        if picture.format in ("JPEG", "MPO"):
            raise DataError("the mask is a grey JPEG, whose losses change part ids; export it as PNG")
        result = PartMask(_from_values(_channel(picture), table))
    elif picture.mode in ("RGB", "RGBA", "RGBX"):
        result = _from_colours(np.asarray(picture.convert("RGB")), table)
    else:
        raise DataError(f"the mask has {picture.mode} pixels; grey, indexed or RGB ones are expected")
    if picture.mode in ("L", "LA", "P", "RGB", "RGBA") and picture.has_transparency_data:
        result.ids[np.asarray(picture.convert("RGBA"))[..., 3] == 0] = BACKGROUND
    return result


def _channel(picture: Image.Image) -> NDArray[Any]:
    grey = picture.getchannel("L") if picture.mode == "LA" else picture
    return np.asarray(grey).astype(np.uint8) if grey.mode == "1" else np.asarray(grey)


def _from_values(values: NDArray[Any], table: PartTable) -> Mask:
    """(H, W) whole numbers -> part ids."""
    known = _ids_by_value(table)
    if values.dtype == np.uint8:  # nearly all: OpenCV looks them up in a tenth of the time
        unlisted = cv2.LUT(values, (known[:256] == _NONE).astype(np.uint8)).astype(np.bool_)
        ids = cv2.LUT(values, known[:256].astype(np.uint8))
    else:
        ids = known[np.clip(values.astype(np.int64), -1, LARGEST_VALUE + 1)]
        unlisted = ids == _NONE
    if unlisted.any():
        strange, counts = np.unique(values[unlisted], return_counts=True)
        shown = ", ".join(f"{value} ({n} px)" for value, n in zip(strange[:_SHOWN], counts[:_SHOWN], strict=True))
        more = f" and {len(strange) - _SHOWN} more" if len(strange) > _SHOWN else ""
        raise DataError(f"the mask has values that {table.source} does not list: {shown}{more}")
    return np.asarray(ids, np.uint8)


@lru_cache(maxsize=4)
def _ids_by_value(table: PartTable) -> NDArray[np.int16]:
    """Part ids by value; what lies outside comes last, as -1 finds it, too."""
    ids = np.full(LARGEST_VALUE + 2, _NONE, np.int16)
    for value, id in table.values:
        ids[value] = id
    return ids


def _from_colours(rgb: Mask, table: PartTable) -> PartMask:
    """(H, W, 3) -> part ids."""
    channels = _value_channels(rgb)
    if not channels or _are_colours(np.flatnonzero(histogram(rgb[..., channels[0]])), channels, table):
        return _told(rgb, table.palette, table.source)
    return PartMask(_from_values(rgb[..., channels[0]], table))


def _value_channels(rgb: Mask) -> list[int]:
    """All channels of a picture that is grey, the one of a picture that is black in the others; else none."""
    red, green, blue = (rgb[..., channel] for channel in range(3))
    if (red == green).all() and (red == blue).all():
        return [0, 1, 2]
    used = [channel for channel in range(3) if rgb[..., channel].any()]
    return used if len(used) == 1 else []


def _are_colours(values: NDArray[np.intp], channels: Sequence[int], table: PartTable) -> bool:
    """Whether the values that occur in these channels, with 0 in the others, are meant as colours."""
    shades = np.zeros((len(values), 3), np.uint8)
    shades[:, channels] = values[:, None]
    if table.tells_colours and not table.palette.match(shades).inexact:
        return True
    return len(channels) == 1 and bool(table.colours) and bool((_ids_by_value(table)[values] == _NONE).any())


def _told(rgb: Mask, palette: Palette, source: str) -> PartMask:
    found = palette.match(rgb)
    if found.unknown > MOST_UNKNOWN:
        raise DataError(f"{100 * found.unknown:.0f} % of the mask's pixels are of no colour in {source}, nor near one")
    return PartMask(found.ids, found.inexact)


def _from_indices(picture: Image.Image, table: PartTable) -> PartMask:
    """Indices are values, unless the colours in use are all the palette's and say otherwise."""
    indices = np.asarray(picture)
    colours = np.zeros((256, 3), np.uint8)
    stored = np.asarray(picture.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    colours[: len(stored)] = stored
    used = np.flatnonzero(histogram(indices))
    if not table.tells_colours or (colours[used] == used[:, None]).all():
        return PartMask(_from_values(indices, table))
    values, palette = dict(table.values), table.palette
    by_colour = {int(i): palette.same((int(colours[i, 0]), int(colours[i, 1]), int(colours[i, 2]))) for i in used}
    disagree = [index for index, id in by_colour.items() if id is not None and id != values.get(index)]
    if not disagree:
        return PartMask(_from_values(indices, table))
    if None not in by_colour.values():
        return _told(colours[indices], palette, table.source)
    raise DataError(
        f"some colours of the mask's colour map are those of {table.source} (e.g. of index {disagree[0]}), others are "
        "not: store the mask in RGB where the colours count, remove them from the list where the indices do"
    )
