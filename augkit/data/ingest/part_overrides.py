"""``--parts FILE``: a table of what a person says of the parts, which counts more than their names."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

import yaml

from augkit.core.errors import DataError
from augkit.core.part_names import NONE, VALUES, PartOverride, faults_of
from augkit.core.part_words import folded
from augkit.core.parts import PartSchema
from augkit.core.plain_yaml import compose_plain
from augkit.core.regular_file import SETTINGS, read_plain

_FIELDS = ("side", "end", "kind", "mirror")
_FORMATS = (
    "YAML with lines like `Tür vorne links: {side: left, end: front, kind: door, mirror: Tür vorne rechts}`, or CSV "
    f"with the columns name, {', '.join(_FIELDS)}; what is left out is left to the name"
)


@dataclass(frozen=True)
class _Line:
    """A line of the file: its number, the part, what is said of it, and what is wrong with its form."""

    number: int
    name: str
    said: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""


def read_part_overrides(path: Path, schema: PartSchema) -> PartSchema:
    """The schema with what the file says of its parts.

    Raises DataError for a file that is neither YAML nor CSV of this form, and with all faults at once, each with its
    line: parts that there are not or that are listed twice, unknown words, mirrors that contradict each other.
    """
    try:
        text = read_plain(path, SETTINGS)
        lines = _from_yaml(text) if path.suffix.lower() in (".yaml", ".yml", ".json") else _from_csv(text)
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{path}: {error}", _FORMATS, "check the path given to --parts") from error
    known = {_key(name): name for name in schema.names[1:]} | {name: name for name in schema.names[1:]}
    faults = [(line.number, fault) for line in lines for fault in _faults_of_line(line, known)]
    faults += _faults_of_names(lines, known)
    of_parts = {name: line for line in lines if (name := _part(line.name, known))}
    numbers = {name: line.number for name, line in of_parts.items()}
    said = {name: _override(line.said, known) for name, line in of_parts.items()}
    words = [said.get(part.name, part.said) for part in schema.parts]
    faults += [(numbers.get(name, 1), f"{name}: {fault}") for name, fault in faults_of(schema.names[1:], words)]
    if not faults:
        told = PartSchema(tuple(replace(part, said=word) for part, word in zip(schema.parts, words, strict=True)))
        faults = [(numbers[name], f"{name}: {fault}") for name, fault in _of_one_side(told) if name in numbers]
    if faults:
        listed = "\n".join(f"  line {number}: {fault}" for number, fault in sorted(faults))
        raise DataError(f"{path}: {len(faults)} fault(s):\n{listed}", _FORMATS, "correct these lines")
    return told


def _faults_of_line(line: _Line, known: Mapping[str, str]) -> Iterator[str]:
    if line.fault:
        yield line.fault
    for key, value in line.said.items():
        if key not in _FIELDS:
            yield f"no field {key!r}; there are {', '.join(_FIELDS)}"
        elif key in VALUES and value and _word(value) not in VALUES[key]:
            yield f"{key} {value!r}; there are {', '.join(VALUES[key])}"
        elif key == "mirror" and value and not _part(value, known):
            yield f"mirror: no part named {value!r}{_meant(value, known)}"


def _faults_of_names(lines: Sequence[_Line], known: Mapping[str, str]) -> list[tuple[int, str]]:
    """Parts that there are not, and those that were there before."""
    first: dict[str, int] = {}
    faults = []
    for line in lines:
        name = _part(line.name, known)
        if not name:
            faults.append((line.number, f"no part named {line.name!r}{_meant(line.name, known)}"))
        elif first.setdefault(name, line.number) != line.number:
            faults.append((line.number, f"{name} was in line {first[name]} before"))
    return faults


def _override(said: Mapping[str, str], known: Mapping[str, str]) -> PartOverride | None:
    """What is said in words that there are."""
    words = {key: _word(value) for key, value in said.items() if _word(value) in VALUES.get(key, ())}
    mirror = _part(said.get("mirror", ""), known)
    return PartOverride.from_dict(words | ({"mirror": mirror} if mirror else {}))


def _of_one_side(schema: PartSchema) -> Iterator[tuple[str, str]]:
    """Parts that are said to be each other's mirror though both are left, or both right."""
    for part, name in zip(schema.parts, schema.part_names, strict=True):
        if part.said and part.said.mirror not in (None, part.name) and name.mate is not None:
            other = schema.part_names[name.mate]
            if name.side == other.side != NONE:
                yield part.name, f"its mirror {other.name} is a part of the {name.side} side, too"


def _key(name: str) -> str:
    return folded(name).strip()


def _part(text: str, known: Mapping[str, str]) -> str:
    """The part of that name, however Unicode and capitals spell it; empty where there is none."""
    return known.get(text, known.get(_key(text), ""))


def _word(value: str) -> str:
    return {"back": "rear"}.get(value.lower(), value.lower())


def _meant(name: str, known: Mapping[str, str]) -> str:
    close = get_close_matches(_key(name), known, 1)
    return f"; did you mean {known[close[0]]!r}?" if close else ""


def _from_csv(text: str) -> list[_Line]:
    header = next(iter(text.splitlines()), "")
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=header.count), strict=True)
    columns = [name.strip().lower() for name in next(reader, [])]
    if "name" not in columns or set(columns) - {"name", *_FIELDS} or len(set(columns)) < len(columns):
        raise ValueError(f"columns {', '.join(columns) or '(none)'}")
    lines = []
    for cells in reader:
        if any(cell.strip() for cell in cells):
            short = f"{len(cells)} cells, the header has {len(columns)}" if len(cells) != len(columns) else ""
            row = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
            lines.append(_Line(reader.line_num, row.pop("name", ""), row, short))
    return lines


def _from_yaml(text: str) -> list[_Line]:
    """``name: {side: left, ...}``, or a list of mappings with ``name``."""
    tree = compose_plain(text)
    if isinstance(tree, yaml.MappingNode):
        return [_of_node(name, _scalar(name), value) for name, value in tree.value]
    if isinstance(tree, yaml.SequenceNode):
        return [_of_node(node, "", node) for node in tree.value]
    raise ValueError("neither a mapping nor a list")


def _of_node(place: yaml.Node, name: str, value: yaml.Node) -> _Line:
    number = int(place.start_mark.line) + 1
    if isinstance(value, yaml.ScalarNode) and not _scalar(value):
        return _Line(number, name)
    if not isinstance(value, yaml.MappingNode) or any(not isinstance(node, yaml.ScalarNode) for _, node in value.value):
        return _Line(number, name, fault=f"no mapping of {', '.join(_FIELDS)} to words")
    said = {_scalar(key): _scalar(node) for key, node in value.value}
    return _Line(number, name or said.pop("name", ""), said)


def _scalar(node: yaml.Node) -> str:
    """A word as it is written; null is nothing, and so is what is no word."""
    plain = isinstance(node, yaml.ScalarNode) and node.tag != "tag:yaml.org,2002:null"
    return str(node.value).strip() if plain else ""
