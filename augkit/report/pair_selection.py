"""Which pairs a page shows, and each with the real ones it resembles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from augkit.report.image_cache import Album, Tile
from augkit.report.nearest_pairs import Kin, Neighbour, Progress, find_kin
from augkit.report.rejections import Funnel, scores_of, standing
from augkit.report.report_data import Material, Row

PER_CLASS, EXTREMES, EXAMPLES = 8, 6, 6


@dataclass(frozen=True)
class Card:
    """A pair on the page: the tile itself first, then its neighbours. ``remarks`` are short facts about it."""

    key: str
    class_name: str
    scores: dict[str, float]
    tiles: Sequence[Tile]
    remarks: Sequence[str]
    close: bool = False


@dataclass(frozen=True)
class Sheet:
    """The cards of a class; real ones where nothing was generated for it."""

    class_name: str
    source: str
    total: int
    cards: Sequence[Card]


@dataclass(frozen=True)
class Gallery:
    """All cards of a page. ``examples`` are by reject reason."""

    sheets: Sequence[Sheet]
    best: Sequence[Card]
    worst: Sequence[Card]
    examples: Mapping[str, Sequence[Card]]
    kin: Kin


def hang(material: Material, funnel: Funnel, album: Album, progress: Progress, per_class: int = PER_CLASS) -> Gallery:
    """Chooses the pairs, finds their neighbours and draws them.

    A class's generated pairs are ordered by their standing and taken at even steps, the best and the worst included.
    """
    made, real = material.of("generated"), material.of("real")
    order = [made[place] for place in np.argsort(-standing(made), kind="stable")]
    chosen = {
        name: _spread([row for row in order if row["class"] == name], per_class) for name in {r["class"] for r in made}
    }
    best, worst = order[:EXTREMES], order[EXTREMES:][-EXTREMES:][::-1]
    shown = {row["key"]: row for row in [*(row for rows in chosen.values() for row in rows), *best, *worst]}
    kin = find_kin(list(shown.values()), real, album, progress)
    hanging = _Hanging(album, kin, {row["key"]: row for row in real})
    sheets = []
    for name in sorted({row["class"] for row in [*made, *real]}):
        own = [row for row in real if row["class"] == name]
        rows = chosen.get(name) or _spread(own, per_class)
        total = sum(row["class"] == name for row in made) or len(own)
        sheets.append(Sheet(name, "generated" if name in chosen else "real", total, hanging.cards(rows)))
    examples = {reason.name: hanging.examples(reason.examples) for reason in funnel.reasons}
    return Gallery(sheets, hanging.cards(best), hanging.cards(worst), examples, kin)


def _spread(rows: Sequence[Row], count: int) -> list[Row]:
    """Evenly spaced entries, the first and the last included."""
    if len(rows) <= count:
        return list(rows)
    return [rows[place] for place in np.linspace(0, len(rows) - 1, count).round().astype(int)]


@dataclass(frozen=True)
class _Hanging:
    album: Album
    kin: Kin
    real: Mapping[str, Row]

    def cards(self, rows: Sequence[Row]) -> list[Card]:
        return [card for card in map(self._card, rows) if card is not None]

    def examples(self, rows: Sequence[Row]) -> list[Card]:
        """The first few that can be shown, from as many classes as there are."""
        seen: dict[str, int] = {}
        ranked = []
        for place, row in enumerate(rows[: 40 * EXAMPLES]):
            seen[row["class"]] = seen.get(row["class"], 0) + 1
            ranked.append((seen[row["class"]], place, row))
        found: list[Card] = []
        for _, _, row in sorted(ranked, key=lambda entry: entry[:2])[: 3 * EXAMPLES]:
            card = self._card(row) if len(found) < EXAMPLES else None
            found += [card] if card is not None else []
        return found

    def _card(self, row: Row) -> Card | None:
        tile = self.album.tile(row, row["source"])
        if tile is None:
            return None
        mask, photo = self.kin.by_mask.get(row["key"]), self.kin.by_photo.get(row["key"])
        tiles = [tile, *self._relatives(mask, photo), *self._exemplar(row)]
        found = [("photo", photo), ("mask", mask)]
        distances = [f"{kind} {n.distance:.2f}" for kind, n in found if n is not None]
        remarks = ["distance: " + ", ".join(distances)] if distances else []
        remarks += [reason.replace(":", ": ") for reason in row["reasons"]]
        return Card(
            row["key"], row["class"], scores_of(row), [t for t in tiles if t is not None], remarks,
            any(n is not None and n.close for _, n in found),
        )  # fmt: skip

    def _relatives(self, mask: Neighbour | None, photo: Neighbour | None) -> list[Tile | None]:
        if mask is None or photo is None:
            return []
        if (mask.row["key"], mask.mirrored) == (photo.row["key"], photo.mirrored):
            return [self.album.tile(mask.row, "real, by both", mask.mirrored)]
        return [
            self.album.tile(n.row, f"real, by {kind}", n.mirrored) for kind, n in (("photo", photo), ("mask", mask))
        ]

    def _exemplar(self, row: Row) -> list[Tile | None]:
        """The real photo whose look a generated one borrows."""
        borrowed = self.real.get(row.get("exemplar") or "")
        return [] if borrowed is None else [self.album.tile(borrowed, "texture from")]
