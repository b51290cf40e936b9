"""Rendered cars with the parts of another schema."""

from __future__ import annotations

import pytest

from augkit.core.errors import DataError
from augkit.core.parts import IGNORE, PartSchema
from augkit.sources.render import render_schema
from augkit.sources.render.rendered_parts import own_parts


def test_parts_keep_their_names_whatever_their_order_and_spelling() -> None:
    drawn = render_schema().names[1:]
    table = own_parts(PartSchema.from_names([name.replace("_", "-").title() for name in reversed(drawn)]))
    assert [int(table[id]) for id in range(1, len(drawn) + 1)] == list(range(len(drawn), 0, -1))
    assert table[0] == 0 and table[IGNORE] == IGNORE


def test_what_the_schema_lacks_is_background_and_what_no_car_shows_is_refused() -> None:
    drawn = render_schema()
    table = own_parts(PartSchema.from_names(["wheel", "hood"]))
    assert {name: int(table[drawn.id_of(name)]) for name in ("wheel", "hood", "trunk")} == {
        "wheel": 1, "hood": 2, "trunk": 0,
    }  # fmt: skip
    with pytest.raises(DataError, match=r"no rendered car shows roof(.|\n)*leave rendered cars out"):
        own_parts(PartSchema.from_names(["wheel", "roof"]))
