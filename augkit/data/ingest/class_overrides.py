"""``--classes FILE``: a table of classes that a person decided, which override the rule."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import get_args

from augkit.core.classes import READABLE, Doors, Orientation
from augkit.core.errors import DataError
from augkit.core.regular_file import LABELS, read_plain
from augkit.data.catalogue import CatalogueRow
from augkit.data.samples import Samples

_COLUMNS = ("file", "id", "orientation", "doors")
_ORIENTATIONS: dict[str, Orientation] = {
    name: orientation for orientation, readable in READABLE.items() for name in (orientation, readable)
}
_DOORS: dict[str, Doors] = {doors: doors for doors in get_args(Doors)}


@dataclass(frozen=True)
class Override:
    """What a person decided of one photo; None leaves it to the rule."""

    orientation: Orientation | None = None
    doors: Doors | None = None

    def apply(self, row: CatalogueRow) -> CatalogueRow:
        """The row with what was decided, at full confidence where that is the orientation."""
        return replace(
            row,
            orientation=self.orientation or row.orientation,
            confidence=1.0 if self.orientation else row.confidence,
            doors=self.doors or row.doors,
        )


def read_overrides(path: Path, samples: Samples) -> dict[str, Override]:
    """CSV with the columns ``file`` (or ``id``), ``orientation`` and ``doors`` -> overrides by sample id.

    ``file`` is a source file, or its name where no other folder has one of that name. Orientations are ``A`` .. ``D``
    or their readable names; an empty field leaves the matter to the rule. Raises DataError with all faults at once:
    columns that are missing or unknown, values that are none, photos that the data set does not have, or has twice.
    """
    try:
        reader = csv.DictReader(io.StringIO(read_plain(path, LABELS), newline=""), strict=True)
        columns = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        lines = [(reader.line_num, line) for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: {error}", "a CSV file", "check the path given to --classes") from error
    _check_columns(path, columns)
    ids = _ids_by_name(samples)
    overrides: dict[str, Override] = {}
    faults: list[str] = []
    for number, line in lines:
        try:
            id, override = _override({key: (line.get(key) or "").strip() for key in _COLUMNS}, ids)
            if id in overrides:
                raise ValueError(f"photo {id!r} was decided in a line before")
            if None in line or None in line.values():
                raise ValueError(f"the line does not have {len(columns)} fields")
            overrides[id] = override
        except ValueError as error:
            faults.append(f"  line {number}: {error}")
    if faults:
        raise DataError(
            f"{path}: {len(faults)} fault(s):\n" + "\n".join(faults),
            "a photo of the data set, an orientation (A..D, front-left, ...) and doors (3, 5, unknown)",
            "correct or remove these lines",
        )
    return overrides


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    named = {"file", "id"} & set(columns)
    decided = {"orientation", "doors"} & set(columns)
    if len(named) != 1 or not decided or set(columns) - set(_COLUMNS) or len(set(columns)) < len(columns):
        raise DataError(
            f"{path}: columns {', '.join(columns) or '(none)'}",
            "file (or id), orientation, doors",
            "name the columns in the first line",
        )


def _ids_by_name(samples: Samples) -> Mapping[str, set[str]]:
    """Ids by everything that may name a sample: id, source file, file name."""
    ids: dict[str, set[str]] = defaultdict(set)
    paths: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        ids[f"id {sample.id}"].add(sample.id)
        ids[f"file {PurePosixPath(sample.source_file).name}"].add(sample.id)
        paths[f"file {sample.source_file}"].add(sample.id)
    return ids | paths  # a whole path is never ambiguous, even where it is the name of a file elsewhere


def _override(line: Mapping[str, str], ids: Mapping[str, set[str]]) -> tuple[str, Override]:
    key, name = ("id", line["id"]) if line["id"] else ("file", line["file"])
    found = ids.get(f"{key} {name}", set())
    if len(found) != 1:
        raise ValueError(f"{len(found)} photos with {key} {name!r}")
    orientation, doors = line["orientation"], line["doors"]
    if orientation and orientation not in _ORIENTATIONS:
        raise ValueError(f"no orientation {orientation!r}")
    if doors and doors not in _DOORS:
        raise ValueError(f"no doors {doors!r}")
    return next(iter(found)), Override(_ORIENTATIONS.get(orientation), _DOORS.get(doors))
