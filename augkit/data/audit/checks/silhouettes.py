"""Silhouettes that cover more than the car."""

from __future__ import annotations

from collections.abc import Iterator

from augkit.core.errors import DataError
from augkit.data.audit.audit_check import Figures, Finding, Hit, check, worst_first
from augkit.data.audit.measurements import AuditedPair, Measurements
from augkit.data.pair_files import read_mask
from augkit.data.whole_car import leaks

MANY = 0.2
"""The share of leaking silhouettes from which another method is worth a try."""


def leak(audited: AuditedPair) -> Figures:
    """Whether there is a silhouette of the pair, and whether it leaks (or cannot be read)."""
    path = audited.silhouette
    if path is None or not path.is_file():
        return {"there": 0.0, "leaks": 0.0}
    try:
        silhouette = read_mask(path) > 127
    except DataError:
        return {"there": 1.0, "leaks": 1.0}
    sound = silhouette.shape == audited.pair.mask.shape and not leaks(audited.pair.mask, silhouette)
    return {"there": 1.0, "leaks": float(not sound)}


@check("silhouettes", "silhouettes that cover more than the car", leak)
def silhouettes(measurements: Measurements) -> Iterator[Finding]:
    """A note, or a warning where they are many: these cars lend no body to stages I and II."""
    there, leaky = (measurements.column("silhouettes", name) for name in ("there", "leaks"))
    hits = [Hit(row.id, 1.0) for row, bad in zip(measurements.seen, leaky.tolist(), strict=True) if bad]
    if hits:
        share = len(hits) / there.sum()
        yield Finding(
            "silhouettes",
            "warning" if share > MANY else "note",
            f"{len(hits)} of {int(there.sum())} silhouettes leak ({share:.0%}): they cover the photo, its edge or much "
            "else beside the car; these cars are drawn without what of them belongs to no part",
            "look at them; augkit silhouettes --method torchvision may find better ones",
            worst_first(hits),
        )
