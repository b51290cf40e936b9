"""Distances between lists of feature maps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def feature_matching(real: Sequence[Sequence[Tensor]], fake: Sequence[Sequence[Tensor]]) -> Float[Tensor, ""]:
    """Mean L1 over D's layers but the last, averaged over the scales (Wang et al. 2018, eq. 4).

    ``real`` and ``fake``: for each scale the features of every layer, the scores last. ``real`` is not trained through.
    pix2pixHD sums over its n_layers + 1 layers with weight 10 * 4/(n_layers + 1) / n_scales: 40 times this mean.
    """
    scales = []
    for real_scale, fake_scale in zip(real, fake, strict=True):
        layers = [
            functional.l1_loss(f.float(), r.detach().float())
            for r, f in zip(real_scale[:-1], fake_scale[:-1], strict=True)
        ]
        scales.append(torch.stack(layers).mean())
    return torch.stack(scales).mean()


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
