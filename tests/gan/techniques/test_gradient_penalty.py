"""Gradient penalties against their closed forms."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from augkit.gan.techniques.gradient_penalty import gradient_penalty, place_gradient_penalty

NUMBERS = st.floats(-3, 3)


@given(st.tuples(NUMBERS, NUMBERS), st.floats(0, 1))
def test_the_gradient_penalty_is_the_slopes_distance_from_1(slope: tuple[float, float], place: float) -> None:
    w = torch.tensor(slope)
    real, fake = torch.randn(4, 2), torch.randn(4, 2)
    penalty = gradient_penalty(lambda x: x @ w, real, fake, torch.full((4,), place))
    assert float(penalty) == pytest.approx((float(w.norm()) - 1) ** 2, abs=1e-4)


def test_the_gradient_penalty_looks_between_real_and_fake() -> None:
    seen: list[torch.Tensor] = []

    def score(x: torch.Tensor) -> torch.Tensor:
        seen.append(x)
        return x.sum(1)

    real, fake = torch.ones(2, 3), torch.zeros(2, 3)
    gradient_penalty(score, real, fake, torch.tensor([0.25, 1.0]))
    torch.testing.assert_close(seen[0].detach(), torch.tensor([[0.25] * 3, [1.0] * 3]))


def test_a_flat_score_has_a_finite_gradient() -> None:
    layer = nn.Linear(2, 1, bias=False)
    nn.init.zeros_(layer.weight)
    gradient_penalty(lambda x: layer(x)[:, 0], *torch.randn(2, 3, 2), torch.rand(3)).backward()
    assert layer.weight.grad is not None and layer.weight.grad.isfinite().all()


def test_the_penalty_by_place_is_the_slopes_distance_from_1_at_every_pixel() -> None:
    """Scores w . x_p a pixel: the gradient is w everywhere, however large the picture is."""
    w = torch.tensor([0.6, -1.1, 0.2])
    for side in (2, 5):
        pictures = torch.randn(2, 2, 3, side, side)
        penalty = place_gradient_penalty(lambda x: torch.einsum("nchw,c->nhw", x, w), *pictures, torch.rand(2))
        assert float(penalty) == pytest.approx((float(w.norm()) - 1) ** 2, abs=1e-4)


def test_the_penalty_by_place_takes_the_norm_over_a_pixels_channels() -> None:
    """Only the left of two pixels counts: its slope is 2, the other's 0."""
    weights = torch.tensor([2.0, 0.0]).view(1, 1, 1, 2)
    pictures = torch.randn(2, 1, 1, 1, 2)
    penalty = place_gradient_penalty(lambda x: x * weights, *pictures, torch.rand(1))
    assert float(penalty) == pytest.approx(((2 - 1) ** 2 + (0 - 1) ** 2) / 2, abs=1e-4)
