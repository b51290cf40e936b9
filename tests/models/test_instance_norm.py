"""The norm of each picture: torch's values and gradients, in the layout that came."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from augkit.models.instance_norm import LARGE, PlaneNorm

SIDE = int(LARGE**0.5)


@pytest.mark.parametrize("side", [SIDE, 4])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format], ids=["last", "first"])
def test_it_equals_torchs_in_both_directions(layout: torch.memory_format, count: int, side: int) -> None:
    torch.manual_seed(0)
    maps = (torch.randn(count, 2, side, side) * 3 + 1).contiguous(memory_format=layout).requires_grad_()
    upstream = torch.randn(maps.shape)
    found, wanted = PlaneNorm(2)(maps), nn.InstanceNorm2d(2)(maps)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    ours, theirs = (torch.autograd.grad(made, maps, upstream)[0] for made in (found, wanted))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("side", [SIDE, 4])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_maps_keep_their_layout(kind: torch.dtype, side: int) -> None:
    maps = torch.randn(2, 2, side, side).to(kind).to(memory_format=torch.channels_last)
    assert PlaneNorm(2)(maps).is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(PlaneNorm(2)(maps), nn.InstanceNorm2d(2)(maps))


def test_small_maps_are_rounded_as_torch_does() -> None:
    maps = torch.randn(2, 2, 4, 4).to(memory_format=torch.channels_last)
    assert torch.equal(PlaneNorm(2)(maps), nn.InstanceNorm2d(2)(maps))
