"""What trained stages give, and how they are asked for it: all that whoever uses them has to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from augkit.core.classes import CarClass
from augkit.core.parts import Mask
from augkit.data.pair import Pair

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class MaskDraw:
    """``masks`` (N, S, S) part ids and, per mask, how far the network's output was from an exact one."""

    masks: Mask
    scores: list[dict[str, float]]


@dataclass(frozen=True)
class GeneratedPhotos:
    """``photos`` (N, S, S, 3), and the id of each one's exemplar."""

    photos: NDArray[np.uint8]
    exemplars: list[str]


@dataclass(frozen=True)
class Exemplar:
    """A pair whose appearance photos take over; ``name`` is its id, ``mirrored`` whether it is its mirror image."""

    pair: Pair
    name: str
    mirrored: bool


class MaskSource(Protocol):
    """A trained stage I."""

    def sample(self, car_class: CarClass, seeds: Sequence[int], size: int) -> MaskDraw:
        """New masks of one class, (len(seeds), size, size)."""

    def on(self, device: torch.device) -> object:
        """Draws there from now on."""

    def prefer(self, hardness: Sequence[float], power: float) -> None:
        """Masks like harder ones come more often from now on, where it starts from real ones."""


class PhotoSource(Protocol):
    """A trained stage II."""

    def on(self, device: torch.device) -> object:
        """Paints there from now on."""

    def offer(self, pairs: Sequence[Pair], names: Sequence[str]) -> None:
        """More exemplars from now on."""

    def paint(
        self, masks: Mask, car_class: CarClass, seeds: Sequence[int], exemplar: Exemplar | None = None
    ) -> GeneratedPhotos:
        """(N, S, S) part ids -> photos, each after the exemplar that its seed draws, or all after the given one."""
