"""Convolutions by matrix products: what torch computes, forward, backward and twice backward."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from augkit.models import convolution
from augkit.models.convolution import Convolution, Deconvolution, KernelWalk

WALKS = [(4, 2, 1), (3, 1, 1), (3, 2, 1), (4, 1, 2), (4, 1, 0), (1, 1, 0)]


@pytest.fixture(params=["oneDNN", "products"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of every pass, whatever the layer's size."""
    products = request.param == "products"
    monkeypatch.setattr(convolution, "_few", lambda rows, weight: products)
    monkeypatch.setattr(convolution, "HEAVY", 0 if products else 2**62)
    return str(request.param)


def _same(ours: nn.Module, theirs: nn.Module, inside: Tensor) -> None:
    theirs.load_state_dict(ours.state_dict())
    made, wanted = ours(inside), theirs(inside)
    torch.testing.assert_close(made, wanted)
    upstream = torch.randn_like(wanted)
    found, exact = (
        torch.autograd.grad(each, (inside, *layer.parameters()), upstream)
        for each, layer in ((made, ours), (wanted, theirs))
    )
    for own, other in zip(found, exact, strict=True):
        torch.testing.assert_close(own, other, rtol=1e-4, atol=1e-4)


def _maps(*shape: int) -> Tensor:
    torch.manual_seed(0)
    return torch.randn(shape).to(memory_format=torch.channels_last).requires_grad_()


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.usefixtures("way")
def test_they_equal_torchs_in_both_directions(walk: tuple[int, int, int], bias: bool) -> None:
    _same(Convolution(5, 6, *walk, bias=bias), nn.Conv2d(5, 6, *walk, bias=bias), _maps(2, 5, 8, 9))
    _same(Deconvolution(5, 6, *walk, bias=bias), nn.ConvTranspose2d(5, 6, *walk, bias=bias), _maps(2, 5, 4, 5))


@pytest.mark.usefixtures("way")
def test_output_padding_and_reflection() -> None:
    options = {"stride": 2, "padding": 1, "output_padding": 1}
    _same(Deconvolution(3, 4, 3, **options), nn.ConvTranspose2d(3, 4, 3, **options), _maps(2, 3, 4, 5))
    options = {"padding": 1, "padding_mode": "reflect"}
    _same(Convolution(3, 4, 3, **options), nn.Conv2d(3, 4, 3, **options), _maps(2, 3, 4, 5))


@pytest.mark.parametrize("kind", [Convolution, Deconvolution])
@pytest.mark.usefixtures("way")
def test_gradients_of_gradients_are_right(kind: type[nn.Module]) -> None:
    layer = kind(2, 3, 3, 2, 1).double()
    assert torch.autograd.gradgradcheck(layer, _maps(1, 2, 4, 4).double())


@pytest.mark.parametrize("kind", [Convolution, Deconvolution])
@pytest.mark.usefixtures("way")
def test_under_autocast_they_compute_in_bf16_and_sum_in_fp32(kind: type[nn.Module]) -> None:
    layer, inside = kind(8, 8, 4, 2, 1), _maps(2, 8, 8, 8)
    exact = layer(inside)
    with torch.autocast("cpu", torch.bfloat16):
        made = layer(inside)
    assert made.dtype == torch.bfloat16 and made.is_contiguous(memory_format=torch.channels_last)
    upstream, inputs = torch.randn_like(exact), (inside, *layer.parameters())
    found = torch.autograd.grad(made, inputs, upstream.bfloat16())
    for own, other in zip((made, *found), (exact, *torch.autograd.grad(exact, inputs, upstream)), strict=True):
        assert (own.float() - other).abs().max() < 0.01 * other.abs().max()


def test_layers_whose_weights_outweigh_their_maps_are_products(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> Tensor:
        raise AssertionError("by oneDNN")

    coarse, fine = torch.randn(4, 256, 4, 4), torch.randn(4, 256, 8, 8)
    weight = torch.randn(256, 256, 4, 4)
    monkeypatch.setattr(torch.nn.functional, "conv2d", refused)
    monkeypatch.setattr(torch.nn.functional, "conv_transpose2d", refused)
    walk = KernelWalk(4, 2, 1)
    assert convolution.gathered(fine, weight, None, walk).shape == coarse.shape
    assert convolution.scattered(coarse, weight, None, walk, [8, 8]).shape == fine.shape
    with pytest.raises(AssertionError, match="oneDNN"):
        convolution.gathered(torch.randn(16, 256, 16, 16), weight, None, walk)


def test_a_parametrised_layer_uses_what_its_norm_makes() -> None:
    torch.manual_seed(0)
    layer = spectral_norm(Convolution(4, 4, 3, 1, 1)).eval()
    inside = torch.randn(1, 4, 5, 5)
    torch.testing.assert_close(layer(inside), torch.conv2d(inside, layer.weight, layer.bias, 1, 1))


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    torch.manual_seed(0)
    yield
