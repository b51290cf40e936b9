"""Photos that are there twice: byte for byte, or saved again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from augkit.data.audit.audit_check import Figures, Finding, Hit, check
from augkit.data.audit.measurements import AuditedPair, Measurements
from augkit.data.catalogue import CatalogueRow
from augkit.data.near_duplicates import correlation, find_groups, hash_bits, perceptual_hash, thumb

SAME_CUT = 0.7
"""Overlap over union of two cuts of one photo, from which on they show the same car."""

Twins = tuple[CatalogueRow, CatalogueRow, float]


@check("duplicates", "the same photo twice, byte for byte")
def duplicates(measurements: Measurements) -> Iterator[Finding]:
    """Rows with the sha256 and the cut of an earlier one. Several cars of one photo are no duplicates."""
    first: dict[str, list[CatalogueRow]] = defaultdict(list)  # of each cut of a photo
    twins: list[Twins] = []
    for row in measurements.rows:
        same = [other for other in first[row.sha256] if row.sha256 and overlap(other, row) >= SAME_CUT]
        twins += [(other, row, 1.0) for other in same[:1]]
        if not same:
            first[row.sha256].append(row)
    if twins:
        yield _finding("duplicates", twins, "are there twice, byte for byte")


def overlap(one: CatalogueRow, other: CatalogueRow) -> float:
    """Intersection over union of the two rows' cuts."""
    width, height = (
        max(0, min(a + one.crop_side, b + other.crop_side) - max(a, b))
        for a, b in ((one.crop_x, other.crop_x), (one.crop_y, other.crop_y))
    )
    shared = width * height
    return shared / max(1, one.crop_side**2 + other.crop_side**2 - shared)


def look(audited: AuditedPair) -> Figures:
    """The perceptual hash: the catalogue's, where it has that of the mirror image too."""
    known = audited.row.phash
    return {"phash": known if len(known) == 32 else perceptual_hash(audited.pair.photo)}


@check("near-duplicates", "photos that were saved again: resized, recompressed, brightened, mirrored", look)
def near_duplicates(measurements: Measurements) -> Iterator[Finding]:
    """Photos of different bytes that ``augkit.data.near_duplicates`` puts into one group."""
    hashes = measurements.texts("near-duplicates", "phash")

    @lru_cache(4096)
    def tiny(number: int) -> NDArray[np.uint8]:
        return thumb(measurements.photo(measurements.seen[number]))

    numbers = np.array([hash_bits(text) for text in hashes], np.uint64).reshape(-1, 2)
    sha256 = np.array([row.sha256 or row.id for row in measurements.seen], np.bytes_)
    groups: dict[int, list[int]] = defaultdict(list)
    for place, group in enumerate(find_groups(sha256, numbers, np.array([bool(text) for text in hashes]), tiny)):
        groups[int(group)].append(place)
    twins = [
        (measurements.seen[first], measurements.seen[other], _likeness(tiny(first), tiny(other)))
        for first, *others in groups.values()
        for other in others
        if sha256[first] != sha256[other]  # of the others, `duplicates` speaks
    ]
    if twins:
        yield _finding("near-duplicates", twins, "look the same")


def _likeness(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """-1..1: as they are, or in the mirror."""
    return max(correlation(one, other), correlation(one, other[:, ::-1]))


def _finding(check: str, twins: Sequence[Twins], what: str) -> Finding:
    """The rows of both photos, side by side."""
    across = sum(one.split != other.split for one, other, _ in twins)
    apart = f"; {across} of them on two sides of a split" if across else ""
    hits: dict[str, Hit] = {}
    for one, other, score in sorted(twins, key=lambda twin: -twin[2]):
        for row, mate in ((one, other), (other, one)):
            hits.setdefault(row.id, Hit(row.id, score, f"like {mate.id}"))
    return Finding(
        check,
        "warning",
        f"{len(twins)} times two photos {what}{apart}",
        "keep one of each, and import again",
        tuple(hits.values()),
    )
