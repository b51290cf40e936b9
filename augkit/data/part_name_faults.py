"""What is wrong with the names of a schema's parts, in words for who imports or audits the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from augkit.core.errors import SchemaError
from augkit.core.part_names import NONE, PartName
from augkit.core.parts import PartSchema
from augkit.data.catalogue import CatalogueRow, usable

_SHOWN = 20


class NameFault(NamedTuple):
    """What was found, and what the user can do."""

    message: str
    remedy: str


def name_faults(schema: PartSchema, rows: Sequence[CatalogueRow]) -> list[NameFault]:
    """All there are; ``rows`` are those of the data set."""
    return [fault for fault in (unpaired_sides(schema), unread_names(schema, rows)) if fault is not None]


def unpaired_sides(schema: PartSchema) -> NameFault | None:
    """Parts with a side whose counterpart the schema lacks."""
    if not schema.unpaired:
        return None
    return NameFault(
        f"parts of one side without a counterpart: {_shown(schema.unpaired)}: wrong after a flip",
        "say with `augkit import ... --parts FILE` what each becomes (docs/data.md); until then what flips is refused: "
        "most augmentations, and `augkit balance`",
    )


def unread_names(schema: PartSchema, rows: Sequence[CatalogueRow]) -> NameFault | None:
    """Names that say nothing, where the class of every photo is unknown for want of such a word."""
    seen = usable(rows)
    unread = [part.name for part in schema.part_names if part.kind == NONE]
    if not seen or not unread or any(row.confidence or row.doors != "unknown" for row in seen):
        return None
    more = f" and {len(unread) - _SHOWN} more" if len(unread) > _SHOWN else ""
    return NameFault(
        f"every photo has the class {seen[0].car_class.name} with confidence 0: the names of parts tell classes, and "
        f"these are not understood: {', '.join(unread[:_SHOWN])}{more}",
        "say with --parts FILE what they are, or with --classes FILE what the photos show, and import again "
        "(docs/data.md)",
    )


def require_counterparts(schema: PartSchema, what: str, instead: str = "") -> None:
    """Raises SchemaError where ``what`` flips pairs, and a part would keep the label of the other side; the message
    names what to do ``instead`` of saying what the parts are."""
    if not schema.unpaired:
        return
    one = schema.unpaired[0].name
    remedy = f"import again with --parts FILE, where a line `{one}: {{mirror: {one}}}` says so (docs/data.md)"
    raise SchemaError(
        f"{what} flips pairs, and the schema has parts of one side without a counterpart: {_shown(schema.unpaired)}",
        "a part for either side, or a person's word that a flip leaves a part what it is",
        f"{remedy}, or {instead}" if instead else remedy,
    )


def _shown(parts: Sequence[PartName]) -> str:
    """Parts without a counterpart, each with what that would be called."""
    return ", ".join(part.name + (f" (no {part.mirrored})" if part.mirrored else "") for part in parts)
