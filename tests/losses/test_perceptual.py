"""Distance of feature maps, worked by hand."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from augkit.losses.perceptual import perceptual
from augkit.models.vgg import VGG19Features

HALVES = (0.5, 0.5)


def _maps(*values: float) -> list[torch.Tensor]:
    """One constant map a value, each of another shape."""
    return [torch.full((2, number, 3, 2), value) for number, value in enumerate(values, 1)]


def test_perceptual_by_hand() -> None:
    real, fake = _maps(2.0, -4.0), _maps(3.0, -1.0)
    assert perceptual(real, fake, HALVES, relative=True).item() == pytest.approx((1 / 2 + 3 / 4) / 2)
    assert perceptual(real, fake, (0.25, 2.0), relative=False).item() == pytest.approx(0.25 * 1 + 2 * 3)


def test_perceptual_with_vgg19s_weights_is_pix2pixhds() -> None:
    real = _maps(0.0, 0.0, 0.0, 0.0, 0.0)
    fake = _maps(32.0, 16.0, 8.0, 4.0, 1.0)
    assert perceptual(real, fake, VGG19Features.weights, VGG19Features.relative).item() == pytest.approx(5.0)


def test_perceptual_of_a_dead_layer_is_finite() -> None:
    assert torch.isfinite(perceptual(_maps(0.0), _maps(1.0), (1.0,), relative=True))


@given(factor=st.floats(0.01, 100.0))
def test_perceptual_does_not_see_a_layers_unit(factor: float) -> None:
    real, fake = _maps(2.0, -4.0), _maps(3.0, -1.0)
    scaled = perceptual([r * factor for r in real], [f * factor for f in fake], HALVES, relative=True)
    torch.testing.assert_close(scaled, perceptual(real, fake, HALVES, relative=True))


def test_only_the_fake_is_trained_through_and_equal_maps_cost_nothing() -> None:
    real = [torch.randn(1, 2, 2, 2, requires_grad=True) for _ in range(2)]
    fake = [torch.randn(1, 2, 2, 2, requires_grad=True) for _ in range(2)]
    perceptual(real, fake, HALVES, relative=True).backward()
    assert all(r.grad is None for r in real) and fake[0].grad is not None
    assert perceptual(real, [r.detach().clone() for r in real], HALVES, relative=True) == 0


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError):
        perceptual(_maps(1.0, 2.0), _maps(1.0), HALVES, relative=True)


def test_half_precision_maps_are_compared_in_full() -> None:
    real, fake = [torch.tensor([1024.0]).bfloat16()], [torch.tensor([1032.0]).bfloat16()]
    loss = perceptual(real, fake, (1.0,), relative=True)
    assert loss.dtype == torch.float32 and loss.item() == pytest.approx(8 / 1024)
