"""The DCGANs' layers and parameters, as the reports list them."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from augkit.core.errors import ConfigError
from augkit.models.conditioning import Discriminator, LinearHead
from augkit.models.dcgan import build_baseline, build_bigger, build_deconvolution, build_upsampling
from augkit.models.registries import PictureModel

Shape = tuple[int, ...]
BUILDERS = [build_deconvolution, build_upsampling, build_baseline, build_bigger]


def _outputs(module: nn.Module, kinds: tuple[type[nn.Module], ...], inputs: Tensor) -> list[Shape]:
    """(channels, side) of every layer of these kinds, in order."""
    shapes: list[Shape] = []

    def note(_: nn.Module, __: object, output: Tensor) -> None:
        shapes.append((output.shape[1], *output.shape[2:3]))

    hooks = [layer.register_forward_hook(note) for layer in module.modules() if isinstance(layer, kinds)]
    module(inputs)
    for hook in hooks:
        hook.remove()
    return shapes


def _layers(model: PictureModel, side: int, kinds: tuple[type[nn.Module], ...]) -> tuple[list[Shape], list[Shape]]:
    z, pictures = (torch.randn(2, *shape, device="meta") for shape in ((model.latent,), (3, side, side)))
    return _outputs(model.generator, kinds, z), _outputs(model.trunk, kinds, pictures)


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _build(build: Any, size: int, **options: Any) -> PictureModel:
    with torch.device("meta"):
        model: PictureModel = build(3, size, **options)
    return model


def test_deconvolution_layers() -> None:
    model = _build(build_deconvolution, 128)
    g, d = _layers(model, 128, (nn.ConvTranspose2d, nn.Conv2d))
    assert model.latent == 100
    assert g == [(1024, 4), (512, 8), (256, 16), (128, 32), (64, 64), (3, 128)]
    assert d == [(64, 64), (128, 32), (256, 16), (512, 8), (1024, 4)]


def test_deconvolution_parameters() -> None:
    model = _build(build_deconvolution, 128)
    widths = [1024, 512, 256, 128, 64]
    norms = 2 * sum(widths)
    generator = 100 * 1024 * 16 + sum(a * b * 16 for a, b in itertools.pairwise(widths)) + norms + 64 * 3 * 16 + 3
    assert _count(model.generator) == generator == 12_786_563
    convolutions = 3 * 64 * 16 + 64 + sum(a * b * 16 for a, b in itertools.pairwise(widths))
    assert _count(model.trunk) == convolutions + 2 * (1024 + 512 + 256 + 128)
    assert model.trunk.features == 1024 * 16


def test_upsampling_layers() -> None:
    model = _build(build_upsampling, 128)
    g, d = _layers(model, 128, (nn.Linear, nn.Conv2d))
    levels = [(512, 4), (512, 8), (512, 16), (256, 32), (128, 64), (64, 128)]
    assert g == [(512 * 16,), *(level for level in levels for _ in range(2)), (64, 128), (64, 128), (3, 128)]
    levels = [(32, 64), (64, 32), (128, 16), (256, 8), (512, 4), (512, 2)]
    assert d[:2] == [(16, 128)] * 2 and d[2:] == [level for level in levels for _ in range(2)]
    assert model.trunk.features == 512


def test_baseline_layers_and_parameters() -> None:
    """The report's baseline: about 3.5 M and 2.8 M."""
    model = _build(build_baseline, 64)
    g, d = _layers(model, 64, (nn.ConvTranspose2d, nn.Conv2d))
    assert g == [(512, 4), (256, 8), (128, 16), (64, 32), (3, 64)]
    assert d == [(64, 32), (128, 16), (256, 8), (512, 4)]
    head = LinearHead(model.trunk.features)
    assert _count(model.generator) == 3_576_707 and _count(head) == 8_193
    assert _count(model.trunk) + _count(head) == 2_765_633
    assert _count(model.trunk) + _count(head) == pytest.approx(2.8e6, rel=0.02)
    assert _count(model.generator) == pytest.approx(3.5e6, rel=0.022)
    g, d = _layers(_build(build_baseline, 128), 128, (nn.ConvTranspose2d, nn.Conv2d))
    assert g[0] == (512, 4) and d[-1] == (512, 4) and d[0] == (32, 64)


def test_bigger_layers_and_parameters() -> None:
    """The report's bigger one: seven deconvolutions and 16 M, six convolutions and 9.1 M."""
    model = _build(build_bigger, 64)
    g, d = _layers(model, 64, (nn.ConvTranspose2d, nn.Conv2d))
    assert g == [(896, 2), (512, 4), (512, 8), (256, 16), (128, 32), (64, 64), (3, 64)] and len(g) == 7
    assert d == [(64, 32), (128, 16), (256, 8), (512, 4), (768, 2)]  # the score is the sixth
    assert model.trunk.features == 768 * 4
    assert _count(model.generator) == pytest.approx(16e6, rel=0.02)
    assert _count(Discriminator(model.trunk, LinearHead(model.trunk.features))) == pytest.approx(9.1e6, rel=0.02)


@pytest.mark.parametrize("build", BUILDERS)
def test_weights_start_as_published(build: Any) -> None:
    torch.manual_seed(0)
    model: PictureModel = build(3, 32)
    for module in (*model.generator.modules(), *model.trunk.modules()):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module.weight.numel() > 10_000:
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.05)
            assert abs(module.weight.mean().item()) < 0.002
        if isinstance(module, nn.BatchNorm2d):
            assert module.weight.mean().item() == pytest.approx(1.0, abs=0.02) and not module.bias.any()
        if isinstance(module, nn.LeakyReLU):
            assert module.negative_slope == 0.2


@pytest.mark.parametrize("build", BUILDERS)
def test_no_bias_stands_before_batch_norm_and_none_is_at_the_picture(build: Any) -> None:
    model = _build(build, 64)
    for layers in (list(model.generator.children()), [m for block in model.trunk.blocks for m in block.children()]):
        for layer, following in itertools.pairwise(layers):
            if isinstance(following, nn.BatchNorm2d):
                assert layer.bias is None
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in model.trunk.blocks[0].modules())


@pytest.mark.parametrize("build", BUILDERS)
def test_layer_norm_takes_batch_norms_place_in_d(build: Any) -> None:
    plain, layered = (_build(build, 64, norm=norm).trunk for norm in ("batch", "layer"))
    norms = [layer for layer in layered.modules() if isinstance(layer, nn.GroupNorm)]
    assert [norm.num_channels for norm in norms] == [
        n.num_features for n in plain.modules() if isinstance(n, nn.BatchNorm2d)
    ]
    assert norms and {norm.num_groups for norm in norms} == {1} and _count(layered) == _count(plain)


def test_a_norm_that_there_is_not_and_two_at_once_are_refused() -> None:
    with pytest.raises(ConfigError, match="norm 'group'"):
        build_baseline(3, 16, norm="group")
    with pytest.raises(ConfigError, match="spectral and norm 'layer'"):
        build_baseline(3, 16, norm="layer", spectral=True)


@pytest.mark.parametrize("build", [build_deconvolution, build_upsampling])
def test_spectral_norm_takes_batch_norms_place_in_d(build: Any) -> None:
    plain, spectral = build(3, 16), build(3, 16, spectral=True)
    convolutions = [layer for layer in spectral.trunk.modules() if isinstance(layer, nn.Conv2d)]
    assert convolutions and all(is_parametrized(layer, "weight") and layer.bias is not None for layer in convolutions)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in spectral.trunk.modules())
    assert not any(is_parametrized(layer) for layer in (*plain.trunk.modules(), *spectral.generator.modules()))
    assert spectral.trunk.spectral and not plain.trunk.spectral
