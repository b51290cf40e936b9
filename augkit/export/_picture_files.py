"""Photos and masks as files of one stem, a folder a split."""

from __future__ import annotations

from augkit.export.export_format import ExportItem, ExportPlace


def write_photo(place: ExportPlace, folder: str, item: ExportItem) -> None:
    """``folder/{split}/{key}.jpg``."""
    place.put(f"{folder}/{item.split}/{item.key}.{item.extension}", item.photo)


def write_mask(place: ExportPlace, folder: str, item: ExportItem) -> None:
    """``folder/{split}/{key}.png``."""
    place.put(f"{folder}/{item.split}/{item.key}.png", item.mask_png)
