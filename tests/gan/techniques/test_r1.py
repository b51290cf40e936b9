"""R1 against its closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from augkit.gan.techniques.r1 import r1


def test_r1_of_a_linear_score_is_half_the_squared_slope() -> None:
    slope = torch.tensor([3.0, -4.0])
    assert float(r1(lambda x: x @ slope, torch.randn(5, 2))) == pytest.approx(12.5)


def test_r1_of_a_quadratic_score() -> None:
    """f = ||x||^2 / 2 has the gradient x."""
    x = torch.tensor([[1.0, 2.0], [0.0, 4.0]])
    assert float(r1(lambda x: x.square().sum(1) / 2, x).detach()) == pytest.approx((5 + 16) / 2 / 2)


def test_r1_trains_the_score() -> None:
    layer = nn.Linear(2, 1, bias=False)
    r1(lambda x: layer(x)[:, 0], torch.randn(3, 2)).backward()
    torch.testing.assert_close(layer.weight.grad, layer.weight.data)  # the gradient of ||w||^2 / 2
