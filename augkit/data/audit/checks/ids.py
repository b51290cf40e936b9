"""Masks with ids that the part schema does not have."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from augkit.core.parts import IGNORE
from augkit.data.audit.audit_check import Figures, Finding, Hit, check, worst_first
from augkit.data.audit.measurements import AuditedPair, Measurements


def strange_ids(audited: AuditedPair) -> Figures:
    """Share of the frame, and which ids."""
    strange = audited.areas[audited.schema.channels : IGNORE]
    ids = np.flatnonzero(strange) + audited.schema.channels
    return {"share": float(strange.sum()) / audited.pair.mask.size, "ids": " ".join(map(str, ids))}


@check("ids", "masks with ids that are not in the part schema", strange_ids, guards=True)
def ids(measurements: Measurements) -> Iterator[Finding]:
    """Fatal: a network has no output for such an id."""
    shares, named = measurements.column("ids", "share"), measurements.texts("ids", "ids")
    hits = [
        Hit(row.id, share, f"ids {found}")
        for row, share, found in zip(measurements.seen, shares.tolist(), named, strict=True)
        if found
    ]
    if hits:
        strange = ", ".join(map(str, sorted({int(id) for found in named for id in found.split()})))
        yield Finding(
            "ids",
            "fatal",
            f"{len(hits)} masks hold ids {strange}; the schema has 0..{measurements.schema.channels - 1} and {IGNORE}",
            "correct the masks, or import them with the schema they were made for",
            worst_first(hits),
        )
