"""The Sinkhorn divergence between two sets of embedded patches, in the log domain.

    S(x, y) = 2 W(x, y) - W(x, x) - W(y, y)

W is the optimal transport between uniform weights at entropy epsilon, as the value of its dual (Feydy et al. 2019,
eq. 8); with exp(-C / epsilon) positive definite, as it is for ``patch_cost``, the divergence is a distance.

    W = max over f, g of  mean f + mean g - epsilon (mean exp((f + g - C) / epsilon) - 1)

The maximum is approached by averaged Sinkhorn updates, f <- (f + T(g)) / 2 and g <- (g + T(f)) / 2 at once. Each T
maximises the dual in its own variable and the dual is concave, so no update lowers it; within one set they halve the
error each time. The potentials of (x, y) start from those of (x, x) and (y, y): there S is epsilon times a squared
kernel norm, which is never negative, and the updates only raise it. So S >= 0 after any number of iterations, S(x, x)
vanishes as fast as W(x, x) converges, and S(x, y) = S(y, x).
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

EPSILON, ITERATIONS = 0.1, 20

Points = Float[Tensor, "p d"]
Potential = Float[Tensor, " p"]
Potentials = tuple[Tensor, Tensor]
"""f (P,) and g (Q,)."""


def sinkhorn_divergence(
    x: Points,
    y: Float[Tensor, "q d"],
    places: tuple[Float[Tensor, "p 2"], Float[Tensor, "q 2"]] | None = None,
    epsilon: float = EPSILON,
    iterations: int = ITERATIONS,
) -> Float[Tensor, ""]:
    """2 W(x, y) - W(x, x) - W(y, y) >= 0; ``places`` are those of the patches in their pictures, each in 0..1.

    The gradient is that of the dual at the potentials that were found, which are held (Danskin's theorem).
    """
    at_x, at_y = places if places is not None else (None, None)
    across, within_x, within_y = (
        patch_cost(x, y, at_x, at_y),
        patch_cost(x, x, at_x, at_x),
        patch_cost(y, y, at_y, at_y),
    )
    with torch.no_grad():
        of_x = _ascend(within_x, (within_x.new_zeros(len(x)), within_x.new_zeros(len(x))), epsilon, iterations)
        of_y = _ascend(within_y, (within_y.new_zeros(len(y)), within_y.new_zeros(len(y))), epsilon, iterations)
        between = _ascend(across, (of_x[0], of_y[0]), epsilon, iterations)
    apart = _dual(across, between, epsilon)
    return 2 * apart - _dual(within_x, of_x, epsilon) - _dual(within_y, of_y, epsilon)


def patch_cost(
    x: Points, y: Float[Tensor, "q d"], at_x: Tensor | None = None, at_y: Tensor | None = None
) -> Float[Tensor, "p q"]:
    """1 - cosine, plus half the distance of the places over the diagonal of the picture where places are given."""
    cost = 1 - functional.normalize(x.float(), dim=1) @ functional.normalize(y.float(), dim=1).T
    if at_x is None or at_y is None:
        return cost
    return cost + 0.5 * torch.cdist(at_x.float(), at_y.float()) / math.sqrt(2)


def _ascend(cost: Tensor, start: Potentials, epsilon: float, iterations: int) -> Potentials:
    """Potentials after so many averaged updates."""
    f, g = start
    for _ in range(iterations):
        f, g = (f + _best(cost, g, epsilon)) / 2, (g + _best(cost.T, f, epsilon)) / 2
    return f, g


def _best(cost: Tensor, other: Potential, epsilon: float) -> Potential:
    """The potential that maximises the dual against the other one: a soft minimum of cost - other."""
    return -epsilon * (((other - cost) / epsilon).logsumexp(1) - math.log(cost.shape[1]))


def _dual(cost: Tensor, potentials: Potentials, epsilon: float) -> Float[Tensor, ""]:
    """The dual's value, a lower bound of W."""
    f, g = potentials
    mass = ((f[:, None] + g - cost) / epsilon).exp().mean()
    return f.mean() + g.mean() - epsilon * (mass - 1)
