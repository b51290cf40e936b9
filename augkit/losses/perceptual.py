"""Distance of the feature maps that a frozen network makes of two pictures."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def perceptual(
    real: Sequence[Tensor], fake: Sequence[Tensor], weights: Sequence[float], relative: bool
) -> Float[Tensor, ""]:
    """Weighted sum over the layers of the mean |f - r| (Johnson et al. 2016, eq. 2; Wang et al. 2018, section 3.3).

    ``relative`` divides each layer's by its mean |r|: that gives every layer of a network without unit-variance
    features its weight's say. ``real`` is not trained through.
    """
    layers = []
    for r, f, weight in zip(real, fake, weights, strict=True):
        target = r.detach().float()
        size = target.abs().mean().clamp_min(1e-6) if relative else 1.0
        layers.append(weight * functional.l1_loss(f.float(), target) / size)
    return torch.stack(layers).sum()
