"""Splits of a YOLO description that are an earlier one over again, as where ``val`` is ``train`` for want of photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from augkit.data.catalogue import SPLITS, Split


def repeated(listed: Mapping[str, Sequence[Split]]) -> dict[Split, Split]:
    """The splits that have exactly the photos of an earlier one, with that one; ``listed`` is photo -> its splits."""
    photos = {split: {photo for photo, splits in listed.items() if split in splits} for split in SPLITS}
    found: dict[Split, Split] = {}
    for place, split in enumerate(SPLITS):
        earlier = next((other for other in SPLITS[:place] if photos[other] == photos[split]), None)
        if earlier is not None and photos[split]:
            found[split] = earlier
    return found


def warnings_of(file: str, repeats: Mapping[Split, Split]) -> tuple[str, ...]:
    """What to tell of each."""
    held = "no photo is held out by it; list others there"
    return tuple(
        f"{file}: {split} lists the photos of {kept} once more: they are kept as {kept}"
        + (f", and {held}" if kept == "train" else "")
        for split, kept in repeats.items()
    )
