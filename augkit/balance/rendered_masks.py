"""Masks of rendered cars as a source of masks beside stage I: for classes of which there are few photos or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from augkit.core.classes import CarClass
from augkit.gan.generated import MaskDraw
from augkit.sources.drawn_masks import MASK_ORIGINS, Draw, MaskOrigin

if TYPE_CHECKING:
    import torch


def rendered_masks() -> MaskOrigin:
    """Where they come from."""
    return MASK_ORIGINS["rendered"]


@dataclass(frozen=True)
class DrawnMaskSource:
    """A ``MaskSource`` without a network."""

    drawing: Draw

    def sample(self, car_class: CarClass, seeds: Sequence[int], size: int) -> MaskDraw:
        """New masks of one class, (len(seeds), size, size)."""
        return MaskDraw(self.drawing(car_class, seeds, size), [{} for _ in seeds])

    def on(self, device: torch.device) -> DrawnMaskSource:
        """Itself: it draws on the processor."""
        del device
        return self

    def prefer(self, hardness: Sequence[float], power: float) -> None:
        """Without effect: it starts from no real mask."""
