"""One source photo on both sides of a split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from augkit.data.audit.audit_check import Finding, Hit, check
from augkit.data.audit.measurements import Measurements
from augkit.data.catalogue import CatalogueRow


@check("leaks", "the same source photo on both sides of a split", guards=True)
def leaks(measurements: Measurements) -> Iterator[Finding]:
    """Fatal: what is trained would be tested on what it has seen. Photos are the same by their bytes or their group."""
    sides: dict[str, list[CatalogueRow]] = defaultdict(list)
    for row in measurements.rows:
        for kind, value in (("sha256", row.sha256), ("group", row.group)):
            if value:
                sides[f"{kind} {value}"].append(row)
    leaking = [rows for rows in sides.values() if len({row.split for row in rows}) > 1]
    hits: dict[str, Hit] = {}
    for rows in leaking:
        for row in rows:
            others = [other.id for other in rows if other.split != row.split]
            hits.setdefault(row.id, Hit(row.id, 1.0, f"{row.split}; also {', '.join(others[:3])}"))
    if hits:
        first = next(iter(leaking))
        yield Finding(
            "leaks",
            "fatal",
            f"{len(hits)} pairs come from photos that are on both sides of a split, "
            f"e.g. {', '.join(f'{row.id} ({row.split})' for row in first[:3])}",
            "import the data again: splits go by photo; where the source fixes them, remove the photo from one side",
            tuple(hits.values()),
        )
