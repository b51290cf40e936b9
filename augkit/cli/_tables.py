"""Tables that more than one verb prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from augkit.data.catalogue import SPLITS, CatalogueRow, count_classes, count_splits, mean_confidence

if TYPE_CHECKING:
    from rich.table import Table

    from augkit.data.audit.overview import Overview


def class_table(rows: Sequence[CatalogueRow]) -> Table:
    """Usable pairs by class and split, with the mean confidence of the orientation."""
    from rich.table import Table

    table = Table("class", title="Real pairs")
    for column in ("pairs", *SPLITS, "confidence"):
        table.add_column(column, justify="right")
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


def overview_tables(overview: Overview) -> tuple[Table, Table]:
    """Pairs by class and split; pixels by part, with their share of all pixels of cars and the pairs that show it."""
    from rich.table import Table

    classes = Table("class", title="Pairs by class")
    for column in ("pairs", *SPLITS):
        classes.add_column(column, justify="right")
    for name, splits in overview.classes.items():
        classes.add_row(name, str(sum(splits.values())), *(str(splits[split]) for split in SPLITS))
    parts = Table("part", title="Pixels by part")
    for column in ("share of the cars' pixels", "pairs that show it"):
        parts.add_column(column, justify="right")
    for part in overview.parts:
        parts.add_row(part.name, f"{part.share:.2%}", str(part.pairs))
    return classes, parts
