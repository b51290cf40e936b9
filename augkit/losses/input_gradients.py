"""How fast a score changes with the picture: what gradient penalties are made of."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

PictureScore = Callable[[Tensor], Tensor]
"""Pictures (N, ...) -> scores (N, ...), those of a picture a function of this picture alone."""


def input_gradients(score: PictureScore, pictures: Float[Tensor, "n ..."]) -> Float[Tensor, "n d"]:
    """(N, D) gradients of each picture's scores, through which one can go on to train."""
    inputs = pictures.detach().requires_grad_()
    [gradients] = torch.autograd.grad(score(inputs).float().sum(), inputs, create_graph=True)
    return gradients.flatten(1).float()
