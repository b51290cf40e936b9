"""The global generator and the PatchGAN, layer by layer as published."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from augkit.errors import ConfigError
from augkit.models.patch import MultiScaleDiscriminator
from augkit.models.pix2pixhd import build_global
from augkit.models.translator import ResidualBlock

Layer = tuple[object, ...]


def _describe(layer: nn.Module) -> Layer:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        shape = layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.stride[0], layer.padding[0]
        return type(layer).__name__, *shape
    if isinstance(layer, ResidualBlock):
        return "ResidualBlock", layer.body[0].in_channels
    return (type(layer).__name__,)


def test_global_generator_layers() -> None:
    generator = build_global(39)
    relu, norm = ("ReLU",), ("InstanceNorm2d",)
    expected: list[Layer] = [("Conv2d", 39, 64, 7, 1, 3), norm, relu]
    for narrow in (64, 128, 256, 512):
        expected += [("Conv2d", narrow, 2 * narrow, 3, 2, 1), norm, relu]
    expected += [("ResidualBlock", 1024)] * 9
    for wide in (1024, 512, 256, 128):
        expected += [("ConvTranspose2d", wide, wide // 2, 3, 2, 1), norm, relu]
    expected += [("Conv2d", 64, 3, 7, 1, 3), ("Tanh",)]
    layers = list(generator.trunk.children())  # type: ignore[union-attr]
    assert [_describe(layer) for layer in layers] == expected
    assert [layers[i].padding_mode for i in (0, -2)] == ["reflect", "reflect"]
    assert all(not layer.affine for layer in generator.modules() if isinstance(layer, nn.InstanceNorm2d))
    convolutions = 39 * 64 * 49 + 64 + sum(n * 2 * n * 9 + 2 * n for n in (64, 128, 256, 512))
    convolutions += 18 * (1024 * 1024 * 9 + 1024)
    convolutions += sum(w * w // 2 * 9 + w // 2 for w in (1024, 512, 256, 128)) + 64 * 3 * 49 + 3
    assert sum(p.numel() for p in generator.parameters()) == convolutions


def test_residual_blocks_add_to_their_input() -> None:
    block = ResidualBlock(4)
    x = torch.randn(1, 4, 6, 6)
    torch.testing.assert_close(block(x), x + block.body(x))
    assert [type(layer).__name__ for layer in block.body] == [
        "Conv2d", "InstanceNorm2d", "ReLU", "Conv2d", "InstanceNorm2d",
    ]  # fmt: skip


@pytest.mark.parametrize("scales", [1, 2, 3])
@pytest.mark.parametrize("layers", [2, 3, 4])
def test_patchgan_layers(layers: int, scales: int) -> None:
    discriminator = MultiScaleDiscriminator(7, 64, layers, scales)
    features = discriminator(torch.randn(1, 7, 64, 64))
    assert len(features) == scales and all(len(scale) == layers + 2 for scale in features)
    widths = [min(64 * 2**layer, 512) for layer in range(layers + 1)]
    for scale, maps in zip(discriminator.scales, features, strict=True):
        convolutions = [layer for layer in scale.modules() if isinstance(layer, nn.Conv2d)]
        assert [(c.in_channels, c.out_channels) for c in convolutions] == [
            *zip([7, *widths], widths, strict=False), (widths[-1], 1),
        ]  # fmt: skip
        assert {c.kernel_size for c in convolutions} == {(4, 4)} and {c.padding for c in convolutions} == {(2, 2)}
        assert [c.stride[0] for c in convolutions] == [2] * layers + [1, 1]
        assert [m.shape[1] for m in maps] == [*widths, 1]


def test_patch_of_three_layers_sees_70_pixels() -> None:
    """The receptive field of a score, from the gradient of one score to the input (Isola et al. 2017: 70 px)."""
    discriminator = MultiScaleDiscriminator(1, 2, 3, 1, norm="none")
    picture = torch.rand(1, 1, 160, 160, requires_grad=True)
    scores = discriminator(picture)[0][-1]
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    assert picture.grad is not None
    rows = picture.grad[0, 0].abs().sum(1).nonzero()
    assert int(rows.max() - rows.min()) + 1 == 70


def test_every_scale_sees_the_pooled_pair() -> None:
    torch.manual_seed(0)
    discriminator = MultiScaleDiscriminator(2, 4, 2, 2)
    x = torch.randn(1, 2, 32, 32)
    pooled = nn.functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
    for ours, again in zip(discriminator(x)[1], discriminator.scales[1](pooled), strict=True):
        torch.testing.assert_close(ours, again)


def test_instance_norm_stands_in_the_middle_only() -> None:
    stages = MultiScaleDiscriminator(2, 4, 3, 1).scales[0].stages
    has_norm = [any(isinstance(layer, nn.InstanceNorm2d) for layer in stage.modules()) for stage in stages]
    assert has_norm == [False, True, True, True, False]


def test_spectral_norm_divides_by_the_largest_singular_value() -> None:
    torch.manual_seed(0)
    discriminator = MultiScaleDiscriminator(3, 8, 2, 2, norm="spectral")
    for _ in range(60):  # one power iteration a training step
        discriminator(torch.randn(1, 3, 16, 16))
    discriminator.eval()
    convolutions = [layer for layer in discriminator.modules() if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == 8
    for layer in convolutions:
        raw = layer.parametrizations.weight.original.flatten(1)  # type: ignore[union-attr]
        largest = torch.linalg.svdvals(raw)[0]
        torch.testing.assert_close(layer.weight.flatten(1), raw / largest, rtol=0.02, atol=1e-4)
    assert not any(isinstance(layer, nn.InstanceNorm2d) for layer in discriminator.modules())


def test_an_unknown_norm_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"norm 'spectrall'(.|\n)*instance, spectral, none"):
        MultiScaleDiscriminator(3, norm="spectrall")
