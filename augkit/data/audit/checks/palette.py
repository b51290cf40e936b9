"""Colour masks whose colours are not those of the palette."""

from __future__ import annotations

from collections.abc import Iterator

from augkit.data.audit.audit_check import Finding, Hit, check, worst_first
from augkit.data.audit.measurements import Measurements

LARGEST_SHARE = 0.01
"""A mask saved with anti-aliased outlines has a few per cent of mixed colours; exact ones have none."""


@check("palette", "colour masks with pixels of no exact colour of the palette")
def palette(measurements: Measurements) -> Iterator[Finding]:
    """Reads what the import noted: each such pixel was given to the nearest colour, which may be another part."""
    hits = [
        Hit(row.id, row.off_palette, f"{row.off_palette:.1%} off")
        for row in measurements.rows
        if row.off_palette > LARGEST_SHARE
    ]
    if hits:
        most = max(hit.score for hit in hits)
        whole = 2 * len(hits) > len(measurements.rows)
        yield Finding(
            "palette",
            "warning",
            f"{len(hits)} of {len(measurements.rows)} masks have more than {LARGEST_SHARE:.0%} of pixels off the "
            f"palette, up to {most:.1%}",
            "the palette file seems to be another than the masks' own: correct it and import again"
            if whole
            else "save the masks without anti-aliasing and without JPEG, and import again",
            worst_first(hits),
        )
