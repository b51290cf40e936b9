"""Group normalisation with a backward pass of its own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from augkit.models.group_norm import PictureNorm


def _layers(groups: int, channels: int) -> tuple[PictureNorm, nn.GroupNorm]:
    torch.manual_seed(0)
    own, other = PictureNorm(groups, channels), nn.GroupNorm(groups, channels)
    nn.init.normal_(own.weight)
    nn.init.normal_(own.bias)
    other.load_state_dict(own.state_dict())
    return own, other


def _maps(*shape: int) -> Tensor:
    return (3 * torch.randn(shape) + 2).to(memory_format=torch.channels_last).requires_grad_()


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_it_equals_torchs_in_both_directions(groups: int) -> None:
    own, other = _layers(groups, 6)
    maps = _maps(3, 6, 5, 4)
    made, wanted = own(maps), other(maps)
    assert made.grad_fn.name() == "_GroupNormBackward"
    torch.testing.assert_close(made, wanted)
    upstream = torch.randn_like(made)
    found = torch.autograd.grad(made, (maps, *own.parameters()), upstream)
    exact = torch.autograd.grad(wanted, (maps, *other.parameters()), upstream)
    for ours, theirs in zip(found, exact, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_gradients_of_gradients_are_right() -> None:
    own = _layers(2, 4)[0].double()
    assert torch.autograd.gradgradcheck(own, _maps(2, 4, 3, 3).double())


def test_under_autocast_it_is_as_torchs() -> None:
    own, other = _layers(2, 8)
    maps = _maps(2, 8, 8, 8).detach().bfloat16().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        made, wanted = own(maps), other(maps)
    assert torch.equal(made, wanted)
    upstream = torch.randn_like(made)
    found = torch.autograd.grad(made, (maps, *own.parameters()), upstream)
    exact = torch.autograd.grad(wanted, (maps, *other.parameters()), upstream)
    for ours, theirs in zip(found, exact, strict=True):
        assert ours.dtype == theirs.dtype
        assert (ours.float() - theirs.float()).abs().max() < 0.01 * theirs.float().abs().max()
