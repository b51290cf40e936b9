"""Pairs whose files are missing, damaged, or do not fit together."""

from __future__ import annotations

from collections.abc import Iterator

from augkit.data.audit.audit_check import Figures, Finding, Hit, check
from augkit.data.audit.measurements import Evidence, Pair


def readable(pair: Pair) -> Figures:
    """Nothing but that the pair could be read, which is what this check asks for."""
    del pair
    return {}


@check("files", "pairs whose files are missing, damaged, or of another size", readable, guards=True)
def files(evidence: Evidence) -> Iterator[Finding]:
    """Fatal: training would stop at the first of them."""
    if evidence.damaged:
        first = next(iter(evidence.damaged.values()))
        yield Finding(
            "files",
            "fatal",
            f"{len(evidence.damaged)} of {len(evidence.rows)} pairs cannot be read: {first}",
            "import the data again",
            tuple(Hit(id, 1.0, reason) for id, reason in evidence.damaged.items()),
        )
