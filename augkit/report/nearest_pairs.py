"""The real training pairs that generated ones are nearest to: by the mask, and by what the photo looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from augkit.core.progress import Progress, renamed
from augkit.data.crop import resize_photo
from augkit.data.pair import Pair
from augkit.evaluate.extract import extract_photos
from augkit.metrics.copies import QUANTILE, nearest_mask
from augkit.metrics.neighbours import nearest
from augkit.models.extractors import EXTRACTORS
from augkit.report.image_cache import ImageCache
from augkit.report.rejections import Row


@dataclass(frozen=True)
class Neighbour:
    """A real pair, in the mirror or not, and how far away it is; ``close`` where held-out real pairs rarely are."""

    row: Row
    mirrored: bool
    distance: float
    close: bool


@dataclass(frozen=True)
class Yardstick:
    """What a distance means: the ``QUANTILE``, the lower quartile and the median of ``count`` held-out real pairs'."""

    bound: float
    quarter: float
    median: float
    count: int


@dataclass(frozen=True)
class NearestPairs:
    """Neighbours of generated rows by key, by mask and by photo; the yardsticks are None without held-out pairs.

    ``features`` are what the photos of all rows that were looked at look like: (D,) each, by key.
    """

    by_mask: dict[str, Neighbour]
    by_photo: dict[str, Neighbour]
    mask_yardstick: Yardstick | None = None
    photo_yardstick: Yardstick | None = None
    features: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def room(self, row: Row) -> float:
        """How far a generated row is from its nearest real pair, over what three in four held-out pairs are at least:
        below 1 it is nearer to a copy than those. Infinite where nothing tells."""
        pairs = ((self.by_mask, self.mask_yardstick), (self.by_photo, self.photo_yardstick))
        known = [(own[row["key"]].distance, stick) for own, stick in pairs if stick and row["key"] in own]
        return min((distance / stick.quarter for distance, stick in known if stick.quarter > 0), default=np.inf)


def find_nearest(made: Sequence[Row], real: Sequence[Row], images: ImageCache, progress: Progress) -> NearestPairs:
    """Compares with the training pairs among ``real`` and their mirror images; the others are the yardstick.

    Mask distance: ``augkit.metrics.copies``; photo distance: Euclidean, of EfficientNet-Lite0 features.
    """
    ours, known, held = (
        _painted(rows, images)
        for rows in (made, [r for r in real if r["split"] == "train"], [r for r in real if r["split"] == "val"])
    )
    if not ours or not known:
        return NearestPairs({}, {})
    schema = images.schema
    twice = [pair for _, pair in known] + [pair.flip(schema) for _, pair in known]
    asked = [pair for _, pair in [*ours, *held]]
    by_mask = nearest_mask([pair.mask for pair in asked], [pair.mask for pair in twice], schema)
    features = _features([*asked, *twice], progress)
    by_photo = nearest(features[: len(asked)], features[len(asked) :])
    rows = [row for row, _ in [*ours, *held, *known]]
    seen = {row["key"]: vector for row, vector in zip(rows, features, strict=False)}  # behind them: mirror images
    return NearestPairs(*_neighbours(ours, known, by_mask, by_photo), seen)


def _neighbours(
    ours: Sequence[tuple[Row, Pair]], known: Sequence[tuple[Row, Pair]],
    *found: tuple[NDArray[np.float64], NDArray[np.intp]],
) -> tuple[dict[str, Neighbour], dict[str, Neighbour], Yardstick | None, Yardstick | None]:  # fmt: skip
    """The first of ``found`` are ours, the others held out; places from ``len(known)`` on are mirror images."""
    neighbours, yardsticks = [], []
    for distances, places in found:
        others = distances[len(ours) :]
        stick = None
        if len(others):
            bound, quarter, median = np.quantile(others, (QUANTILE, 0.25, 0.5)).tolist()
            stick = Yardstick(bound, quarter, median, len(others))
        least = -np.inf if stick is None else stick.bound
        neighbours.append(
            {
                row["key"]: Neighbour(
                    known[place % len(known)][0], bool(place >= len(known)), float(distance), bool(distance < least)
                )
                for (row, _), distance, place in zip(ours, distances, places, strict=False)
            }
        )
        yardsticks.append(stick)
    return neighbours[0], neighbours[1], yardsticks[0], yardsticks[1]


def _painted(rows: Sequence[Row], images: ImageCache) -> list[tuple[Row, Pair]]:
    pairs = ((row, images.pair(row)) for row in rows)
    return [(row, pair) for row, pair in pairs if isinstance(pair, Pair)]


def _features(pairs: Sequence[Pair], progress: Progress) -> NDArray[np.float32]:
    """(N, D) features, all photos at the size of the first."""
    size = pairs[0].photo.shape[0]
    seen = extract_photos(
        [resize_photo(pair.photo, size) for pair in pairs], EXTRACTORS["lite0"](),
        progress=renamed(progress, "comparing photos"),
    )  # fmt: skip
    return seen.tables["features"]
