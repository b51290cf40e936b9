"""Table of what a teacher kept, and how much of it is right."""

from __future__ import annotations

from rich.table import Table

from augkit.evaluate.hidden_labels import PartReadings, TeacherFigures


def teacher_table(found: TeacherFigures) -> Table:
    """A row a part."""
    table = Table(title=f"{found.pairs} pairs of {found.photos} photos with hidden labels")
    table.add_column("part", no_wrap=True)
    for column in ("true pixels", "kept", "right"):
        table.add_column(column, justify="right")
    for part in found.parts:
        table.add_row(*_cells(part))
    table.add_section()
    table.add_row(*_cells(found.whole))
    refused = [f"{count} refused, {reason}" for reason, count in found.refused.items()]
    table.caption = "\n".join([f"class right: {found.classes_right:.1%} of the pairs", *refused])
    return table


def _cells(part: PartReadings) -> tuple[str, str, str, str]:
    return part.name, str(part.pixels), f"{part.kept:.1%}", f"{part.right:.1%}"
