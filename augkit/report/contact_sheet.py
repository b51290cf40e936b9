"""The contact sheet: photo, the photo under its mask, and the class, real pairs beside made ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from augkit.core.atomic_file import replacing
from augkit.core.parts import BACKGROUND, Mask, PartSchema
from augkit.data.crop import Photo
from augkit.shards.codec import decode_mask, decode_photo
from augkit.shards.reader import ShardDataset

TILE = 128
COLUMNS = 4
HEADER = 20
GAP = 12
TITLES = {"pseudo": "pseudo: photos without masks, read by the teacher"}


def overlay(photo: Photo, mask: Mask, schema: PartSchema, strength: float = 0.55) -> Photo:
    """(H, W, 3) photo with the parts of its (H, W) mask laid over in their colours; the background stays."""
    blended = (1 - strength) * photo + strength * schema.colourise(mask)
    return np.where((mask == BACKGROUND)[..., None], photo, blended.round().astype(np.uint8))


def contact_sheet(
    shards: Path | str, target: Path, columns: int = COLUMNS, made: Sequence[str] = ("pseudo", "generated")
) -> Path:
    """Writes a PNG with a row a class: ``columns`` real training pairs, then as many of each source in ``made`` that
    there is, photo above overlay."""
    dataset = ShardDataset(shards, where=[("split", "==", "train")])
    rows = _rows(dataset)
    there = {source for _, source in rows}
    sources = ("real", *([source for source in made if source in there] or made[-1:]))
    classes, group = sorted(set(dataset.classes)), columns * TILE + GAP
    size = (len(sources) * group + GAP, HEADER + len(classes) * (2 * TILE + HEADER) + 4)
    sheet = Image.new("RGB", size, (18, 18, 20))
    draw = ImageDraw.Draw(sheet)
    for place, source in enumerate(sources):
        draw.text((GAP + place * group, 4), TITLES.get(source, source), fill=(235, 235, 235), font=_font())
    for number, name in enumerate(classes):
        top = HEADER + number * (2 * TILE + HEADER)
        counts = {source: rows.get((name, source), []) for source in sources}
        draw.text((GAP, top + 4), f"{name}   {_summary(counts)}", fill=(160, 200, 255), font=_font())
        for place, own in enumerate(counts.values()):
            for column, row in enumerate(_spread(own, columns)):
                _paste(sheet, dataset, row, GAP + place * group + column * TILE, top + HEADER)
    with replacing(target) as temporary:
        sheet.save(temporary, "PNG")
    return target


def _rows(dataset: ShardDataset) -> dict[tuple[str, str], list[int]]:
    """By class and source."""
    found: dict[tuple[str, str], list[int]] = {}
    for row, pair in enumerate(zip(dataset.classes, dataset.index["source"].to_pylist(), strict=True)):
        found.setdefault(pair, []).append(row)
    return found


def _summary(counts: dict[str, list[int]]) -> str:
    return ", ".join(f"{len(rows)} {source}" for source, rows in counts.items())


def _spread(rows: list[int], count: int) -> list[int]:
    """Evenly spaced entries, the first one included."""
    step = max(1, len(rows) // count)
    return rows[::step][:count]


def _paste(sheet: Image.Image, dataset: ShardDataset, row: int, left: int, top: int) -> None:
    data = dataset.raw(row)
    photo, mask = decode_photo(data[0]), decode_mask(data[1])
    for offset, picture in ((0, photo), (TILE, overlay(photo, mask, dataset.schema))):
        tile = cv2.resize(picture, (TILE, TILE), interpolation=cv2.INTER_AREA)
        sheet.paste(Image.fromarray(np.asarray(tile, np.uint8)), (left, top + offset))


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(13)
