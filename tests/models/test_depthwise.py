"""Depthwise convolutions: what torch computes, forward and backward."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

from augkit.models.depthwise import Depthwise, quicken

CASES = [(side, stride, same) for side in (3, 5, 7) for stride in (1, 2) for same in (False, True)]


def _pair(side: int, stride: int, same: bool) -> tuple[nn.Conv2d, Depthwise]:
    torch.manual_seed(0)
    if same:
        own = timm.layers.Conv2dSame(4, 4, side, stride, groups=4)
    else:
        own = nn.Conv2d(4, 4, side, stride, side // 2, groups=4)
    return own, Depthwise(own)


@pytest.mark.parametrize(("side", "stride", "same"), CASES)
@pytest.mark.parametrize("shape", [(8, 8), (9, 6)])
def test_it_equals_torchs_convolution_in_both_directions(
    side: int, stride: int, same: bool, shape: tuple[int, int]
) -> None:
    own, fast = _pair(side, stride, same)
    photos = torch.randn(2, 4, *shape).requires_grad_()
    wanted = own(photos)
    found = fast(photos)
    assert torch.equal(found, wanted)
    upstream = torch.randn_like(wanted)
    assert fast.weight is own.weight and fast.bias is own.bias
    inputs = (photos, own.weight, own.bias)
    for ours, theirs in zip(*(torch.autograd.grad(made, inputs, upstream) for made in (found, wanted)), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("stride", [1, 2])
def test_under_autocast_it_computes_in_bf16(stride: int) -> None:
    own, fast = _pair(5, stride, False)
    photos = torch.randn(2, 4, 8, 8).requires_grad_()
    upstream = torch.randn_like(own(photos))
    exact = torch.autograd.grad(own(photos), (photos, own.weight), upstream)
    with torch.autocast("cpu", torch.bfloat16):
        made = fast(photos)
    assert made.dtype == torch.bfloat16
    for ours, theirs in zip(torch.autograd.grad(made, (photos, own.weight), upstream.bfloat16()), exact, strict=True):
        assert (ours - theirs).abs().max() < 0.02 * theirs.abs().max()


def test_every_depthwise_convolution_is_replaced_and_nothing_else() -> None:
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False, features_only=True).eval()
    names, photos = list(network.state_dict()), torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        before = network(photos)
        quicken(network)
        assert all(torch.equal(*maps) for maps in zip(before, network(photos), strict=True))
    assert list(network.state_dict()) == names
    grouped = [module for module in network.modules() if isinstance(module, nn.Conv2d) and module.groups > 1]
    assert len(grouped) == 16 and all(isinstance(module, Depthwise) for module in grouped)
