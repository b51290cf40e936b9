"""Tables of real pairs: by class and split, and by part."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from augkit.data.audit.overview import Overview
from augkit.data.catalogue import SPLITS, CatalogueRow, count_classes, count_splits, mean_confidence


def class_table(rows: Sequence[CatalogueRow]) -> Table:
    """Usable pairs by class and split, with the mean confidence of the orientation."""
    table = _numbers("class", ("pairs", *SPLITS, "confidence"), "Real pairs")
    splits, confidence = count_splits(rows), mean_confidence(rows)
    for car_class, count in count_classes(rows).items():
        shares = [str(splits[car_class][split]) for split in SPLITS]
        table.add_row(car_class.name, str(count), *shares, f"{confidence[car_class]:.2f}")
    table.add_section()
    totals = [str(sum(by_split[split] for by_split in splits.values())) for split in SPLITS]
    table.add_row("all", str(sum(count_classes(rows).values())), *totals)
    return table


def class_counts(rows: Sequence[CatalogueRow]) -> dict[str, dict[str, float]]:
    """The same as plain data, by class name."""
    splits, confidence = count_splits(rows), mean_confidence(rows)
    return {
        car_class.name: {"pairs": count}
        | {str(split): number for split, number in splits[car_class].items()}
        | {"confidence": round(confidence[car_class], 4)}
        for car_class, count in count_classes(rows).items()
    }


def split_table(overview: Overview) -> Table:
    """Pairs by class and split."""
    table = _numbers("class", ("pairs", *SPLITS), "Pairs by class")
    for name, splits in overview.classes.items():
        table.add_row(name, str(sum(splits.values())), *(str(splits[split]) for split in SPLITS))
    return table


def part_table(overview: Overview) -> Table:
    """Pixels by part, with their share of all pixels of cars and the pairs that show it."""
    table = _numbers("part", ("share of the cars' pixels", "pairs that show it"), "Pixels by part")
    for part in overview.parts:
        table.add_row(part.name, f"{part.share:.2%}", str(part.pairs))
    return table


def _numbers(first: str, columns: Sequence[str], title: str) -> Table:
    table = Table(first, title=title)
    for column in columns:
        table.add_column(column, justify="right")
    return table
