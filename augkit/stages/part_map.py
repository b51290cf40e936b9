"""What the parts of one schema are in another: so that a network of one data set can start on another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import ConfigError, SchemaError
from augkit.core.parts import PartSchema
from augkit.core.presets import parse_yaml

NAMES, SILHOUETTE = "names", "silhouette"


@dataclass(frozen=True)
class PartMap:
    """``sources``: for each part id of the target from 1 on, the ids of the source's parts that it comes from."""

    sources: tuple[tuple[int, ...], ...]
    source_parts: int

    def shares(self) -> NDArray[np.float32]:
        """(K target, K source), ids with the background first: what a target's channel takes of the source's channels.

        Rows sum to 1. Background is background; a part is the mean of what it comes from, and the mean of all parts
        where it comes from none, since it is on a car at least.
        """
        table = np.zeros((len(self.sources) + 1, self.source_parts + 1), np.float32)
        table[0, 0] = 1
        for row, ids in zip(table[1:], self.sources, strict=True):
            taken = list(ids) or list(range(1, self.source_parts + 1))
            row[taken] = 1 / len(taken)
        return table

    @classmethod
    def by_name(cls, source: PartSchema, target: PartSchema) -> PartMap:
        """Parts of the same name, however it is spelled. Raises SchemaError where there are none."""
        same = set(source.names[1:]).intersection(target.names[1:])
        others = {part.spelling: part.name for part in target.part_names if part.name not in same}
        alike = {part.name: part.name if part.name in same else others.get(part.spelling) for part in source.part_names}
        shared = {name: [other] for name, other in alike.items() if other is not None}
        return cls.of(shared, source, target, "parts of the same name")

    @classmethod
    def silhouette(cls, source: PartSchema, target: PartSchema) -> PartMap:
        """Every part is on the car, and nothing more: the least that two schemas have in common."""
        everything = {name: list(target.names[1:]) for name in source.names[1:]}
        return cls.of(everything, source, target, SILHOUETTE)

    @classmethod
    def of(cls, names: dict[str, list[str]], source: PartSchema, target: PartSchema, origin: str) -> PartMap:
        """From the names of the target's parts by the source's. Raises SchemaError for a map of nothing."""
        if not any(names.values()):
            raise SchemaError(
                f"{origin}: maps no part",
                f"parts of the source ({_listed(source)}) to parts of the target ({_listed(target)})",
                "write a mapping file (docs/training.md), or set it to silhouette",
            )
        chosen = [tuple(source.id_of(a) for a, b in names.items() if part.name in b) for part in target.parts]
        return cls(tuple(chosen), len(source.parts))


def part_map(asked: str, source: PartSchema, target: PartSchema) -> PartMap:
    """``names``, ``silhouette``, or a YAML file of ``source part: target part`` (or a list of target parts).

    Raises ConfigError for a file that is no such mapping, SchemaError for parts that there are not.
    """
    if asked == NAMES:
        return PartMap.by_name(source, target)
    if asked == SILHOUETTE:
        return PartMap.silhouette(source, target)
    path = Path(asked)
    tree = parse_yaml(path)
    if not isinstance(tree, dict) or not all(isinstance(value, str | list) for value in tree.values()):
        raise ConfigError(
            f"{path}: not a mapping of parts",
            "lines of `source part: target part`, or `source part: [target part, ...]`",
            f"see docs/training.md; {NAMES} and {SILHOUETTE} need no file",
        )
    names = {str(key): _texts(value) for key, value in tree.items()}
    _known(names, source, f"{path}: not in the schema that is started from")
    _known([name for value in names.values() for name in value], target, f"{path}: not in this workspace's schema")
    return PartMap.of(names, source, target, str(path))


def _texts(value: Any) -> list[str]:
    return [str(name) for name in (value if isinstance(value, list) else [value])]


def _known(names: Sequence[str] | dict[str, Any], schema: PartSchema, fault: str) -> None:
    strange = sorted({name for name in names if name not in schema.names[1:]})
    if strange:
        raise SchemaError(f"{fault}: {', '.join(strange)}", f"parts among {_listed(schema)}", "correct the mapping")


def _listed(schema: PartSchema) -> str:
    return ", ".join(schema.names[1:])
