"""Rendered cars with the parts of another schema, cut as imports cut photos."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import DataError
from augkit.core.parts import BACKGROUND, IGNORE, Mask, PartSchema
from augkit.data.crop import Photo, canonical_window, cut
from augkit.data.samples import Sample
from augkit.sources.render.cars import render_schema

MARGIN = 0.06
"""Around a car, of its longer side: that of imports by default."""


def own_parts(schema: PartSchema) -> NDArray[np.uint8]:
    """(256,) the schema's part id of each id of a rendered mask; names may be spelt in other ways.

    Parts that the schema does not have are background. Raises DataError where it has parts that no rendered car shows:
    they would be taught as background.
    """
    drawn, unknown = _spelt(), not_drawn(schema)
    if unknown:
        raise DataError(
            f"no rendered car shows {', '.join(unknown)}", f"parts among {', '.join(render_schema().names[1:])}",
            "leave rendered cars out (segmenter.rendered_steps, --sources rendered)",
        )  # fmt: skip
    table = np.full(256, BACKGROUND, np.uint8)
    table[IGNORE] = IGNORE
    for id, part in enumerate(schema.part_names, 1):
        table[drawn[part.spelling]] = id
    return table


def not_drawn(schema: PartSchema) -> list[str]:
    """Parts that no rendered car shows."""
    drawn = _spelt()
    return [part.name for part in schema.part_names if part.spelling not in drawn]


def _spelt() -> dict[Hashable, int]:
    return {part.spelling: id for id, part in enumerate(render_schema().part_names, 1)}


def cut_car(car: Sample, own: NDArray[np.uint8], size: int) -> tuple[Photo, Mask]:
    """A rendered car's (size, size, 3) photo and (size, size) mask, whose ids ``own`` names."""
    assert isinstance(car.photo, np.ndarray) and isinstance(car.mask, np.ndarray)  # drawn, not read
    mask = np.asarray(own[car.mask], np.uint8)
    return cut(car.photo, mask, canonical_window(car.mask, MARGIN), size)
