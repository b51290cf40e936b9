"""Pairs whose files are missing, damaged, or do not fit together."""

from __future__ import annotations

from collections.abc import Iterator

from augkit.data.audit.audit_check import Figures, Finding, Hit, check
from augkit.data.audit.measurements import AuditedPair, Measurements


def readable(audited: AuditedPair) -> Figures:
    """Nothing but that the pair could be read, which is what this check asks for."""
    del audited
    return {}


@check("files", "pairs whose files are missing, damaged, or of another size", readable, guards=True, excludes=True)
def files(measurements: Measurements) -> Iterator[Finding]:
    """Fatal: training would stop at the first of them."""
    if measurements.damaged:
        first = next(iter(measurements.damaged.values()))
        yield Finding(
            "files",
            "fatal",
            f"{len(measurements.damaged)} of {len(measurements.rows)} pairs cannot be read: {first}",
            "import the data again",
            tuple(Hit(id, 1.0, reason) for id, reason in measurements.damaged.items()),
        )
