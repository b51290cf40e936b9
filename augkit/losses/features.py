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


def perceptual(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Float[Tensor, ""]:
    """Mean over the layers of |f - r| relative to the mean |r| of the layer (after Johnson et al. 2016, eq. 2).

    The relative form gives every layer of a network without unit-variance features the same say.
    """
    layers = []
    for r, f in zip(real, fake, strict=True):
        target = r.detach().float()
        layers.append(functional.l1_loss(f.float(), target) / target.abs().mean().clamp_min(1e-6))
    return torch.stack(layers).mean()
