"""Rendered cars in the form of shards, with the parts of another schema: what a segmenter may start from."""

from __future__ import annotations

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
    """``count`` cars of ``size`` px, spread over the classes with known doors: the interface of ``EncodedPairs``.

    Parts that the schema does not have are background. Raises DataError where it has parts that no rendered car shows:
    they would be taught as background.
    """

    def __init__(self, schema: PartSchema, count: int, size: int, seed: int) -> None:
        self.schema = schema
        own = own_parts(schema)
        self._bytes: list[tuple[bytes, bytes]] = []
        self._classes: list[str] = []
        histograms = []
        for car_class, number in even_counts(count).items():
            for place in range(number):
                photo, mask = _cut(rendered_sample(car_class, place, size, seed), own, size)
                self._bytes.append((encode_photo(photo)[0], encode_mask(mask)))
                self._classes.append(car_class.name)
                histograms.append(histogram(mask, schema.channels).tolist())
        keys = [f"rendered-{number}" for number in range(len(self))]
        self.index = pa.table({"key": keys, "source": ["rendered"] * len(keys), "histogram": histograms})

    def __len__(self) -> int:
        return len(self._bytes)

    @property
    def classes(self) -> list[str]:
        """The class name of each pair."""
        return list(self._classes)

    def raw(self, index: int) -> tuple[bytes, bytes]:
        """The encoded bytes of photo and mask."""
        return self._bytes[index]


def own_parts(schema: PartSchema) -> NDArray[np.uint8]:
    """(256,) the schema's part id of each id of a rendered mask; names may be spelt in other ways.

    Raises DataError, see ``RenderedPairs``.
    """
    drawn = {part.spelling: id for id, part in enumerate(render_schema().part_names, 1)}
    unknown = [part.name for part in schema.part_names if part.spelling not in drawn]
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


def _cut(car: Sample, own: NDArray[np.uint8], size: int) -> tuple[Photo, Mask]:
    assert isinstance(car.photo, np.ndarray) and isinstance(car.mask, np.ndarray)  # drawn, not read
    mask = np.asarray(own[car.mask], np.uint8)
    return cut(car.photo, mask, canonical_window(car.mask, MARGIN), size)
