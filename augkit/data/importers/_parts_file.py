"""The parts file of a data set of mask pictures, in the forms that people and tools write."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from augkit.core.disk_faults import refusal_or
from augkit.core.errors import ConfigError, DataError
from augkit.core.part_names import PartOverride
from augkit.core.parts import Colour
from augkit.core.regular_file import LABELS, read_plain, read_regular
from augkit.data.importers._part_table import FORMATS, PartEntry, PartTable, fixed_ids, numbered

FILE_NAMES = ("parts.csv", "parts.json", "parts.txt", "palette.csv", "id2label.json")
TOOLS_FILE_NAMES = ("labelmap.txt", "class_dict.csv", "_classes.csv")
"""What CVAT, CamVid and Roboflow write; the last lies beside the masks of each split."""

_ALIASES = {
    "id": ("id", "value", "index", "pixelvalue", "pixel", "grey", "gray", "greyvalue", "grayvalue", "maskvalue"),
    "name": ("name", "part", "label", "class", "category"),
    "colour": ("colour", "color", "hex", "rgb"),
    "red": ("red", "r"),
    "green": ("green", "g"),
    "blue": ("blue", "b"),
}
_COLUMNS = {alias: column for column, aliases in _ALIASES.items() for alias in aliases} | {
    f"{noun}{what}": what for noun in ("part", "label", "class", "category") for what in ("id", "name")
}
"""By a header's letters alone, in lower case: ``Pixel Value`` is ``pixelvalue``."""

_WHOLE = re.compile(r"-?\d{1,9}")
_LABELMAP = re.compile(r"(?P<name>[^:]+):(?P<colour>\d+,\d+,\d+)?:[^:]*:[^:]*")
_NO_NAME = re.compile(r"[\d\W_]*|\d.*|-\s.*|.*[:={}\[\]<>\",;\t].*")
_NAME_AND_ID = re.compile(r"(?P<name>.*\S)\s+(?P<id>\d+)")


def find_parts_file(folder: Path, named: Path | None) -> Path:
    """The file given by ``--annotations``, or the only one in the folder with a known name. Raises ConfigError."""
    if named is not None:
        if not named.is_file():
            raise ConfigError(f"--annotations {named}: no such file", FORMATS, "check the path")
        return named
    found = [folder / name for name in FILE_NAMES if (folder / name).is_file()]
    found = found or _of_tools(folder)
    if len(found) != 1:
        names = " and ".join(path.relative_to(folder).as_posix() for path in found)
        raise ConfigError(
            f"{folder}: {names or 'no file that says which part a value of the masks is'}",
            f"one file, {', '.join(FILE_NAMES[:-1])} or {FILE_NAMES[-1]}: {FORMATS}",
            "name the right one with --annotations FILE" if found else "write it, or name it with --annotations FILE",
        )
    return found[0]


def _of_tools(folder: Path) -> list[Path]:
    """Files that tools write; of the same one in several folders only the first."""
    found = [folder / name for name in TOOLS_FILE_NAMES if (folder / name).is_file()]
    contents = {
        read_regular(path, LABELS): path for path in sorted(folder.glob(f"*/{TOOLS_FILE_NAMES[-1]}"), reverse=True)
    }
    return found or sorted(contents.values())


def read_part_table(file: Path) -> PartTable:
    """Reads a parts file of any format, told by its content. Raises DataError (or SchemaError) for a wrong one."""
    try:
        text = read_plain(file, LABELS)
        if file.suffix.lower() == ".json":
            entries = _from_json(json.loads(text, object_pairs_hook=_without_repeats))
        else:
            entries = _from_text(text.rstrip().splitlines())
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise DataError(f"{file}: {error}", *refusal_or(error, FORMATS, "correct the file")) from error
    return PartTable.of(file.name, entries)


def _from_text(lines: Sequence[str]) -> list[PartEntry]:
    told = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not _is_comment(line)]
    first, header = told[0] if told else (1, "")
    if _LABELMAP.fullmatch(header.strip()):
        return _from_labelmap(told)
    if re.search(r"[,;\t]", header):
        return _from_csv(lines[first - 1 :], first - 1)
    return _from_lines(lines)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


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
        entries = [_entry(item, f"entry {number}", own) for number, item in enumerate(data, 1)]
        by_colour = all(entry.value is None and entry.colour for entry in entries)
        lacking = [entry.name for entry in entries if entry.value is None]
        if lacking and not by_colour:
            raise ValueError(f"no id: {', '.join(lacking)}")
        return entries
    return numbered([PartEntry(None, _name(name, f"entry {number}")) for number, name in enumerate(data, 1)])


def _from_labelmap(lines: Sequence[tuple[int, str]]) -> list[PartEntry]:
    """CVAT's ``hood:250,149,10::``: the colour is the id. Where no line has one, they count as names do."""
    entries = []
    for number, line in lines:
        match = _LABELMAP.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"line {number}: {line.strip()!r} is no name:red,green,blue:parts:actions")
        entries.append(PartEntry(None, _name(match["name"], f"line {number}"), _colour({"colour": match["colour"]})))
    if not any(entry.colour for entry in entries):
        return numbered(entries)
    fixed = fixed_ids([entry.name for entry in entries])
    lacking = [entry.name for entry, id in zip(entries, fixed, strict=True) if entry.colour is None and id is None]
    if lacking:
        raise ValueError(f"no colour: {', '.join(lacking)}")
    return entries


def _from_csv(lines: Sequence[str], skipped: int) -> list[PartEntry]:
    """Columns by the names of their header; delimiter comma, semicolon or tabulator."""
    header = lines[0]
    reader = csv.reader(lines, delimiter=max(",;\t", key=header.count), strict=True)
    names = [name.strip() for name in next(reader)]
    rows: list[tuple[str, list[str]]] = []
    for cells in reader:
        if any(cell.strip() for cell in cells):
            where = f"line {skipped + reader.line_num}"
            if len(cells) != len(names):
                raise ValueError(f"{where}: {len(cells)} cells, the header has {len(names)}")
            rows.append((where, [cell.strip() for cell in cells]))
    columns = _columns(names, [cells for _, cells in rows])
    entries = [_entry({column: cells[place] for column, place in columns.items()}, where) for where, cells in rows]
    return entries if "id" in columns else numbered(entries)


def _columns(names: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, int]:
    """Which column of a table holds what. Raises ValueError where one that may hold the ids would be passed over."""
    plain = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in names]
    named = any(name.endswith("name") and name in _COLUMNS for name in plain)
    places: dict[str, list[int]] = {}
    for place, name in enumerate(plain):
        cells, column = [row[place] for row in rows], _COLUMNS.get(name, "")
        if (
            column == "name"
            and not name.endswith("name")
            and (named or sum(_COLUMNS.get(n) == "name" for n in plain) > 1)
        ):
            whole = bool(cells) and all(map(_WHOLE.fullmatch, cells))
            column = "id" if whole else "" if named else column  # class,name: 3,hood
        if not column and cells and all(map(_WHOLE.fullmatch, cells)) and len({*cells}) == len(cells):
            column = "unknown"
        places.setdefault(column, []).append(place)
    if "name" not in places:
        raise ValueError(f"no column name in its first line: {', '.join(names)}")
    if "id" not in places and "unknown" in places:
        raise ValueError(f"the column {names[places['unknown'][0]]} may hold the ids; call it id, or leave it away")
    for column in places.keys() & _ALIASES.keys():
        found = places[column]
        if any(row[place] != row[found[0]] for row in rows for place in found):
            both = " and ".join(names[place] for place in found)
            raise ValueError(f"the columns {both} differ; one with the {column} is expected")
    return {column: places[column][0] for column in places.keys() & _ALIASES.keys()}


def _from_lines(lines: Sequence[str]) -> list[PartEntry]:
    names = [(number, line.strip()) for number, line in enumerate(lines, 1) if not _is_comment(line)]
    for number, name in names:
        if _NO_NAME.fullmatch(name):
            raise ValueError(f"line {number}: {name!r} is no name; where ids are given, a header id,name has to be")
    pairs = [match.groups() for _, name in names if (match := _NAME_AND_ID.fullmatch(name))]
    if len(pairs) == len(names) > 1 and all(len({*column}) == len(names) for column in zip(*pairs, strict=True)):
        raise ValueError(f"names with numbers, as {names[0][1]!r}: where these are ids, a header id,name has to be")
    return numbered([PartEntry(None, name) for _, name in names])


def _entry(item: Mapping[str, Any], where: str, own: bool = False) -> PartEntry:
    """``own`` are those of a workspace's schema, with what was said of them. Without an id the place will count."""
    try:
        said = PartOverride.from_dict(item) if own else None
        value = _number(item["id"]) if "id" in item else None
        return PartEntry(value, _name(item.get("name"), where), _colour(item), said)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _name(name: object, where: str) -> str:
    if not isinstance(name, str) or not name.strip() or _WHOLE.fullmatch(name.strip()):
        raise ValueError(f"{where}: {name!r} is no name")
    return name.strip()


def _number(text: object) -> int:
    if isinstance(text, bool) or not _WHOLE.fullmatch(str(text).strip()):
        raise ValueError(f"{text!r} is no id")
    return int(str(text))


def _colour(item: Mapping[str, Any]) -> Colour | None:
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
