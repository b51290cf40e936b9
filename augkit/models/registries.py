"""The kinds of networks and what each must offer.

==================  ============================================================================================
kind                builder
==================  ============================================================================================
picture model       ``(channels, size, condition=0, **options) -> PictureModel``: a generator and a trunk
photo generator     ``(condition channels, **options) -> module``: ``(N, C, H, W)`` condition -> ``(N, 3, H, W)``
                    photo in [-1, 1]; ``divisor`` divides H and W
photo discriminator ``(channels, **options) -> PhotoDiscriminator``
perceptual network  ``(weights: Path | None) -> module``: ``(N, 3, H, W)`` photo in [-1, 1] -> its feature maps; frozen.
                    ``weights`` of the maps in the loss; ``relative``: whether each is measured against its mean size
segmenter           ``(parts, **options) -> module``: ``(N, 3, H, W)`` photo in [-1, 1] -> ``(N, K, H, W)`` logits;
                    ``divisor`` divides H and W; ``encoder`` is its pre-trained part, with a learning rate of its own
==================  ============================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from augkit.core.errors import ConfigError
from augkit.core.needs import BOUNDED_SLOPE, OWN_SCORE, Need
from augkit.core.registry import Registry


class Trunk(nn.Module):
    """Pictures (N, channels, size, size) -> features (N, ``features``): blocks one after the other.

    ``blocks`` run from the input side on, hold every parameter of the trunk, and each holds at least one: FreezeD
    freezes the first n of them. The last one flattens. ``spectral`` says that all its layers are under spectral norm,
    so that a discriminator's head should be too. ``gives`` is what techniques may count on in a discriminator of it.
    """

    def __init__(self, blocks: Sequence[nn.Module], features: int, spectral: bool = False) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.features, self.spectral = features, spectral

    @property
    def gives(self) -> frozenset[Need]:
        """A score for each picture alone where no layer mixes the batch; a bounded slope under spectral norm."""
        mixes = any(isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) for layer in self.modules())
        found = {OWN_SCORE: not mixes, BOUNDED_SLOPE: self.spectral}
        return frozenset(given for given, there in found.items() if there)

    def forward(self, pictures: Float[Tensor, "n c s s"]) -> Float[Tensor, "n f"]:
        """See the class."""
        x = pictures
        for block in self.blocks:
            x = block(x)
        return x


@dataclass(frozen=True)
class PictureModel:
    """Two networks that know nothing of classes, scores or activations; ``augkit.models.conditioning`` wraps them.

    ``generator(z (N, latent + condition)) -> (N, channels, size, size)`` raw pictures: no tanh, no softmax; a VAE's
    decoder counts as one. ``trunk`` is the discriminator's or the encoder's, without a head. ``channels`` are the
    K parts of a categorical mask or the 3 colours of a picture; ``condition`` is the width of the class embedding
    that joins z, 0 where there is none. ``kind`` says what the trunk was drawn for, a discriminator or an encoder.
    """

    kind: Literal["gan", "vae"]
    latent: int
    generator: nn.Module
    trunk: Trunk


class PhotoDiscriminator(nn.Module):
    """(N, C, H, W), a label map and after it a photo in [-1, 1] -> for each scale its layers' features, scores last."""

    @property
    def stacks(self) -> list[list[nn.Module]]:
        """The blocks of every scale, from the input on."""
        raise NotImplementedError

    @property
    def gives(self) -> frozenset[Need]:
        """What techniques may count on."""
        raise NotImplementedError

    def forward(self, x: Float[Tensor, "n c h w"]) -> list[list[Tensor]]:
        """See the class."""
        raise NotImplementedError


PICTURE_MODELS: Registry[Callable[..., PictureModel]] = Registry("picture model", "augkit.models")
PHOTO_GENERATORS: Registry[Callable[..., nn.Module]] = Registry("photo generator", "augkit.models")
PHOTO_DISCRIMINATORS: Registry[Callable[..., PhotoDiscriminator]] = Registry("photo discriminator", "augkit.models")
PERCEPTUAL_NETWORKS: Registry[Callable[..., nn.Module]] = Registry("perceptual network", "augkit.models")
SEGMENTERS: Registry[Callable[..., nn.Module]] = Registry("segmenter", "augkit.models")


def doublings(name: str, size: int, smallest: int = 16, largest: int = 1024) -> int:
    """log2 of the side. Raises ConfigError unless the side is a power of two within the bounds, in px."""
    if size & (size - 1) or not smallest <= size <= largest:
        raise ConfigError(
            f"{name} at {size} px", f"a power of two from {smallest} px to {largest} px",
            "set the size (mask.size, unconditional.size) to 64, 128 or 256",
        )  # fmt: skip
    return size.bit_length() - 1
