"""Tables that more than one verb prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from augkit.data.catalogue import SPLITS, CatalogueRow, count_classes, count_splits, mean_confidence, usable

if TYPE_CHECKING:
    from rich.table import Table


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
    table.add_row("all", str(len(usable(rows))), *totals)
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
