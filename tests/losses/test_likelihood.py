"""Likelihood terms against torch.distributions, against sums written out, and in their corner cases."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from augkit.core.parts import IGNORE
from augkit.losses.likelihood import cross_entropy, gaussian_kl, part_weights

HARD = 40.0  # a logit whose softmax is 1 to the last bit


def _masks(*rows: list[int]) -> torch.Tensor:
    return torch.tensor([list(rows)])


def _logits(masks: torch.Tensor, channels: int, scale: float = HARD) -> torch.Tensor:
    """Logits of a network that is sure of these ids."""
    return torch.nn.functional.one_hot(masks, channels).permute(0, 3, 1, 2).float() * scale


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 5), width=st.integers(1, 9))
def test_kl_equals_torch_distributions(seed: int, rows: int, width: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    mean, log_variance = (torch.randn(rows, width, generator=generator) for _ in range(2))
    expected = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(gaussian_kl(mean, log_variance), expected, rtol=1e-4, atol=1e-5)


def test_kl_by_hand() -> None:
    assert gaussian_kl(torch.zeros(3, 2), torch.zeros(3, 2)) == 0
    mean, log_variance = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, math.log(4.0)]])
    assert gaussian_kl(mean, log_variance).item() == pytest.approx(0.5 + 0.5 * (4 + 4 - 1 - math.log(4.0)))


def test_cross_entropy_by_hand() -> None:
    logits = torch.tensor([[0.0, 0.0], [0.0, math.log(3.0)]]).view(1, 2, 1, 2)  # shares (1/2, 1/2) and (1/4, 3/4)
    weights = torch.tensor([1.0, 5.0])
    loss = cross_entropy(logits, torch.tensor([[[1, 0]]]), weights)
    assert loss.item() == pytest.approx((5 * math.log(2) + 1 * math.log(4)) / 6, rel=1e-5)


def test_ignore_pixels_do_not_count_and_get_no_gradient() -> None:
    torch.manual_seed(0)
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    weights = torch.tensor([1.0, 2.0, 3.0])
    masks = _masks([0, IGNORE], [2, 1])
    loss = cross_entropy(logits, masks, weights)
    torch.testing.assert_close(
        loss, torch.nn.functional.cross_entropy(logits, masks, weights, ignore_index=IGNORE, reduction="mean")
    )
    loss.backward()
    assert logits.grad is not None and (logits.grad[0, :, 0, 1] == 0).all() and (logits.grad[0, :, 0, 0] != 0).any()


def test_a_batch_of_ignore_only_costs_nothing_and_is_finite_backwards() -> None:
    logits = torch.randn(2, 3, 2, 2, requires_grad=True)
    value = cross_entropy(logits, torch.full((2, 2, 2), IGNORE), torch.ones(3))
    assert value == 0 and value.isfinite()
    value.backward()
    assert logits.grad is not None and (logits.grad == 0).all()


def test_part_weights_by_hand() -> None:
    # Shares 0.64, 0.32, 0.04 of the pixels that there are; their mean is 1/3.
    weights = part_weights(torch.tensor([64.0, 32.0, 0.0, 4.0]))
    expected = [(1 / 3 / share) ** 0.5 for share in (0.64, 0.32, 0.04)]
    assert weights[[0, 1, 3]].tolist() == pytest.approx(expected, rel=1e-5)
    assert weights[2] == 0


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=24).filter(any))
def test_part_weights_grow_with_rarity_within_their_bounds(counts: list[int]) -> None:
    pixels = torch.tensor(counts, dtype=torch.float32)
    weights = part_weights(pixels)
    assert ((weights == 0) == (pixels == 0)).all()
    shown = weights[pixels > 0]
    assert (shown >= 0.1 - 1e-6).all() and (shown <= 10 + 1e-5).all()
    order = pixels[pixels > 0].argsort()
    assert (shown[order].diff() <= 1e-6).all()
