"""Upsampling and convolution as one transposed convolution."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from augkit.models.upsampled import UpsampledConvolution, UpsampledJoin, doubled


def test_the_weights_are_the_sums_of_those_that_read_one_coarse_pixel() -> None:
    rows, columns = torch.tensor([1.0, 2, 4]), torch.tensor([1.0, 10, 100])
    found = doubled(torch.outer(rows, columns)[None, None])
    assert found[0, 0].equal(torch.outer(torch.tensor([4.0, 6, 3, 1]), torch.tensor([100.0, 110, 11, 1])))


def _plain(layer: torch.nn.Conv2d, maps: Tensor, *finer: Tensor) -> Tensor:
    both = torch.cat([functional.interpolate(maps, scale_factor=2.0), *finer], 1)
    return functional.conv2d(both, layer.weight, layer.bias, 1, 1)


def _check(layer: torch.nn.Conv2d, *inside: Tensor) -> None:
    made, wanted = layer(*inside), _plain(layer, *inside)
    torch.testing.assert_close(made, wanted)
    inputs, upstream = (*inside, *layer.parameters()), torch.randn_like(wanted)
    for own, other in zip(*(torch.autograd.grad(each, inputs, upstream) for each in (made, wanted)), strict=True):
        torch.testing.assert_close(own, other, rtol=1e-4, atol=1e-4)


def test_it_equals_the_two_steps_in_both_directions() -> None:
    torch.manual_seed(0)
    maps, finer = torch.randn(2, 5, 3, 4, requires_grad=True), torch.randn(2, 3, 6, 8, requires_grad=True)
    _check(UpsampledConvolution(5, 6), maps)
    _check(UpsampledConvolution(5, 6, bias=False), maps)
    _check(UpsampledJoin(5, 3, 6), maps, finer)


def test_sums_of_weights_are_rounded_once() -> None:
    weight = torch.full((1, 1, 3, 3), 1 + 2**-10)
    with torch.autocast("cpu", torch.bfloat16):
        assert doubled(weight)[0, 0, 1, 1] == 4 * (1 + 2**-10)
