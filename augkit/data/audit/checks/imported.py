"""What the import left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from augkit.data.audit.audit_check import Finding, Hit, check
from augkit.data.audit.measurements import Measurements


@check("imported", "samples that the import left out, and why", excludes=True)
def imported(measurements: Measurements) -> Iterator[Finding]:
    """A note: they take no part in anything."""
    problems = [row for row in measurements.catalogue if row.problem]
    if problems:
        (reason, count), *others = Counter(row.problem for row in problems).most_common()
        more = f", and {len(others)} other reasons" if others else ""
        yield Finding(
            "imported",
            "note",
            f"{len(problems)} of {len(measurements.catalogue)} samples were left out: {reason} ({count}){more}",
            "correct them at the source and import again, or leave them out",
            tuple(Hit(row.id, 1.0, f"{row.source_file}: {row.problem}") for row in problems),
        )
