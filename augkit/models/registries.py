"""The kinds of networks and what each must offer.

==================  ============================================================================================
kind                builder ``(schema channels, size, options) -> module``
==================  ============================================================================================
mask model          ``MaskModel``: makes part masks from a latent vector and a class number
photo generator     ``(N, C, H, W)`` condition -> ``(N, 3, H, W)`` photo in [-1, 1]; ``divisor`` divides H and W
segmenter           ``(N, 3, H, W)`` photo in [-1, 1] -> ``(N, K, H, W)`` logits; ``divisor`` divides H and W
==================  ============================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from augkit.registry import Registry


@dataclass(frozen=True)
class MaskModel:
    """A stage-I network family.

    ``generator(z (N, latent), classes (N,)) -> (N, K, size, size) logits`` where ``output`` is ``categorical``, or
    ``(N, 3, size, size)`` in [-1, 1] where it is ``rgb``. ``opponent`` is the encoder of a VAE
    (``(N, K, size, size), (N,) -> mean, log-variance``) or the discriminator of a GAN
    (``(N, C, size, size), (N,) -> (N,)`` scores); ``kind`` says which.
    """

    kind: Literal["vae", "gan"]
    output: Literal["categorical", "rgb"]
    latent: int
    generator: nn.Module
    opponent: nn.Module


MASK_MODELS: Registry[Callable[..., MaskModel]] = Registry("mask model", "augkit.models")
PHOTO_GENERATORS: Registry[Callable[..., nn.Module]] = Registry("photo generator", "augkit.models")
SEGMENTERS: Registry[Callable[..., nn.Module]] = Registry("segmenter", "augkit.models")
