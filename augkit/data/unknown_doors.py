"""Why doors are unknown: what the masks of such photos show, by the rule of ``data.orientation``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from augkit.core.parts import PartSchema
from augkit.data.catalogue import CatalogueRow, usable
from augkit.data.orientation import VISIBLE_SHARE
from augkit.data.part_semantics import part_semantics


def unknown_doors(rows: Sequence[CatalogueRow], schema: PartSchema) -> str:
    """A sentence on the photos whose doors are unknown; empty where there are none."""
    found = usable(rows)
    unknown = [row for row in found if row.labelled and row.doors == "unknown"]
    if not unknown:
        return ""
    confidence = np.mean([row.confidence for row in unknown])
    said = f"doors unknown in {len(unknown)} of {len(found)} photos"
    near = f"orientation confidence there {confidence:.2f} on average: near 0 in exact front, back and side views"
    semantics = part_semantics(schema)
    doors = (semantics.front_door + semantics.rear_door)[: schema.channels]
    if not doors.any():
        return f"{said}: no part is named a door; import --parts says which are, --classes decides; {near}"
    areas = np.array([row.histogram[: schema.channels] for row in unknown], np.float64)
    shown = areas @ doors >= VISIBLE_SHARE * areas[:, 1:].sum(1)
    why = [
        (int((~shown).sum()), "no side of the car, so no door"),
        (int(shown.sum()), "a front door, but not whether the car goes on behind it: 3 and 5 are not told apart"),
    ]
    reasons = "; ".join(f"{count} show{'s' if count == 1 else ''} {what}" for count, what in why if count)
    return f"{said}: {reasons}. They are a class of their own; --classes decides otherwise; {near}"
