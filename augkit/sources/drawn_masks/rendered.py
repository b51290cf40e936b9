"""Masks of rendered cars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from augkit.core.classes import CarClass
from augkit.core.parts import BACKGROUND, Mask, PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow
from augkit.data.pair_files import read_mask
from augkit.sources.drawn_masks import MASK_ORIGINS, Draw
from augkit.sources.render.fitted_cars import FittedCars, rendered_mask
from augkit.sources.render.rendered_parts import own_parts

FITTED_TO = 300
"""Real masks that cars are fitted to, at most."""


class RenderedMasks:
    """Cars of any view and door count; see ``FittedCars``."""

    version = "rendered-1"
    """Raised with every change of what is drawn."""

    def check(self, schema: PartSchema) -> None:
        """See ``MaskOrigin``."""
        own_parts(schema)

    def fit(self, workspace: Workspace, rows: Sequence[CatalogueRow], schema: PartSchema, seed: int) -> FittedCars:
        """Cars like those of the rows, of at most ``FITTED_TO`` of them."""
        some = rows[:: -(-len(rows) // FITTED_TO)]
        return FittedCars.to(((read_mask(workspace.mask(row.id)), row.car_class) for row in some), schema, seed)

    def drawing(self, fitted: FittedCars | None, schema: PartSchema, body: int | None) -> Draw:
        """See ``MaskOrigin``."""
        cars, own = fitted or FittedCars(), own_parts(schema)

        def one(car_class: CarClass, seed: int, size: int) -> Mask:
            drawn = rendered_mask(car_class, seed, size, own, cars)
            if body is None:
                return drawn.mask
            return np.where(drawn.silhouette & (drawn.mask == BACKGROUND), np.uint8(body), drawn.mask)

        return lambda car_class, seeds, size: np.stack([one(car_class, seed, size) for seed in seeds])


MASK_ORIGINS.register("rendered")(RenderedMasks())
