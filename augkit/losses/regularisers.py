"""What is added to a player's loss to keep D, G or the latents in bounds."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

Score = Callable[[Tensor], Tensor]
"""Pictures (N, ...) -> scores (N,), one a picture, each a function of its own picture alone."""


def r1(score: Score, real: Float[Tensor, "n ..."]) -> Float[Tensor, ""]:
    """E ||d score / d x||^2 / 2 on real pictures (Mescheder et al. 2018, eq. 9, without its weight)."""
    return _gradients(score, real).square().sum(1).mean() / 2


def gradient_penalty(
    score: Score, real: Float[Tensor, "n ..."], fake: Float[Tensor, "n ..."], place: Float[Tensor, " n"]
) -> Float[Tensor, ""]:
    """E (||d score / d x|| - 1)^2 at x = place * real + (1 - place) * fake (Gulrajani et al. 2017, eq. 3).

    ``place`` is uniform on [0, 1).
    """
    # The norm's derivative is infinite at 0.
    gradients = _gradients(score, _between(real, fake, place))
    return ((gradients.square().sum(1) + 1e-12).sqrt() - 1).square().mean()


def place_gradient_penalty(
    score: Score, real: Float[Tensor, "n c h w"], fake: Float[Tensor, "n c h w"], place: Float[Tensor, " n"]
) -> Float[Tensor, ""]:
    """E (||d sum of scores / d x_p|| - 1)^2 over the pixels p of what lies between real and fake.

    The form for a D whose scores are a map of patches (Shaham et al. 2019, code): the norm is over a pixel's channels,
    so that neither the penalty nor D's mean score depends on the size of the picture.
    """
    gradients = _gradients(score, _between(real, fake, place)).view_as(real)
    return ((gradients.square().sum(1) + 1e-12).sqrt() - 1).square().mean()


def lecam(
    real: Float[Tensor, " n"], fake: Float[Tensor, " n"], real_mean: Float[Tensor, ""], fake_mean: Float[Tensor, ""]
) -> Float[Tensor, ""]:
    """E relu(D(x) - a_F)^2 + E relu(a_R - D(G(z)))^2 (Tseng et al. 2021, eq. 6).

    ``real_mean`` (a_R) and ``fake_mean`` (a_F) are the moving averages of D's mean scores.
    """
    return functional.relu(real - fake_mean).square().mean() + functional.relu(real_mean - fake).square().mean()


def latent_moves(moves: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """E ||dz||^2 (Wu et al. 2019, eq. 10, without its weight)."""
    return moves.float().square().sum(1).mean()


def orthogonality(module: nn.Module) -> Float[Tensor, ""]:
    """Sum over the weights W (one row an output) of ||W W^T * (1 - I)||_F^2 (Brock et al. 2019, eq. 3).

    The rows' own lengths are free. Biases, norms and embeddings are left out.
    """
    total = torch.zeros(())
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            weight = layer.weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else layer.weight
            rows = weight.flatten(1).float()
            products = rows @ rows.T
            total = total.to(products.device) + (products - torch.diag(products.diagonal())).square().sum()
    return total


def _between(real: Tensor, fake: Tensor, place: Tensor) -> Tensor:
    """place * real + (1 - place) * fake, without their graphs."""
    weight = place.view(-1, *[1] * (real.dim() - 1)).to(real.dtype)
    return weight * real.detach() + (1 - weight) * fake.detach()


def _gradients(score: Score, pictures: Tensor) -> Float[Tensor, "n d"]:
    """(N, D) gradients of each picture's score, through which one can go on to train."""
    inputs = pictures.detach().requires_grad_()
    [gradients] = torch.autograd.grad(score(inputs).float().sum(), inputs, create_graph=True)
    return gradients.flatten(1).float()
