"""Masks that no network draws, as geometry beside stage I. One file a source; each registers a ``MaskOrigin``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

from augkit.core.classes import CarClass
from augkit.core.parts import Mask, PartSchema
from augkit.core.registry import Registry
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow

Draw: TypeAlias = Callable[[CarClass, Sequence[int], int], Mask]
"""A class, seeds and a size -> (len(seeds), size, size) part ids, each a function of its seed."""


class MaskOrigin(Protocol):
    """Where such masks come from. ``version`` names them in the index, as models name those of stage I."""

    version: str

    def check(self, schema: PartSchema) -> None:
        """Raises DataError where masks with these parts cannot be drawn."""

    def fit(self, workspace: Workspace, rows: Sequence[CatalogueRow], schema: PartSchema, seed: int) -> Any:
        """What to draw so that masks look like those of the rows; a few kilobytes that can be pickled."""

    def drawing(self, fitted: Any, schema: PartSchema, body: int | None) -> Draw:
        """What draws masks by ``fit``'s answer, or by None at random; with the part ``body`` where it has an id."""


MASK_ORIGINS: Registry[MaskOrigin] = Registry("origin of masks", "augkit.sources.drawn_masks")
