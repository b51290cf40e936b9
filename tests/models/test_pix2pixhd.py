"""The global generator and the PatchGAN, layer by layer as published."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from augkit.core.errors import ConfigError
from augkit.models.patch import MultiScaleDiscriminator
from augkit.models.pix2pixhd import StyleEncoder, build_global, build_local, coarse_options
from augkit.models.registries import PHOTO_GENERATORS
from augkit.models.translator import ResidualBlock

Layer = tuple[object, ...]


def _flat(module: nn.Module) -> list[nn.Module]:
    """The layers in order, residual blocks whole."""
    if isinstance(module, ResidualBlock) or not any(True for _ in module.children()):
        return [module]
    return [layer for child in module.children() for layer in _flat(child)]


def _describe(layer: nn.Module) -> Layer:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        shape = layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.stride[0], layer.padding[0]
        return type(layer).__name__, *shape
    if isinstance(layer, ResidualBlock):
        return "ResidualBlock", layer.body[0].in_channels
    return (type(layer).__name__,)


RELU, NORM = ("ReLU",), ("PlaneNorm",)


def _global_layers(condition: int, base: int, levels: int = 4, blocks: int = 9) -> list[Layer]:
    """G1 without its last convolution, as published."""
    widths = [base * 2**level for level in range(levels + 1)]
    layers: list[Layer] = [("Conv2d", condition, base, 7, 1, 3), NORM, RELU]
    for narrow in widths[:-1]:
        layers += [("Conv2d", narrow, 2 * narrow, 3, 2, 1), NORM, RELU]
    layers += [("ResidualBlock", widths[-1])] * blocks
    for wide in widths[:0:-1]:
        layers += [("ConvTranspose2d", wide, wide // 2, 3, 2, 1), NORM, RELU]
    return layers


def _global_weights(condition: int, base: int, levels: int = 4, blocks: int = 9) -> int:
    """Weights and biases of these layers, in closed form."""
    narrow = [base * 2**level for level in range(levels)]
    sampling = sum(2 * (n * 2 * n * 9) + 2 * n + n for n in narrow)
    wide = base * 2**levels
    return condition * base * 49 + base + sampling + 2 * blocks * (wide * wide * 9 + wide)


def _local_weights(condition: int, base: int, blocks: int = 3) -> int:
    """Of one enhancer."""
    wide = 2 * base
    return condition * base * 49 + base + 2 * (base * wide * 9) + wide + base + 2 * blocks * (wide * wide * 9 + wide)


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_global_generator_at_512_px() -> None:
    """36 channels: Cityscapes' 35 labels and the boundary. Park et al. 2019, table 3, count 183 M for this network."""
    with torch.device("meta"):
        generator = build_global(36)
        assert generator(torch.empty(1, 36, 512, 512)).shape == (1, 3, 512, 512)
    layers = _flat(generator)
    assert [_describe(layer) for layer in layers] == [
        *_global_layers(36, 64), ("Conv2d", 64, 3, 7, 1, 3), ("Tanh",),
    ]  # fmt: skip
    assert [layers[i].padding_mode for i in (0, -2)] == ["reflect", "reflect"]
    assert all(not layer.affine for layer in generator.modules() if isinstance(layer, nn.InstanceNorm2d))
    assert _count(generator) == _global_weights(36, 64) + 64 * 3 * 49 + 3
    assert round(_count(generator) / 1e6) == 183


def test_local_enhancer_at_1024_px() -> None:
    with torch.device("meta"):
        generator = build_local(36)
        assert generator(torch.empty(1, 36, 512, 1024)).shape == (1, 3, 512, 1024)
    g2 = generator.features
    assert [_describe(layer) for layer in _flat(g2.coarse)] == _global_layers(36, 64)  # type: ignore[union-attr]
    assert [_describe(layer) for layer in _flat(g2.down)] == [  # type: ignore[union-attr]
        ("Conv2d", 36, 32, 7, 1, 3), NORM, RELU, ("Conv2d", 32, 64, 3, 2, 1), NORM, RELU,
    ]  # fmt: skip
    assert [_describe(layer) for layer in _flat(g2.up)] == [  # type: ignore[union-attr]
        *[("ResidualBlock", 64)] * 3, ("ConvTranspose2d", 64, 32, 3, 2, 1), NORM, RELU,
    ]  # fmt: skip
    assert [_describe(layer) for layer in _flat(generator.head)] == [  # type: ignore[arg-type]
        ("Conv2d", 32, 3, 7, 1, 3), ("Tanh",),
    ]  # fmt: skip
    assert _count(generator) == _global_weights(36, 64) + _local_weights(36, 32) + 32 * 3 * 49 + 3


@pytest.mark.parametrize("enhancers", [1, 2])
@pytest.mark.parametrize("size", [128, 256, 512, 1024])
def test_sizes_from_128_to_1024(size: int, enhancers: int) -> None:
    with torch.device("meta"):
        generator = build_local(10, base=16, enhancers=enhancers)
        assert generator(torch.empty(1, 10, size, size)).shape == (1, 3, size, size)
    expected = _global_weights(10, 16 * 2**enhancers) + 16 * 3 * 49 + 3
    expected += sum(_local_weights(10, 16 * 2**number) for number in range(enhancers))
    assert _count(generator) == expected
    assert generator.divisor == 16 * 2**enhancers


def test_the_enhancer_adds_the_coarse_features_of_the_pooled_condition() -> None:
    torch.manual_seed(0)
    g2 = build_local(5, base=4, levels=2, blocks=1).features
    condition = torch.randn(1, 5, 32, 32)
    pooled = nn.functional.avg_pool2d(condition, 3, 2, 1, count_include_pad=False)
    coarse, down, up = g2.coarse, g2.down, g2.up  # type: ignore[union-attr]
    torch.testing.assert_close(g2(condition), up(down(condition) + coarse(pooled)))  # type: ignore[operator]


def test_what_an_enhanced_generator_starts_from_fits_into_it() -> None:
    for options in ({}, {"base": 8, "levels": 2, "blocks": 1}, {"base": 8, "enhancers": 2, "local_blocks": 1}):
        model, coarse = coarse_options(options)
        with torch.device("meta"):
            inner = build_local(7, **options).features.coarse  # type: ignore[union-attr]
            outer = PHOTO_GENERATORS[model](7, **coarse).features
        shapes = [{name: p.shape for name, p in module.named_parameters()} for module in (inner, outer)]  # type: ignore[union-attr]
        assert shapes[0] == shapes[1]
    assert coarse_options({}) == ("pix2pixhd-global", {"base": 64, "levels": 4, "blocks": 9})


def test_no_enhancer_is_refused() -> None:
    with pytest.raises(ValueError, match="take pix2pixhd-global"):
        build_local(5, enhancers=0)


def test_style_encoder_layers() -> None:
    with torch.device("meta"):
        encoder = StyleEncoder()
        assert encoder(torch.empty(1, 3, 64, 64)).shape == (1, 3, 64, 64)
    layers = [_describe(layer) for layer in _flat(encoder)]
    assert layers == [*_global_layers(3, 16, blocks=0), ("Conv2d", 16, 3, 7, 1, 3), ("Tanh",)]
    assert _count(encoder) == _global_weights(3, 16, blocks=0) + 16 * 3 * 49 + 3


def test_residual_blocks_add_to_their_input() -> None:
    block = ResidualBlock(4)
    x = torch.randn(1, 4, 6, 6)
    torch.testing.assert_close(block(x), x + block.body(x))
    assert [type(layer).__name__ for layer in block.body] == [
        "Conv2d", "PlaneNorm", "ReLU", "Conv2d", "PlaneNorm",
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
