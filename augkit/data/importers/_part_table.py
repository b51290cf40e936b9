"""The parts file of a data set of mask pictures: which values and which colours of a mask mean which part."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from augkit.core.errors import ConfigError, DataError
from augkit.core.part_names import PartOverride, outside_parts
from augkit.core.parts import BACKGROUND, IGNORE, Colour, Part, PartSchema
from augkit.data.importers._palette import Palette

FILE_NAMES = ("parts.csv", "parts.json", "parts.txt", "palette.csv", "id2label.json")
LARGEST_VALUE = 2**16 - 1
FORMATS = (
    "a list of the parts: CSV with the header id,name (and red,green,blue or colour where masks are coloured), "
    'JSON as {"0": "background", "1": "hood"}, or one name a line'
)

_ALIASES = {
    "id": ("id", "value", "index"),
    "name": ("name", "part", "label", "class"),
    "colour": ("colour", "color", "hex", "rgb"),
    "red": ("red", "r"),
    "green": ("green", "g"),
    "blue": ("blue", "b"),
}


@dataclass(frozen=True)
class PartEntry:
    """A part as a file lists it: the value it has in grey masks, its name, its colour where it has one, and what is
    said of it besides."""

    value: int
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
    gaps; the schema's ids, 1..K, follow their order. 0 is background, 255 is ignore and black is background where
    the file does not say otherwise.
    """

    source: str
    schema: PartSchema
    values: tuple[tuple[int, int], ...]
    colours: tuple[tuple[Colour, int, str], ...] = ()

    @classmethod
    def of(cls, source: str, entries: Iterable[PartEntry]) -> PartTable:
        """From a list of parts; ``source`` names it in messages. Raises DataError (or SchemaError) for a wrong one."""
        listed = sorted(entries, key=lambda entry: entry.value)
        fixed = dict(zip((entry.value for entry in listed), fixed_ids([entry.name for entry in listed]), strict=True))
        _check(source, listed, fixed)
        parts = [entry for entry in listed if fixed[entry.value] is None]
        schema = _schema(parts)
        ids = {entry.value: id for id, entry in enumerate(parts, 1)}
        ids |= {value: id for value, id in fixed.items() if id is not None}
        colours = [(entry.colour, ids[entry.value], entry.name) for entry in listed if entry.colour is not None]
        if colours and all(colour != (0, 0, 0) and id != BACKGROUND for colour, id, _ in colours):
            colours.insert(0, ((0, 0, 0), BACKGROUND, "background"))
        values = {BACKGROUND: BACKGROUND, IGNORE: IGNORE} | {value: id for value, id in ids.items() if value >= 0}
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


def _check(source: str, listed: Sequence[PartEntry], fixed: Mapping[int, int | None]) -> None:
    for entry in listed:
        if not (0 <= entry.value <= LARGEST_VALUE or fixed[entry.value] == IGNORE):
            raise DataError(f"{source}: {entry.name} has the id {entry.value}", f"0..{LARGEST_VALUE}", "correct it")
    twice = [str(value) for value, count in Counter(entry.value for entry in listed).items() if count > 1]
    if twice:
        raise DataError(f"{source}: ids listed twice: {', '.join(twice)}", "each id once", "correct the list")
    if None not in fixed.values():
        raise DataError(f"{source}: no parts in it", FORMATS, "list the parts of the masks")


def _schema(parts: Sequence[PartEntry]) -> PartSchema:
    plain = PartSchema.from_names([entry.name for entry in parts])
    pairs = zip(plain.parts, parts, strict=True)
    return PartSchema(tuple(Part(p.id, p.name, entry.colour or p.colour, entry.said) for p, entry in pairs))


def find_parts_file(folder: Path, named: Path | None) -> Path:
    """The file given by ``--annotations``, or the only one in the folder with a known name. Raises ConfigError."""
    if named is not None:
        if not named.is_file():
            raise ConfigError(f"--annotations {named}: no such file", FORMATS, "check the path")
        return named
    found = [folder / name for name in FILE_NAMES if (folder / name).is_file()]
    if len(found) != 1:
        names = " and ".join(path.name for path in found)
        raise ConfigError(
            f"{folder}: {names or 'no file that says which part a value of the masks is'}",
            f"one file, {', '.join(FILE_NAMES[:-1])} or {FILE_NAMES[-1]}: {FORMATS}",
            "name the right one with --annotations FILE" if found else "write it, or name it with --annotations FILE",
        )
    return found[0]


def read_part_table(file: Path) -> PartTable:
    """Reads a parts file of any format, told by its content. Raises DataError (or SchemaError) for a wrong one."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix.lower() == ".json":
            entries = _from_json(json.loads(text, object_pairs_hook=_without_repeats))
        elif re.search(r"[,;\t]", next(iter(text.splitlines()), "")):
            entries = _from_csv(text)
        else:
            entries = _from_lines(text.splitlines())
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise DataError(f"{file}: {error}", FORMATS, "correct the file") from error
    return PartTable.of(file.name, entries)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if repeated:
        raise ValueError(f"listed twice: {', '.join(repeated)}")
    return dict(pairs)


def _from_json(data: Any) -> list[PartEntry]:
    """``{"1": "hood"}``, that under ``id2label``, a list of names, or a list of objects (also under ``parts``)."""
    own = isinstance(data, dict) and "id2label" not in data and "parts" in data
    if isinstance(data, dict):
        data = data.get("id2label", data.get("parts", data))
    if isinstance(data, dict):
        return [PartEntry(_number(key), _name(name, f"id {key}")) for key, name in data.items()]
    if not isinstance(data, list):
        raise ValueError("neither an object nor a list")
    if all(isinstance(item, dict) for item in data):
        return [_entry(item, f"entry {number}", own) for number, item in enumerate(data, 1)]
    return numbered([PartEntry(0, _name(name, f"entry {number}")) for number, name in enumerate(data, 1)])


def _from_csv(text: str) -> list[PartEntry]:
    """Columns by the names of their header; delimiter comma, semicolon or tabulator."""
    header = text.splitlines()[0]
    rows = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=header.count), strict=True)
    known = {alias: column for column, aliases in _ALIASES.items() for alias in aliases}
    columns = [known.get(name.strip().lower(), "") for name in next(rows)]
    if "name" not in columns:
        raise ValueError(f"no column name in its first line: {header}")
    entries, has_ids = [], "id" in columns
    for cells in rows:
        if any(cell.strip() for cell in cells):
            if len(cells) != len(columns):
                raise ValueError(f"line {rows.line_num}: {len(cells)} cells, the header has {len(columns)}")
            row = dict(zip(columns, cells, strict=True))
            entries.append(_entry(row if has_ids else row | {"id": 0}, f"line {rows.line_num}"))
    return entries if has_ids else numbered(entries)


def _from_lines(lines: Sequence[str]) -> list[PartEntry]:
    names = [line.strip() for line in lines]
    while names and not names[-1]:
        names.pop()
    for number, name in enumerate(names, 1):
        if not name or re.match(r"\d", name):
            raise ValueError(f"line {number}: {name!r} is no name; where ids are given, a header id,name has to be")
    return numbered([PartEntry(0, name) for name in names])


def numbered(entries: Sequence[PartEntry]) -> list[PartEntry]:
    """Entries with values by their places: from 0 at the background, where it is listed, else from 1."""
    fixed = fixed_ids([entry.name for entry in entries])
    start = -fixed.index(BACKGROUND) if BACKGROUND in fixed else 1
    return [replace(entry, value=start + place) for place, entry in enumerate(entries)]


def _entry(item: dict[str, Any], where: str, own: bool = False) -> PartEntry:
    """``own`` are those of a workspace's schema, with what was said of them."""
    try:
        said = PartOverride.from_dict(item) if own else None
        return PartEntry(_number(item.get("id")), _name(item.get("name"), where), _colour(item), said)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _name(name: object, where: str) -> str:
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"{where}: {name!r} is no name")
    return name.strip()


def _number(text: object) -> int:
    if isinstance(text, bool) or not re.fullmatch(r"-?\d{1,9}", str(text).strip()):
        raise ValueError(f"{text!r} is no id")
    return int(str(text))


def _colour(item: dict[str, Any]) -> Colour | None:
    """From the columns red, green, blue, or from colour: ``#fa950a``, ``250 149 10``, ``[250, 149, 10]``."""
    colour = item.get("colour", item.get("color"))
    channels = [str(item.get(name) if item.get(name) is not None else "").strip() for name in ("red", "green", "blue")]
    text = ("" if colour is None else str(colour).strip()) or " ".join(channels).strip()
    if not text:
        return None
    if match := re.fullmatch(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", text):
        red, green, blue = (int(digits, 16) for digits in match.groups())
        return red, green, blue
    numbers = re.fullmatch(r"[(\[]?\s*(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})\s*[)\]]?", text)
    if numbers is None or max(map(int, numbers.groups())) > 255:
        raise ValueError(f"{text!r} is no colour")
    red, green, blue = (int(number) for number in numbers.groups())
    return red, green, blue
