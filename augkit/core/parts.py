"""The part schema: which ids a mask may hold, what they mean, and which swap when the picture is flipped."""

from __future__ import annotations

import colorsys
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, NotRequired

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from typing_extensions import TypedDict

from augkit.core.atomic_file import write_json
from augkit.core.disk_faults import refusal_or
from augkit.core.errors import SchemaError
from augkit.core.nearest import one_of
from augkit.core.part_names import PartName, PartOverride, faults_of, read_names
from augkit.core.typed import from_plain, read_json

BACKGROUND = 0
IGNORE = 255
MAX_PART = 254
_EXACT = 1 << 24  # OpenCV's counts are 32-bit floats, which hold all whole numbers up to here

Colour = tuple[int, int, int]
Mask = NDArray[np.uint8]


_Channel = Annotated[int, Field(ge=0, le=255, strict=True)]


class _WrittenPart(TypedDict):
    id: Annotated[int, Field(ge=1, le=MAX_PART, strict=True)]
    name: Annotated[str, Field(min_length=1, max_length=500)]
    colour: Annotated[list[_Channel], Field(min_length=3, max_length=3)]
    side: NotRequired[str | None]
    end: NotRequired[str | None]
    kind: NotRequired[str | None]
    mirror: NotRequired[str | None]


class _Written(TypedDict):
    parts: list[_WrittenPart]


@dataclass(frozen=True)
class Part:
    """One label id of the mask (1..254), its name and its display colour (RGB); ``said`` counts more than the name."""

    id: int
    name: str
    colour: Colour
    said: PartOverride | None = None


@dataclass(frozen=True)
class PartSchema:
    """The parts of a data set, ids 1..K without gaps; 0 is background and 255 is ignore in every schema."""

    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        if len(self.parts) > MAX_PART:
            raise SchemaError(f"{len(self.parts)} parts", f"at most {MAX_PART}: masks are 8-bit and 255 is ignore")
        if [part.id for part in self.parts] != list(range(1, len(self.parts) + 1)):
            raise SchemaError(f"part ids {[part.id for part in self.parts]}", "1..K in order, without gaps")
        names = [part.name for part in self.parts]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SchemaError(f"parts named twice: {', '.join(twice)}", "one part a name", "merge or rename them")
        faults = [f"{name}: {fault}" for name, fault in faults_of(names, [part.said for part in self.parts])]
        if faults:
            raise SchemaError("; ".join(faults), "two parts that are each other's mirror, or one that is its own")

    @classmethod
    def from_names(cls, names: Sequence[str], colours: Sequence[Colour] | None = None) -> PartSchema:
        """A schema with ids in the order of the names; colours far apart in hue where none are given."""
        chosen = colours or [_colour(number) for number in range(len(names))]
        return cls(tuple(Part(i, name, colour) for i, (name, colour) in enumerate(zip(names, chosen, strict=True), 1)))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names by id, ``background`` first."""
        return ("background", *(part.name for part in self.parts))

    @property
    def channels(self) -> int:
        """Number of classes of a mask: the parts and the background."""
        return len(self.parts) + 1

    @cached_property
    def part_names(self) -> tuple[PartName, ...]:
        """What is known of each part by its name, or by what a person said of it."""
        return read_names(self.names[1:], [part.said for part in self.parts])

    @cached_property
    def swaps(self) -> tuple[tuple[int, int], ...]:
        """Pairs of ids that change places under a horizontal flip (``left_x`` and ``right_x``)."""
        mates = enumerate(part.mate for part in self.part_names)
        return tuple((place + 1, mate + 1) for place, mate in mates if mate is not None and place < mate)

    @cached_property
    def unpaired(self) -> tuple[PartName, ...]:
        """Parts with a side whose counterpart the schema lacks: a flip leaves them, which is wrong."""
        return tuple(part for part in self.part_names if part.mate is None)

    @cached_property
    def flip_table(self) -> Mask:
        """(256,) look-up table: the id of a part after a horizontal flip."""
        table = np.arange(256, dtype=np.uint8)
        for a, b in self.swaps:
            table[a], table[b] = b, a
        return table

    @cached_property
    def palette(self) -> Mask:
        """(256, 3) RGB colours by id: background black, ignore white."""
        palette = np.zeros((256, 3), np.uint8)
        for part in self.parts:
            palette[part.id] = part.colour
        palette[IGNORE] = 255
        return palette

    def id_of(self, name: str) -> int:
        """The id of a part. Raises SchemaError where there is none."""
        if name not in self.names:
            raise SchemaError(f"no part named {name!r}", one_of(name, self.names))
        return self.names.index(name)

    def flip(self, mask: Mask) -> Mask:
        """(H, W) mask -> its horizontal mirror image, left and right parts swapped."""
        return np.ascontiguousarray(self.flip_table[mask[:, ::-1]])

    def colourise(self, mask: Mask) -> Mask:
        """(H, W) mask -> (H, W, 3) picture in the schema's colours."""
        return self.palette[mask]

    def check(self, mask: Mask, source: str) -> None:
        """Raises SchemaError where a (H, W) mask holds an id that is neither a part nor 0 nor 255."""
        present = np.flatnonzero(histogram(mask))
        strange = [int(i) for i in present if i != IGNORE and i >= self.channels]
        if strange:
            raise SchemaError(
                f"{source}: part ids {strange} are not in the schema",
                f"0..{self.channels - 1} or {IGNORE}",
                "fix the mask, or import it with the schema it was made for",
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON and YAML."""
        parts = ({"id": p.id, "name": p.name, "colour": list(p.colour)} for p in self.parts)
        said = (p.said.to_dict() if p.said else {} for p in self.parts)
        return {"parts": [part | words for part, words in zip(parts, said, strict=True)]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PartSchema:
        """Inverse of ``to_dict``."""
        try:
            found = from_plain(_Written, data)["parts"]
            parts = tuple(Part(p["id"], p["name"], _rgb(p["colour"]), PartOverride.from_dict(p)) for p in found)
        except ValueError as error:
            raise SchemaError(f"not a part schema: {error}", "parts with id, name and colour") from error
        return cls(parts)

    @classmethod
    def load(cls, path: Path) -> PartSchema:
        """Reads a schema written by ``save``."""
        try:
            return cls.from_dict(read_json(dict[str, Any], path))
        except (OSError, ValueError) as error:
            told = refusal_or(error, "the part schema of the workspace", "import the data again")
            raise SchemaError(f"{path}: {error}", *told) from error

    def save(self, path: Path) -> None:
        """Writes the schema as JSON."""
        write_json(path, self.to_dict())

    @cached_property
    def digest(self) -> str:
        """sha256 over ids, names and what was said of them (colours are for display only)."""
        text = json.dumps([(p.id, p.name, *([p.said.to_dict()] if p.said else [])) for p in self.parts])
        return hashlib.sha256(text.encode()).hexdigest()


def histogram(mask: Mask, channels: int = 256) -> NDArray[np.int64]:
    """(H, W) mask -> (channels,) pixels by part id, background first; ids from ``channels`` on are left out."""
    flat, counts = mask.reshape(-1), np.zeros(256, np.int64)
    for begin in range(0, flat.size, _EXACT):  # several times as fast as numpy's own bincount
        counted = cv2.calcHist([flat[begin : begin + _EXACT]], [0], None, [256], [0, 256])
        counts += counted.reshape(-1).astype(np.int64)
    return counts[:channels]


def column_histogram(mask: Mask) -> NDArray[np.float32]:
    """(H, W) mask -> (256, W) pixels by part id and column, whole numbers."""
    width, across = mask.shape[1], _columns(*mask.shape)
    ids = mask.astype(across.dtype, copy=False)
    return np.asarray(cv2.calcHist([ids, across], [0, 1], None, [256, width], [0, 256, 0, width]), np.float32)


@lru_cache(maxsize=16)
def _columns(height: int, width: int) -> NDArray[np.uint8 | np.uint16]:
    """(height, width) the column of every pixel."""
    return np.tile(np.arange(width, dtype=np.uint8 if width <= 256 else np.uint16), (height, 1))


def without_ignore(mask: Mask) -> Mask:
    """The mask with what is ignored as background, as generated masks have it."""
    return np.where(mask == IGNORE, BACKGROUND, mask).astype(np.uint8)


def _colour(number: int) -> Colour:
    hue = (number * 0.618033988749895) % 1.0  # golden-ratio steps keep neighbours apart
    saturation, value = (0.75, 0.95) if number % 2 == 0 else (0.55, 0.80)
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def _rgb(values: Sequence[int]) -> Colour:
    red, green, blue = (int(value) for value in values)
    return red, green, blue
