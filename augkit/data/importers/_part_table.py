"""Which values and which colours of a mask mean which part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from augkit.core.errors import DataError
from augkit.core.part_names import PartOverride, outside_parts
from augkit.core.parts import BACKGROUND, IGNORE, Colour, Part, PartSchema
from augkit.data.importers._palette import Palette

LARGEST_VALUE = 2**16 - 1
FORMATS = (
    "a list of the parts: CSV with the header id,name (and red,green,blue or colour where masks are coloured), "
    'JSON as {"0": "background", "1": "hood"}, or one name a line'
)


@dataclass(frozen=True)
class PartEntry:
    """A part as a file lists it: the value it has in grey masks where the file tells, its name, its colour where it has
    one, and what is said of it besides."""

    value: int | None
    name: str
    colour: Colour | None = None
    said: PartOverride | None = None


def fixed_ids(names: Sequence[str]) -> tuple[int | None, ...]:
    """The ids that every schema has for some of a list's names: background and ignore are known by them."""
    ids = {"background": BACKGROUND, "ignore": IGNORE}
    return tuple(None if outside is None else ids[outside] for outside in outside_parts(names))


@dataclass(frozen=True)
class PartTable:
    """What the masks of a data set mean.

    ``values`` are (value in a grey mask, part id), ``colours`` are (RGB, part id, name). Values of a file may have
    gaps; the schema's ids, 1..K, follow their order, or that of a list with colours alone. 0 is background, 255 is
    ignore and black is background where the file does not say otherwise.
    """

    source: str
    schema: PartSchema
    values: tuple[tuple[int, int], ...]
    colours: tuple[tuple[Colour, int, str], ...] = ()

    @classmethod
    def of(cls, source: str, entries: Iterable[PartEntry]) -> PartTable:
        """From a list of parts; ``source`` names it in messages. Raises DataError (or SchemaError) for a wrong one."""
        listed = list(entries)
        if all(entry.value is not None for entry in listed):
            listed.sort(key=lambda entry: entry.value or 0)
        fixed = fixed_ids([entry.name for entry in listed])
        _check(source, listed, fixed)
        schema = _schema([entry for entry, id in zip(listed, fixed, strict=True) if id is None])
        places = iter(range(1, schema.channels))
        ids = [next(places) if id is None else id for id in fixed]
        known = list(zip(listed, ids, strict=True))
        colours = [(entry.colour, id, entry.name) for entry, id in known if entry.colour is not None]
        if colours and all(colour != (0, 0, 0) and id != BACKGROUND for colour, id, _ in colours):
            colours.insert(0, ((0, 0, 0), BACKGROUND, "background"))
        values = {BACKGROUND: BACKGROUND, IGNORE: IGNORE}
        values |= {entry.value: id for entry, id in known if entry.value is not None and entry.value >= 0}
        return cls(source, schema, tuple(sorted(values.items())), tuple(colours))

    @classmethod
    def of_schema(cls, source: str, schema: PartSchema) -> PartTable:
        """The table of masks that hold a schema's own ids or colours; black is background and white is ignore, unless
        a part has that colour."""
        named = [
            ((0, 0, 0), BACKGROUND, "background"), *((part.colour, part.id, part.name) for part in schema.parts),
            ((255, 255, 255), IGNORE, "ignore"),
        ]  # fmt: skip
        taken = {part.colour for part in schema.parts}
        colours = [item for item in named if item[1] not in (BACKGROUND, IGNORE) or item[0] not in taken]
        return cls(source, schema, tuple((id, id) for id in (*range(schema.channels), IGNORE)), tuple(colours))

    @property
    def tells_colours(self) -> bool:
        """Whether there is a palette: colours are given, and no two parts share one."""
        return 0 < len({colour for colour, _, _ in self.colours}) == len({(c, id) for c, id, _ in self.colours})

    @property
    def palette(self) -> Palette:
        """The colours. Raises DataError where there are none, or two parts share one."""
        if not self.colours:
            raise DataError(f"the mask is in colours, but {self.source} gives none")
        return Palette.of(self.colours)


def _check(source: str, listed: Sequence[PartEntry], fixed: Sequence[int | None]) -> None:
    for entry, id in zip(listed, fixed, strict=True):
        if entry.value is not None and not (0 <= entry.value <= LARGEST_VALUE or id == IGNORE):
            raise DataError(f"{source}: {entry.name} has the id {entry.value}", f"0..{LARGEST_VALUE}", "correct it")
    counts = Counter(entry.value for entry in listed if entry.value is not None)
    twice = [str(value) for value, count in counts.items() if count > 1]
    if twice:
        raise DataError(f"{source}: ids listed twice: {', '.join(twice)}", "each id once", "correct the list")
    if None not in fixed:
        raise DataError(f"{source}: no parts in it", FORMATS, "list the parts of the masks")


def _schema(parts: Sequence[PartEntry]) -> PartSchema:
    plain = PartSchema.from_names([entry.name for entry in parts])
    pairs = zip(plain.parts, parts, strict=True)
    return PartSchema(tuple(Part(p.id, p.name, entry.colour or p.colour, entry.said) for p, entry in pairs))


def numbered(entries: Sequence[PartEntry]) -> list[PartEntry]:
    """Entries with values by their places: from 0 at the background, where it is listed, else from 1."""
    fixed = fixed_ids([entry.name for entry in entries])
    start = -fixed.index(BACKGROUND) if BACKGROUND in fixed else 1
    return [replace(entry, value=start + place) for place, entry in enumerate(entries)]
