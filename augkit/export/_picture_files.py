"""Photos and masks as files of one stem, a folder a split."""

from __future__ import annotations

from collections.abc import Iterable

from augkit.export.export_format import ExportItem, ExportPlace, Record


def write_photo(place: ExportPlace, folder: str, item: ExportItem) -> None:
    """``folder/{split}/{key}.jpg``."""
    place.put(f"{folder}/{item.split}/{item.key}.{item.extension}", item.photo)


def write_pairs(place: ExportPlace, photos: str, masks: str, batch: Iterable[ExportItem]) -> list[Record]:
    """``photos/{split}/{key}.jpg`` and ``masks/{split}/{key}.png`` of each pair, and its facts."""
    records = []
    for item in batch:
        write_photo(place, photos, item)
        place.put(f"{masks}/{item.split}/{item.key}.png", item.mask_png)
        records.append(item.facts)
    return records
