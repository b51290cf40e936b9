"""Where generated photos lie among the real ones: each photo a point, like photos near each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augkit.report.image_cache import ImageCache
from augkit.report.rejections import Row

WIDTH, HEIGHT, MARGIN = 640, 400, 12
MOST = 400
"""Real pairs on a map, at even steps; as many generated ones as were compared."""


@dataclass(frozen=True)
class MapPoint:
    """A pair at (x, y) px, y downwards. ``kind`` is real, held-out or generated; ``picture`` a small data URI."""

    x: float
    y: float
    kind: str
    key: str
    class_name: str
    picture: str


@dataclass(frozen=True)
class EmbeddingMap:
    """The points, the real ones first, and the share of the features' variance that the two axes hold."""

    points: Sequence[MapPoint]
    explained: float


def draw_map(
    rows: Sequence[Row], features: Mapping[str, NDArray[np.float32]], images: ImageCache
) -> EmbeddingMap | None:
    """The rows that have features; None where fewer than three do."""
    known = [row for row in rows if row["key"] in features]
    real, made = ([row for row in known if (row["source"] == "real") == own] for own in (True, False))
    step = max(1, -(-len(real) // MOST))
    shown = [*real[::step], *made]
    if len(shown) < 3:
        return None
    places, explained = project(np.stack([features[row["key"]] for row in shown]))
    points = [
        MapPoint(x, y, _kind(row), row["key"], row["class"], images.thumbnail(row))
        for row, (x, y) in zip(shown, _to_pixels(places), strict=True)
    ]
    return EmbeddingMap(points, explained)


def project(features: NDArray[np.float32]) -> tuple[NDArray[np.float64], float]:
    """(N, D) -> (N, 2) on the two principal axes (Pearson 1901), and their share of the variance.

    The largest entry of an axis is positive, so that a map does not turn over from one machine to the next.
    """
    centred = features.astype(np.float64) - features.mean(0, dtype=np.float64)
    _, widths, axes = np.linalg.svd(centred, full_matrices=False)
    two = axes[:2]
    signs = np.sign(two[np.arange(len(two)), np.abs(two).argmax(1)])
    variance = widths**2
    return centred @ (two * signs[:, None]).T, float(variance[:2].sum() / max(variance.sum(), 1e-12))


def _to_pixels(places: NDArray[np.float64]) -> list[tuple[float, float]]:
    """In one scale for both axes, centred in the picture."""
    low, high = places.min(0), places.max(0)
    room = np.array([WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN])
    scale = (room / np.maximum(high - low, 1e-9)).min()
    moved = (places - (low + high) / 2) * scale * (1, -1) + (WIDTH / 2, HEIGHT / 2)
    return [(round(x, 1), round(y, 1)) for x, y in moved.tolist()]


def _kind(row: Row) -> str:
    if row["source"] != "real":
        return "generated"
    return "real" if row["split"] == "train" else "held-out"
