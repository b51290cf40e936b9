"""Rows of a data set chosen and drawn: a contact sheet, or a page of a terminal in half-block pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from augkit.core.atomic_file import replacing
from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import PartSchema
from augkit.core.storage import Storage
from augkit.data.crop import Photo
from augkit.data.pair import Pair
from augkit.report.contact_sheet import overlay
from augkit.report.image_cache import ImageCache
from augkit.report.rejections import RANKED, Row, mean_rank, score_values, scores_of
from augkit.shards.index_file import IndexFile
from augkit.shards.writer import SCORE

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

TILE, GAP, LINE = 160, 8, 15
RANK = "rank"
"""Sorts by the mean rank over the scores."""


@dataclass(frozen=True)
class RowSelection:
    """Which rows, and in what order: ``sort`` is empty (as stored), a score's name, ``-NAME`` (the highest first) or
    ``rank`` (the worst first)."""

    classes: Sequence[str] = ()
    sources: Sequence[str] = ()
    rejected: bool = False
    sort: str = ""


class ChosenRows:
    """Rows of an index in some order, read when a slice of them is asked for."""

    def __init__(self, index: IndexFile, places: NDArray[np.int64]) -> None:
        self._index, self._places = index, places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, part: slice) -> list[Row]:
        return list(self._index.at(self._places[part]))


def select_rows(storage: Storage, selection: RowSelection) -> ChosenRows:
    """The rows with pictures, accepted or rejected. Raises ShardError where the data set is unfinished, ConfigError
    for a score that it does not have, DataError where nothing is left."""
    index = IndexFile(storage)
    known = sorted(name.removeprefix(SCORE) for name in index.columns if name.startswith(SCORE))
    name = selection.sort.removeprefix("-")
    if name and name not in (*known, RANK):
        raise ConfigError(f"--sort {selection.sort}", f"{RANK}, or a score: " + ", ".join(known))
    names = sorted(RANKED.intersection(known)) if name == RANK else [name] if name else []
    fitting, painted, scores = _fitting(index, selection, names)
    if not len(painted):
        raise DataError(
            f"{storage}: no {'rejected' if selection.rejected else 'accepted'} pair with pictures among "
            f"{fitting} rows that fit",
            "some",
            "ask for other classes or sources; candidates rejected before they were painted have no pictures",
        )
    if not name:
        return ChosenRows(index, painted)
    values = mean_rank(scores, len(painted)) if name == RANK else scores[name]
    return ChosenRows(index, painted[_order(values, selection.sort.startswith("-"))])


def _fitting(
    index: IndexFile, selection: RowSelection, names: Sequence[str]
) -> tuple[int, NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """How many rows fit, the places of those with pictures, and the scores of these by name."""
    first, fitting, places = 0, 0, [np.zeros(0, np.int64)]
    scores: dict[str, list[NDArray[np.float64]]] = {name: [np.zeros(0)] for name in names}
    for table in index.tables(["class", "source", "accepted", "shard", *(SCORE + name for name in names)]):
        fits = pc.not_equal(table["accepted"], selection.rejected)
        for column, wanted in (("class", selection.classes), ("source", selection.sources)):
            fits = pc.and_(fits, pc.is_in(table[column], pa.array(wanted, pa.string()))) if wanted else fits
        shown = pc.and_(fits, table["shard"].is_valid())
        fitting += pc.sum(fits).as_py() or 0
        places.append(np.flatnonzero(shown.to_numpy()) + first)
        for name, values in scores.items():
            values.append(score_values(table.filter(shown), name))
        first += len(table)
    return fitting, np.concatenate(places), {name: np.concatenate(values) for name, values in scores.items()}


def _order(values: NDArray[np.float64], highest_first: bool) -> NDArray[np.intp]:
    """Equal ones stay in their order; rows without a finite score stay behind the others."""
    missing = ~np.isfinite(values)
    return np.lexsort((np.where(missing, 0.0, -values if highest_first else values), missing))


def describe(row: Row) -> list[str]:
    """Key; class and source; reasons; scores."""
    scores = ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in scores_of(row).items())
    return [line for line in (*_about(row), scores) if line]


def _about(row: Row) -> list[str]:
    return [row["key"], f"{row['class']}, {row['source']}, {row['split']}", ", ".join(row["reasons"])]


def draw_sheet(rows: Sequence[Row], images: ImageCache, path: Path, columns: int = 6) -> Path:
    """Writes a PNG: of each row its photo above the photo under the mask, with key, class and reasons."""
    columns = min(columns, len(rows))
    lines = 3 if any(row["reasons"] for row in rows) else 2
    height = 2 * TILE + lines * LINE + GAP
    size = (columns * (TILE + GAP) + GAP, -(-len(rows) // columns) * (height + GAP) + GAP)
    sheet = Image.new("RGB", size, (18, 18, 20))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for number, row in enumerate(rows):
        left, top = GAP + number % columns * (TILE + GAP), GAP + number // columns * (height + GAP)
        for place, picture in enumerate(pictures(row, images, TILE)):
            sheet.paste(Image.fromarray(picture), (left, top + place * TILE))
        for place, text in enumerate(describe(row)[:lines]):
            draw.text((left, top + 2 * TILE + 2 + place * LINE), _cut(text, font), fill=(225, 228, 232), font=font)
    with replacing(path) as temporary:  # other pictures than PNG where the name asks for them
        sheet.save(temporary, Image.registered_extensions().get(path.suffix.lower(), "PNG"))
    return path


def pictures(row: Row, images: ImageCache, size: int) -> tuple[Photo, Photo]:
    """(size, size, 3): the photo, and the photo under its mask; grey where the bytes cannot be read."""
    pair = images.pair(row)
    if not isinstance(pair, Pair):
        grey = np.full((size, size, 3), 60, np.uint8)
        return grey, grey
    return _resized(pair.photo, size), _resized(overlay(pair.photo, pair.mask, images.schema), size)


def half_blocks(picture: Photo) -> Text:
    """(2 n, W, 3) picture -> n lines of W characters: the upper half of a character is one pixel, the lower another."""
    from rich.color import Color
    from rich.style import Style
    from rich.text import Text

    text = Text(no_wrap=True)
    for upper, lower in zip(picture[::2].tolist(), picture[1::2].tolist(), strict=True):
        for above, below in zip(upper, lower, strict=True):
            text.append("▀", Style(color=Color.from_rgb(*above), bgcolor=Color.from_rgb(*below)))
        text.append("\n")
    text.rstrip()
    return text


def terminal_entry(row: Row, images: ImageCache, width: int) -> Table:
    """A row for a terminal: its pictures, ``width`` columns each, what it is, its scores as a table, and its parts."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    about = [Text(line, style="bold" if not n else "") for n, line in enumerate(filter(None, _about(row)))]
    scores = Table.grid("", "", padding=(0, 2))
    scores.columns[1].justify = "right"
    for name, value in scores_of(row).items():
        scores.add_row(name.replace("_", " "), f"{value:.3g}")
    parts = Text()
    for name, colour in parts_line(row, images.schema)[:8]:
        parts.append("■ ", f"rgb({colour[0]},{colour[1]},{colour[2]})")
        parts.append(f"{name}  ")
    grid = Table.grid(padding=(0, 1))
    grid.add_row(*(half_blocks(picture) for picture in pictures(row, images, width)), Group(*about, scores, parts))
    return grid


def parts_line(row: Row, schema: PartSchema) -> list[tuple[str, tuple[int, int, int]]]:
    """The parts that a pair shows, the largest first, with their colours."""
    counts = row["histogram"][1:]
    order = sorted(range(len(counts)), key=lambda place: -counts[place])
    return [(schema.parts[place].name, schema.parts[place].colour) for place in order if counts[place]]


def _resized(picture: Photo, size: int) -> Photo:
    method = cv2.INTER_AREA if picture.shape[0] > size else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(picture, (size, size), interpolation=method), np.uint8)


def _cut(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """As much of a line as a tile is wide."""
    while font.getlength(text) > TILE:
        text = text[:-2].rstrip("…") + "…"
    return text
