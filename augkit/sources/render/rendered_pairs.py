"""Rendered cars in the form of shards, with the parts of another schema: what a segmenter may start from."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from augkit.core.errors import DataError
from augkit.core.parts import BACKGROUND, IGNORE, Mask, PartSchema, histogram
from augkit.data.crop import Photo, canonical_window, cut
from augkit.data.samples import Sample
from augkit.shards.codec import encode_mask, encode_photo
from augkit.sources.render.cars import render_schema
from augkit.sources.render.rendered_samples import even_counts, rendered_sample

MARGIN = 0.06
"""Around a car, of its longer side: that of imports by default."""


class RenderedPairs:
    """A table of ``draw_pairs``: the interface of ``EncodedPairs``."""

    def __init__(self, schema: PartSchema, table: pa.Table) -> None:
        self.schema, self.index = schema, table.select(["key", "source", "class", "histogram"])
        self._photos, self._masks = table["photo"], table["mask"]

    def __len__(self) -> int:
        return len(self.index)

    @property
    def classes(self) -> list[str]:
        """The class name of each pair."""
        return list(self.index["class"].to_pylist())

    def raw(self, index: int) -> tuple[bytes, bytes]:
        """The encoded bytes of photo and mask."""
        return self._photos[index].as_py(), self._masks[index].as_py()


def draw_pairs(schema: PartSchema, count: int, size: int, seed: int) -> pa.Table:
    """``count`` cars of ``size`` px, spread over the classes with known doors, as encoded pairs.

    Parts that the schema does not have are background. Raises DataError where it has parts that no rendered car shows:
    they would be taught as background.
    """
    own = own_parts(schema)
    rows: list[dict[str, Any]] = []
    for car_class, number in even_counts(count).items():
        for place in range(number):
            photo, mask = cut_car(rendered_sample(car_class, place, size, seed), own, size)
            rows.append(
                {
                    "key": f"rendered-{len(rows)}", "source": "rendered", "class": car_class.name,
                    "histogram": histogram(mask, schema.channels).tolist(), "photo": encode_photo(photo)[0],
                    "mask": encode_mask(mask),
                }
            )  # fmt: skip
    return pa.Table.from_pylist(rows)


def own_parts(schema: PartSchema) -> NDArray[np.uint8]:
    """(256,) the schema's part id of each id of a rendered mask; names may be spelt in other ways.

    Raises DataError, see ``draw_pairs``.
    """
    drawn, unknown = _spelt(), not_drawn(schema)
    if unknown:
        raise DataError(
            f"no rendered car shows {', '.join(unknown)}", f"parts among {', '.join(render_schema().names[1:])}",
            "leave rendered_steps at 0",
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
