"""Self-attention against hand-computed cases."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from augkit.core.errors import ConfigError
from augkit.models.attention import Block, SelfAttention, attend


def _plain(width: int, gamma: float) -> SelfAttention:
    """Without spectral norm, so that weights can be set by hand."""
    layer = SelfAttention(width)
    for part in (layer.query, layer.key, layer.value, layer.back):
        remove_parametrizations(part, "weight")
    nn.init.constant_(layer.gamma, gamma)
    return layer


def _weights(layer: nn.Module, values: Tensor) -> None:
    with torch.no_grad():
        layer.get_parameter("weight").copy_(values[:, :, None, None])


def test_a_fresh_layer_is_the_identity_and_gamma_opens_it() -> None:
    torch.manual_seed(0)
    layer, x = SelfAttention(16), torch.randn(2, 16, 8, 8)
    assert torch.equal(layer(x), x)
    nn.init.constant_(layer.gamma, 0.5)
    assert not torch.allclose(layer(x), x)


def test_channels_are_an_eighth_and_a_half_and_spectrally_normalised() -> None:
    layer = SelfAttention(64)
    parts = (layer.query, layer.key, layer.value, layer.back)
    assert [tuple(part.weight.shape[:2]) for part in parts] == [(8, 64), (8, 64), (32, 64), (64, 32)]  # type: ignore[union-attr, index]
    assert all(is_parametrized(part, "weight") for part in parts)


def test_two_by_two_by_hand() -> None:
    """One place is left after pooling: every pixel gets the maximum of the values there, whatever it asks."""
    layer = _plain(2, gamma=2.0)
    _weights(layer.value, torch.tensor([[1.0, -1.0]]))
    _weights(layer.back, torch.tensor([[1.0], [0.5]]))
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[0.0, 3.0], [1.0, 5.0]]]])  # values 1, -1, 2, -1: the largest is 2
    added = torch.tensor([4.0, 2.0])[None, :, None, None]
    torch.testing.assert_close(layer(x), x + added)


def test_two_places_by_hand() -> None:
    """2 x 4 pixels, two places: the softmax of query times key weighs the two values."""
    layer = _plain(2, gamma=1.0)
    _weights(layer.query, torch.tensor([[1.0, 0.0]]))
    _weights(layer.key, torch.tensor([[0.0, 1.0]]))
    _weights(layer.value, torch.tensor([[0.0, 10.0]]))
    _weights(layer.back, torch.tensor([[1.0], [0.0]]))
    x = torch.zeros(1, 2, 2, 4)
    x[0, 0, 0, 0] = math.log(3)  # this pixel asks with log 3, all others with 0
    x[0, 1, 1, 3] = 1.0  # keys are 0 on the left and 1 on the right, values 0 and 10
    added = layer(x)[0, 0] - x[0, 0]
    expected = torch.full((2, 4), 5.0)  # softmax(0, 0) = 1/2, 1/2
    expected[0, 0] = 7.5  # softmax(0, log 3) = 1/4, 3/4
    torch.testing.assert_close(added, expected)
    torch.testing.assert_close(layer(x)[0, 1], x[0, 1])


def test_second_derivatives() -> None:
    torch.manual_seed(0)
    layer = SelfAttention(8).double().eval()
    nn.init.constant_(layer.gamma, 0.7)
    x = torch.randn(1, 8, 2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(layer, (x,), atol=1e-6)


def test_it_stands_behind_the_last_block_of_its_side() -> None:
    blocks = [Block(nn.Identity(), 8, side) for side in (16, 16, 8, 1)]
    kinds = [[type(part) for part in module.modules()][2:3] for module in attend(blocks, 16)]
    assert kinds == [[], [SelfAttention], [], []]
    assert [module is block.module for module, block in zip(attend(blocks, 0), blocks, strict=True)] == [True] * 4
    with pytest.raises(ConfigError, match=r"self-attention at 4 px(.|\n)*one of 8, 16\n"):
        attend(blocks, 4)
