from __future__ import annotations

from augkit.core.classes import Doors
from augkit.core.parts import PartSchema
from augkit.data.catalogue import CatalogueRow
from augkit.data.unknown_doors import unknown_doors
from augkit.sources.render import render_schema

SCHEMA = render_schema()


def row(schema: PartSchema, doors: Doors, **areas: int) -> CatalogueRow:
    """A photo whose mask shows so many pixels of each part."""
    histogram = [areas.get(name, 0) for name in schema.names]
    return CatalogueRow("x", "coco", "x.jpg", size=64, histogram=histogram, doors=doors, confidence=0.16)


def test_it_is_said_why_doors_are_unknown() -> None:
    rows = [
        row(SCHEMA, "unknown", hood=500), row(SCHEMA, "unknown", hood=900, front_left_door=1),
        row(SCHEMA, "unknown", hood=500, front_left_door=100), row(SCHEMA, "5", back_left_door=100),
    ]  # fmt: skip
    text = unknown_doors(rows, SCHEMA)
    assert "doors unknown in 3 of 4 photos" in text and "2 show no side of the car" in text
    assert "1 shows a front door" in text and "0.16 on average" in text


def test_parts_that_name_no_door_are_said() -> None:
    schema = PartSchema.from_names(["hood", "trunk"])
    assert "no part is named a door" in unknown_doors([row(schema, "unknown", hood=9)], schema)


def test_nothing_is_said_where_all_doors_are_known() -> None:
    assert unknown_doors([row(SCHEMA, "5", hood=9)], SCHEMA) == ""
