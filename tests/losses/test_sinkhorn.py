"""The Sinkhorn divergence: values worked out by hand, and what must hold for any two sets of patches."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from augkit.losses.sinkhorn import EPSILON, patch_cost, sinkhorn_divergence

EAST, NORTH = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 0.5]])


def drawn(seed: int, count: int, width: int = 4) -> Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def test_the_cost_is_one_minus_the_cosine_whatever_the_lengths() -> None:
    assert torch.allclose(
        patch_cost(EAST, torch.tensor([[3.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])), torch.tensor([[0.0, 1, 2]])
    )


def test_half_the_distance_of_the_places_over_the_diagonal_is_added() -> None:
    corners = torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    cost = patch_cost(EAST, torch.cat([EAST, EAST]), *corners)
    assert torch.allclose(cost, torch.tensor([[0.5, 0.5 / math.sqrt(2)]]))


def test_two_single_patches_cost_what_lies_between_them() -> None:
    assert float(sinkhorn_divergence(EAST, NORTH)) == pytest.approx(2.0, abs=1e-5)


def test_one_patch_against_two_by_hand() -> None:
    """W(x, y) is the mean cost, (0 + 1) / 2. W(y, y) = -eps log((1 + exp(-1 / eps)) / 2), from equal potentials."""
    two = torch.cat([EAST, NORTH])
    expected = 2 * 0.5 + EPSILON * math.log((1 + math.exp(-1 / EPSILON)) / 2)
    assert float(sinkhorn_divergence(EAST, two)) == pytest.approx(expected, abs=1e-5)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 9), st.booleans(), st.sampled_from([1, 5, 20]))
def test_it_is_never_negative_and_the_same_both_ways(seed: int, p: int, q: int, placed: bool, iterations: int) -> None:
    x, y = drawn(seed, p), drawn(seed + 1, q)
    places = (torch.rand(p, 2), torch.rand(q, 2)) if placed else None
    there = float(sinkhorn_divergence(x, y, places, iterations=iterations))
    back = float(sinkhorn_divergence(y, x, places and places[::-1], iterations=iterations))
    assert there >= -1e-5 and there == pytest.approx(back, abs=1e-5)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 9))
def test_a_set_is_at_no_distance_from_itself_in_any_order(seed: int, count: int) -> None:
    x = drawn(seed, count)
    assert float(sinkhorn_divergence(x, x)) == pytest.approx(0, abs=1e-4)
    assert float(sinkhorn_divergence(x, x.flip(0))) == pytest.approx(0, abs=1e-4)


def test_sets_that_differ_are_apart() -> None:
    assert float(sinkhorn_divergence(drawn(0, 8) + 3, drawn(1, 8) - 3)) > 1


def test_the_gradient_is_that_of_the_value() -> None:
    x, y = drawn(0, 3).requires_grad_(), drawn(1, 3)
    [gradient] = torch.autograd.grad(sinkhorn_divergence(x, y, iterations=400), x)
    step = torch.zeros_like(x)
    step[1, 2] = 1e-2
    ahead, behind = (float(sinkhorn_divergence(x.detach() + s, y, iterations=400)) for s in (step, -step))
    assert float(gradient[1, 2]) == pytest.approx((ahead - behind) / 2e-2, abs=2e-3)
