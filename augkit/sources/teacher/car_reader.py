"""Segmenters together as one reader: the mean of their chances, over mirror images and several sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from augkit.core.parts import Mask, PartSchema
from augkit.data.crop import Photo, Window, cut_photo, resize_photo
from augkit.data.pair import photos_to_tensor

WHOLE = (1.0, 2.0)
"""Scales at which a whole photo is read: a car in it is smaller than those that the segmenters were trained on."""
_BOTH = (False, True)


@dataclass(frozen=True)
class Chances:
    """(K, s, s) what each pixel of a square may be; ``read`` is the likeliest, ``confidence`` its chance."""

    of_parts: NDArray[np.float32]

    @property
    def read(self) -> Mask:
        """(s, s) part ids."""
        return np.asarray(self.of_parts.argmax(0), np.uint8)

    @property
    def confidence(self) -> NDArray[np.float32]:
        """(s, s) chances of what was read."""
        return np.asarray(self.of_parts.max(0))

    def enlarged(self, size: int) -> Chances:
        """At (size, size), between pixels."""
        enlarged = functional.interpolate(torch.from_numpy(self.of_parts)[None], size=(size, size), mode="bilinear")
        return Chances(enlarged[0].numpy())


class CarReader:
    """``networks`` read photos of ``size`` px (logits of a schema's parts), each photo at all ``scales``."""

    def __init__(self, networks: Sequence[nn.Module], size: int, schema: PartSchema, scales: Sequence[float]) -> None:
        self.networks, self.size, self.schema, self.scales = list(networks), size, schema, tuple(scales)
        self._swapped = torch.from_numpy(schema.flip_table[: schema.channels].astype(np.int64))

    def alone(self, number: int) -> CarReader:
        """One of the networks by itself."""
        return CarReader([self.networks[number]], self.size, self.schema, self.scales)

    def chances(self, photo: Photo) -> Chances:
        """(S, S, 3) a square around a car -> chances at the networks' size."""
        return self._mean(photo, self.scales, self.size, _BOTH)

    def glance(self, photo: Photo) -> Chances:
        """The same in one pass a network: enough to tell where a car ends."""
        return self._mean(photo, (1.0,), self.size, (False,))

    def whole(self, photo: Photo) -> tuple[Chances, Window]:
        """(H, W, 3) a whole photo -> chances in the smallest square around it, at twice the networks' size."""
        height, width = photo.shape[:2]
        side = max(height, width)
        square = Window((width - side) // 2, (height - side) // 2, side)
        size = 2 * self.size
        return self._mean(cut_photo(photo, square, round(max(WHOLE) * self.size)), WHOLE, size, (False,)), square

    @torch.inference_mode()
    def _mean(self, photo: Photo, scales: Sequence[float], size: int, mirrors: Sequence[bool]) -> Chances:
        total = torch.zeros(self.schema.channels, size, size)
        for scale in scales:
            pictures = photos_to_tensor([resize_photo(photo, self._side(scale))])
            for network in self.networks:
                for mirrored in mirrors:
                    total += self._read(network, pictures, mirrored, size)
        return Chances((total / (len(scales) * len(self.networks) * len(mirrors))).numpy())

    def _read(
        self, network: nn.Module, pictures: Float[Tensor, "1 3 s s"], mirrored: bool, size: int
    ) -> Float[Tensor, "k n n"]:
        """One pass; what a mirror image shows is mirrored back, sides exchanged."""
        device = next(network.parameters()).device
        logits = network((pictures.flip(-1) if mirrored else pictures).to(device)).float().cpu()
        chances = functional.interpolate(logits.softmax(1), size=(size, size), mode="bilinear")[0]
        return chances.flip(-1)[self._swapped] if mirrored else chances

    def _side(self, scale: float) -> int:
        """The size in px at a scale, as the networks can take it."""
        divisor = int(self.networks[0].divisor)  # type: ignore[arg-type]
        return max(divisor, round(scale * self.size / divisor) * divisor)
