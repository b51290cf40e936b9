"""Initial weights, by name. Each function draws every layer anew, in place, and returns the module.

Weights: convolutions, transposed convolutions, linear layers and embeddings, also those under spectral norm, whose
largest singular value is then estimated again. Biases become 0; norm layers weigh 1 (DCGAN's: N(1, .02)). The class
vector beside z (``ClassInput``) is an input rather than a weight, and is left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from augkit.models.conditioning import ClassInput

M = TypeVar("M", bound=nn.Module)

POWER_ITERATIONS = 15
"""As many as PyTorch runs when it first normalises a layer."""

_WEIGHTED = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.Embedding)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm)


def normal(module: M, std: float = 0.02) -> M:
    """N(0, .02), norm weights N(1, .02) (Radford et al. 2016)."""
    return _draw(module, lambda weight: nn.init.normal_(weight, 0.0, std), lambda w: nn.init.normal_(w, 1.0, std))


def xavier(module: M) -> M:
    """U(-a, a), a = sqrt(6 / (fan in + fan out)) (Glorot and Bengio 2010, eq. 16)."""
    return _draw(module, nn.init.xavier_uniform_, nn.init.ones_)


def orthogonal(module: M) -> M:
    """Orthonormal columns, or rows where the matrix is wide (Saxe et al. 2014); all dimensions but the first are one.

    A transposed convolution's first dimension is its input: each input channel paints a patch, and the patches are
    orthonormal.
    """
    return _draw(module, nn.init.orthogonal_, nn.init.ones_)


INITIALISATIONS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "normal": normal,
    "xavier": xavier,
    "orthogonal": orthogonal,
}


@torch.no_grad()
def _draw(module: M, draw: Callable[[Tensor], Tensor], draw_norm: Callable[[Tensor], Tensor]) -> M:
    for layer in module.modules():
        if isinstance(layer, _WEIGHTED) and not isinstance(layer, ClassInput):
            _draw_weight(layer, draw)
        elif isinstance(layer, _NORMS) and layer.affine:
            draw_norm(layer.weight)
        else:
            continue
        bias = getattr(layer, "bias", None)
        if bias is not None:
            nn.init.zeros_(bias)
    return module


def _draw_weight(layer: nn.Module, draw: Callable[[Tensor], Tensor]) -> None:
    """Draws what the layer stores: its weight, or the one that spectral norm divides."""
    if not parametrize.is_parametrized(layer, "weight"):
        draw(layer.get_parameter("weight"))
        return
    draw(layer.get_parameter("parametrizations.weight.original"))
    chain = layer.get_submodule("parametrizations.weight")
    training = chain.training
    chain.train()  # power iteration runs in training alone
    for _ in range(POWER_ITERATIONS):
        chain()
    chain.train(training)
