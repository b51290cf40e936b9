"""Masks that somebody drew: part ids in grey, or the parts in the schema's colours."""

from __future__ import annotations

from pathlib import Path

from augkit.core.errors import DataError, SchemaError
from augkit.core.parts import BACKGROUND, IGNORE, Mask, PartSchema
from augkit.data.importers._part_table import PartTable
from augkit.data.importers._pictures import MaskFile


def read_drawn_mask(path: Path, schema: PartSchema) -> Mask:
    """(H, W) part ids of a picture: grey values are ids, colours those of ``parts.json``; black is background
    and white is ignore.

    A colour that is a few steps off counts as the nearest one, and as ignore where none is near; see ``Palette``.
    Raises DataError for what is no such picture, SchemaError for ids that the schema does not have.
    """
    table = PartTable.of_schema("the workspace's parts.json", schema)
    try:
        mask = MaskFile(path.parent, path, table)().ids
    except SchemaError:
        raise
    except DataError as error:
        raise DataError(
            f"{path}: {error.found}",
            f"a PNG of part ids (0..{schema.channels - 1}, {IGNORE} for ignore), or of the colours in parts.json",
            "draw with the ids or colours of parts.json, and save as PNG, without smoothing",
        ) from error
    schema.check(mask, str(path))
    if not ((mask != BACKGROUND) & (mask != IGNORE)).any():
        raise DataError(f"{path}: shows no part", "a mask of a car", "draw its parts with the ids of parts.json")
    return mask
