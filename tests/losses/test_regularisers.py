"""Regularisers against their closed forms."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from augkit.losses import regularisers

NUMBERS = st.floats(-3, 3)


def test_r1_of_a_linear_score_is_half_the_squared_slope() -> None:
    slope = torch.tensor([3.0, -4.0])
    assert float(regularisers.r1(lambda x: x @ slope, torch.randn(5, 2))) == pytest.approx(12.5)


def test_r1_of_a_quadratic_score() -> None:
    """f = ||x||^2 / 2 has the gradient x."""
    x = torch.tensor([[1.0, 2.0], [0.0, 4.0]])
    assert float(regularisers.r1(lambda x: x.square().sum(1) / 2, x).detach()) == pytest.approx((5 + 16) / 2 / 2)


def test_r1_trains_the_score() -> None:
    layer = nn.Linear(2, 1, bias=False)
    regularisers.r1(lambda x: layer(x)[:, 0], torch.randn(3, 2)).backward()
    torch.testing.assert_close(layer.weight.grad, layer.weight.data)  # the gradient of ||w||^2 / 2


@given(st.tuples(NUMBERS, NUMBERS), st.floats(0, 1))
def test_the_gradient_penalty_is_the_slopes_distance_from_1(slope: tuple[float, float], place: float) -> None:
    w = torch.tensor(slope)
    real, fake = torch.randn(4, 2), torch.randn(4, 2)
    penalty = regularisers.gradient_penalty(lambda x: x @ w, real, fake, torch.full((4,), place))
    assert float(penalty) == pytest.approx((float(w.norm()) - 1) ** 2, abs=1e-4)


def test_the_gradient_penalty_looks_between_real_and_fake() -> None:
    seen: list[torch.Tensor] = []

    def score(x: torch.Tensor) -> torch.Tensor:
        seen.append(x)
        return x.sum(1)

    real, fake = torch.ones(2, 3), torch.zeros(2, 3)
    regularisers.gradient_penalty(score, real, fake, torch.tensor([0.25, 1.0]))
    torch.testing.assert_close(seen[0].detach(), torch.tensor([[0.25] * 3, [1.0] * 3]))


def test_a_flat_score_has_a_finite_gradient() -> None:
    layer = nn.Linear(2, 1, bias=False)
    nn.init.zeros_(layer.weight)
    regularisers.gradient_penalty(lambda x: layer(x)[:, 0], *torch.randn(2, 3, 2), torch.rand(3)).backward()
    assert layer.weight.grad is not None and layer.weight.grad.isfinite().all()


def test_lecam() -> None:
    real, fake = torch.tensor([2.0, -1.0]), torch.tensor([0.0, 3.0])
    value = regularisers.lecam(real, fake, torch.tensor(1.0), torch.tensor(0.5))
    assert float(value) == pytest.approx((1.5**2 + 0) / 2 + (1 + 0) / 2)


def test_lecam_leaves_a_d_alone_that_stays_within_its_anchors() -> None:
    real, fake = torch.full((3,), -1.0), torch.full((3,), 1.0)
    assert float(regularisers.lecam(real, fake, torch.tensor(1.0), torch.tensor(-1.0))) == 0


def test_latent_moves_are_squared_lengths() -> None:
    assert float(regularisers.latent_moves(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))) == pytest.approx(12.5)


@pytest.mark.parametrize("layer", [nn.Linear(5, 4), nn.Conv2d(3, 6, 3), nn.ConvTranspose2d(4, 3, 4)])
def test_an_orthogonal_matrix_is_not_penalised(layer: nn.Module) -> None:
    weight = layer.weight
    assert isinstance(weight, torch.Tensor)
    rows = weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else weight
    basis = torch.linalg.qr(torch.randn(rows[0].numel(), len(rows))).Q.T * 3  # lengths do not matter
    with torch.no_grad():
        rows.copy_(basis.reshape(rows.shape))
    assert float(regularisers.orthogonality(layer).detach()) == pytest.approx(0, abs=1e-8)


def test_the_orthogonal_penalty_is_the_rows_products() -> None:
    layer = nn.Linear(2, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert float(regularisers.orthogonality(layer).detach()) == pytest.approx(2 * 11**2)


def test_norms_and_embeddings_are_left_out() -> None:
    module = nn.Sequential(nn.BatchNorm2d(3), nn.Embedding(4, 3))
    assert float(regularisers.orthogonality(module)) == 0


def test_the_penalty_by_place_is_the_slopes_distance_from_1_at_every_pixel() -> None:
    """Scores w . x_p a pixel: the gradient is w everywhere, however large the picture is."""
    w = torch.tensor([0.6, -1.1, 0.2])
    for side in (2, 5):
        pictures = torch.randn(2, 2, 3, side, side)
        penalty = regularisers.place_gradient_penalty(
            lambda x: torch.einsum("nchw,c->nhw", x, w), *pictures, torch.rand(2)
        )
        assert float(penalty) == pytest.approx((float(w.norm()) - 1) ** 2, abs=1e-4)


def test_the_penalty_by_place_takes_the_norm_over_a_pixels_channels() -> None:
    """Only the left of two pixels counts: its slope is 2, the other's 0."""
    weights = torch.tensor([2.0, 0.0]).view(1, 1, 1, 2)
    pictures = torch.randn(2, 1, 1, 1, 2)
    penalty = regularisers.place_gradient_penalty(lambda x: x * weights, *pictures, torch.rand(1))
    assert float(penalty) == pytest.approx(((2 - 1) ** 2 + (0 - 1) ** 2) / 2, abs=1e-4)
