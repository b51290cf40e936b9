"""The residual GANs against torchvision's networks and the report's counts."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torchvision
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from augkit.core.errors import ConfigError
from augkit.models import resnet_gan
from augkit.models.attention import SelfAttention
from augkit.models.conditioning import Discriminator, LinearHead
from augkit.models.registries import PictureModel
from augkit.models.resnet_gan import ResNetBlock, build_resnet18, build_resnet34


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _build(build: Any, size: int = 64, **options: Any) -> PictureModel:
    with torch.device("meta"):
        model: PictureModel = build(3, size, **options)
    return model


def _scored(trunk: Any) -> int:
    return _count(Discriminator(trunk, LinearHead(512)))


@pytest.mark.parametrize(("build", "published"), [(build_resnet18, "resnet18"), (build_resnet34, "resnet34")])
def test_ds_weights_are_torchvisions(build: Any, published: str) -> None:
    """The same shapes, layer by layer: torchvision's classifier with one output."""
    with torch.device("meta"):
        theirs = torchvision.models.get_model(published, num_classes=1)
    ours = _build(build).trunk
    kinds = (nn.Conv2d, nn.BatchNorm2d)
    shapes = [sorted(tuple(m.weight.shape) for m in net.modules() if isinstance(m, kinds)) for net in (ours, theirs)]
    assert shapes[0] == shapes[1]
    assert _scored(ours) == _count(theirs)


def test_d_computes_what_torchvisions_network_computes() -> None:
    torch.manual_seed(0)
    ours = build_resnet18(3, 64).trunk.eval()
    theirs = torchvision.models.resnet18(num_classes=1).eval()
    theirs.fc = nn.Identity()
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    pictures = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(ours(pictures), theirs(pictures))


def test_the_reports_parameters_of_resnet34() -> None:
    model = _build(build_resnet34)
    assert _count(model.generator) == 22_739_747 == pytest.approx(22.96e6, rel=0.02)
    assert _scored(model.trunk) == 21_285_185 == pytest.approx(21.30e6, rel=0.02)


def test_the_other_readings_of_the_report_are_further_off() -> None:
    with torch.device("meta"):
        turned = resnet_gan._generator((3, 6, 4, 3), 100, 3, 64, attention=0)
        fourth = resnet_gan._trunk((3, 4, 6, 4), 3, 64, attention=0, norm="batch")
    assert abs(_count(turned) - 22.96e6) > 0.05 * 22.96e6
    assert abs(_scored(fourth) - 21.30e6) > 0.05 * 21.30e6


@pytest.mark.parametrize("scale", [0.5, 1, 2])
def test_a_block_is_the_identity_rectified_where_its_body_is_nothing(scale: float) -> None:
    block = ResNetBlock(4, 4, scale).eval()
    nn.init.zeros_(block.body[-1].weight)  # type: ignore[arg-type]
    x = torch.randn(2, 4, 6, 6)
    expected = x
    if scale != 1:
        convolution = block.shortcut[0]
        assert isinstance(convolution, nn.Conv2d) and convolution.kernel_size == (1, 1)
        nn.init.dirac_(convolution.weight)
        expected = x[:, :, ::2, ::2] if scale == 0.5 else x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(block(x), expected.relu(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("side", [4, 16, 32])
def test_attention_is_where_it_is_asked_for(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a network, and on feature maps of that side."""
    monkeypatch.setattr("augkit.models.attention.spectral_norm", lambda layer: layer)  # slow without numbers
    model = _build(build_resnet18, 64, attention=side)
    for network, inputs in ((model.generator, (100,)), (model.trunk, (3, 64, 64))):
        sides: list[int] = []
        layers = [layer for layer in network.modules() if isinstance(layer, SelfAttention)]
        for layer in layers:
            layer.register_forward_hook(lambda _, __, output, sides=sides: sides.append(output.shape[-1]))
        network(torch.randn(2, *inputs, device="meta"))
        assert sides == [side]
    assert not any(isinstance(layer, SelfAttention) for layer in _build(build_resnet18).trunk.modules())


@pytest.mark.parametrize("side", [48, 64])
def test_attention_at_a_side_that_a_network_has_not_is_refused(side: int) -> None:
    with pytest.raises(ConfigError, match=rf"self-attention at {side} px(.|\n)*2, 4, 8, 16, 32|4, 8, 16, 32, 64"):
        _build(build_resnet18, 64, attention=side)


def test_spectral_norm_takes_batch_norms_place_in_d(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("augkit.models.resnet_gan.WIDTHS", (8, 8, 16, 16))
    trunk = build_resnet18(3, 32, spectral=True).trunk
    convolutions = [layer for layer in trunk.modules() if isinstance(layer, nn.Conv2d)]
    assert all(is_parametrized(layer, "weight") and layer.bias is not None for layer in convolutions)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in trunk.modules()) and trunk.spectral


def test_attentions_own_spectral_norm_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("augkit.models.resnet_gan.WIDTHS", (8, 8, 8, 8))
    trunk = build_resnet18(3, 32, attention=16).trunk
    assert any(is_parametrized(layer) for layer in trunk.modules()) and not trunk.spectral
