"""Which pairs a page shows, and each with the real ones it resembles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from augkit.core.progress import Progress
from augkit.report.embedding_map import EmbeddingMap, draw_map
from augkit.report.image_cache import ImageCache, Tile
from augkit.report.nearest_pairs import NearestPairs, Neighbour, find_nearest
from augkit.report.rejections import Rejections, Row, scores_of
from augkit.report.report_data import ReportData

PER_CLASS, EXTREMES, EXAMPLES = 8, 6, 6
CANDIDATES = 4
"""Times as many of the highest rank are looked at as the best that are shown."""
ON_MAP = 160
"""Generated pairs on the map, beside those that are shown anyway."""


@dataclass(frozen=True)
class PairCard:
    """A pair on the page: the tile itself first, then its neighbours. ``remarks`` are short facts about it."""

    key: str
    class_name: str
    scores: dict[str, float]
    tiles: Sequence[Tile]
    remarks: Sequence[str]
    close: bool = False


@dataclass(frozen=True)
class ClassSheet:
    """The cards of a class; real ones where nothing was generated for it."""

    class_name: str
    source: str
    total: int
    cards: Sequence[PairCard]


@dataclass(frozen=True)
class PairSelection:
    """All cards of a page. ``examples`` are by reject reason, ``map`` is None where nothing can be compared."""

    sheets: Sequence[ClassSheet]
    best: Sequence[PairCard]
    worst: Sequence[PairCard]
    examples: Mapping[str, Sequence[PairCard]]
    nearest: NearestPairs
    map: EmbeddingMap | None


def select_pairs(
    data: ReportData, funnel: Rejections, images: ImageCache, progress: Progress, per_class: int = PER_CLASS
) -> PairSelection:
    """Chooses the pairs, finds their neighbours and draws them.

    A class's generated pairs are ordered by their mean rank and taken at even steps, the best and the worst included.
    """
    real, made = data.real(), data.index.made
    order = np.argsort(-made.rank, kind="stable")
    places, classes = made.places[order], made.class_of[order]
    chosen = {name: _evenly(places[classes == n], per_class) for n, name in enumerate(made.class_names)}
    ends = _ends(places)
    asked = list(dict.fromkeys([*chain.from_iterable(chosen.values()), *ends, *_evenly(places, ON_MAP)]))
    rows = data.rows_at([*asked, *chain.from_iterable(reason.examples for reason in funnel.reasons)])
    shown = [rows[place] for place in asked]
    nearest = find_nearest(shown, real, images, progress)
    best, worst = extremes([rows[place] for place in ends], nearest, EXTREMES)
    selector = _Selector(images, nearest, {row["key"]: row for row in real})
    sheets = []
    for name in sorted({*chosen, *(row["class"] for row in real)}):
        own = [row for row in real if row["class"] == name]
        cards = selector.cards([rows[place] for place in chosen.get(name, ())] or _spread(own, per_class))
        source, total = ("generated", made.count(name)) if name in chosen else ("real", len(own))
        sheets.append(ClassSheet(name, source, total, cards))
    examples = {reason.name: selector.examples([rows[n] for n in reason.examples]) for reason in funnel.reasons}
    chart = draw_map([*real, *shown], nearest.features, images)
    return PairSelection(sheets, selector.cards(best), selector.cards(worst), examples, nearest, chart)


def _ends(places: NDArray[np.int64]) -> list[int]:
    """The entries among which the best and the worst are, in their order."""
    first, last = CANDIDATES * EXTREMES, 2 * EXTREMES
    some = places if len(places) <= first + last else np.concatenate([places[:first], places[-last:]])
    return [int(place) for place in some]


def extremes(order: Sequence[Row], nearest: NearestPairs, count: int) -> tuple[list[Row], list[Row]]:
    """The ``count`` best and worst of rows whose best come first.

    A copy of a real pair passes every check with honours. So the best are first those that keep at least the distance
    to real pairs that three in four held-out ones keep, then those that come next to it.
    """
    candidates = order[: CANDIDATES * count]
    best = sorted(candidates, key=lambda row: -min(1.0, nearest.room(row)))[:count]
    keys = {row["key"] for row in best}
    return best, [row for row in order if row["key"] not in keys][-count:][::-1]


def _spread(rows: Sequence[Row], count: int) -> list[Row]:
    return [rows[place] for place in _evenly(np.arange(len(rows)), count)]


def _evenly(places: NDArray[np.int64], count: int) -> list[int]:
    """Evenly spaced entries, the first and the last included."""
    some = np.linspace(0, len(places) - 1, count).round().astype(int) if len(places) > count else slice(None)
    return [int(place) for place in places[some]]


@dataclass(frozen=True)
class _Selector:
    images: ImageCache
    nearest: NearestPairs
    real: Mapping[str, Row]

    def cards(self, rows: Sequence[Row]) -> list[PairCard]:
        return [card for card in map(self._card, rows) if card is not None]

    def examples(self, rows: Sequence[Row]) -> list[PairCard]:
        """The first few that can be shown, from as many classes as there are."""
        seen: dict[str, int] = {}
        ranked = []
        for place, row in enumerate(rows):
            seen[row["class"]] = seen.get(row["class"], 0) + 1
            ranked.append((seen[row["class"]], place, row))
        found: list[PairCard] = []
        for _, _, row in sorted(ranked, key=lambda entry: entry[:2])[: 3 * EXAMPLES]:
            card = self._card(row) if len(found) < EXAMPLES else None
            found += [card] if card is not None else []
        return found

    def _card(self, row: Row) -> PairCard | None:
        tile = self.images.tile(row, row["source"])
        if tile is None:
            return None
        mask, photo = self.nearest.by_mask.get(row["key"]), self.nearest.by_photo.get(row["key"])
        tiles = [tile, *self._neighbours(mask, photo), *self._exemplar(row)]
        found = [("photo", photo), ("mask", mask)]
        distances = [f"{kind} {n.distance:.2f}" for kind, n in found if n is not None]
        remarks = ["distance: " + ", ".join(distances)] if distances else []
        remarks += [reason.replace(":", ": ") for reason in row["reasons"]]
        return PairCard(
            row["key"], row["class"], scores_of(row), [t for t in tiles if t is not None], remarks,
            any(n is not None and n.close for _, n in found),
        )  # fmt: skip

    def _neighbours(self, mask: Neighbour | None, photo: Neighbour | None) -> list[Tile | None]:
        if mask is None or photo is None:
            return []
        if (mask.row["key"], mask.mirrored) == (photo.row["key"], photo.mirrored):
            return [self.images.tile(mask.row, "real, by both", mask.mirrored)]
        return [
            self.images.tile(n.row, f"real, by {kind}", n.mirrored) for kind, n in (("photo", photo), ("mask", mask))
        ]

    def _exemplar(self, row: Row) -> list[Tile | None]:
        """The real photo whose appearance a generated one takes over."""
        real = self.real.get(row.get("exemplar") or "")
        return [] if real is None else [self.images.tile(real, "exemplar")]
