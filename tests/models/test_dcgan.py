"""The DCGANs' layers at 128 px, as the two-stage report lists them."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from augkit.models.dcgan import build_deconvolution, build_upsampling
from augkit.models.registries import MaskModel

Shape = tuple[int, ...]


def _outputs(module: nn.Module, kinds: tuple[type[nn.Module], ...], *inputs: Tensor) -> list[Shape]:
    """(channels, side) of every layer of these kinds, in order, for a batch of two."""
    shapes: list[Shape] = []

    def note(_: nn.Module, __: object, output: Tensor) -> None:
        shapes.append((output.shape[1], *output.shape[2:3]))

    hooks = [layer.register_forward_hook(note) for layer in module.modules() if isinstance(layer, kinds)]
    with torch.no_grad():
        module(*inputs)
    for hook in hooks:
        hook.remove()
    return shapes


def _run(model: MaskModel, kinds: tuple[type[nn.Module], ...]) -> tuple[list[Shape], list[Shape]]:
    classes = torch.zeros(2, dtype=torch.long)
    return (
        _outputs(model.generator, kinds, torch.randn(2, model.latent), classes),
        _outputs(model.opponent, kinds, torch.randn(2, 3, 128, 128), classes),
    )


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.fixture(scope="module")
def deconvolution() -> MaskModel:
    return build_deconvolution(19, 128, conditional=False)


@pytest.fixture(scope="module")
def upsampling() -> MaskModel:
    return build_upsampling(19, 128, conditional=False)


def test_deconvolution_layers(deconvolution: MaskModel) -> None:
    g, d = _run(deconvolution, (nn.ConvTranspose2d, nn.Conv2d))
    assert deconvolution.latent == 100
    assert g == [(1024, 4), (512, 8), (256, 16), (128, 32), (64, 64), (3, 128)]
    assert d == [(64, 64), (128, 32), (256, 16), (512, 8), (1024, 4)]


def test_deconvolution_parameters(deconvolution: MaskModel) -> None:
    widths = [1024, 512, 256, 128, 64]
    norms = 2 * sum(widths)
    generator = 100 * 1024 * 16 + sum(a * b * 16 for a, b in itertools.pairwise(widths)) + norms + 64 * 3 * 16 + 3
    assert _count(deconvolution.generator) == generator == 12_786_563
    convolutions = 3 * 64 * 16 + 64 + sum(a * b * 16 for a, b in itertools.pairwise(widths))
    discriminator = convolutions + 2 * (1024 + 512 + 256 + 128) + 1024 * 16 + 1
    assert _count(deconvolution.opponent) == discriminator


def test_upsampling_layers(upsampling: MaskModel) -> None:
    g, d = _run(upsampling, (nn.Linear, nn.Conv2d))
    levels = [(512, 4), (512, 8), (512, 16), (256, 32), (128, 64), (64, 128)]
    assert g == [(512 * 16,), *(level for level in levels for _ in range(2)), (64, 128), (64, 128), (3, 128)]
    levels = [(32, 64), (64, 32), (128, 16), (256, 8), (512, 4), (512, 2)]
    assert d[:2] == [(16, 128)] * 2 and d[-1] == (1,)
    assert d[2:-1] == [level for level in levels for _ in range(2)]


def test_upsampling_ds_score_reads_512_features(upsampling: MaskModel) -> None:
    assert upsampling.opponent.head.linear.in_features == 512  # type: ignore[union-attr]


@pytest.mark.parametrize("build", [build_deconvolution, build_upsampling])
def test_weights_start_as_published(build: Callable[..., MaskModel]) -> None:
    torch.manual_seed(0)
    model = build(19, 64)
    for module in (*model.generator.modules(), *model.opponent.modules()):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module.weight.numel() > 10_000:
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.05)
            assert abs(module.weight.mean().item()) < 0.002
        if isinstance(module, nn.BatchNorm2d):
            assert module.weight.mean().item() == pytest.approx(1.0, abs=0.02) and not module.bias.any()
        if isinstance(module, nn.LeakyReLU):
            assert module.negative_slope == 0.2


@pytest.mark.parametrize("build", [build_deconvolution, build_upsampling])
def test_no_bias_stands_before_batch_norm(build: Callable[..., MaskModel]) -> None:
    model = build(19, 64)
    for trunk in (model.generator.trunk, model.opponent.trunk):
        layers = list(trunk.children())  # type: ignore[union-attr]
        for layer, following in itertools.pairwise(layers):
            if isinstance(following, nn.BatchNorm2d):
                assert layer.bias is None
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in list(model.opponent.trunk.children())[:2])  # type: ignore[union-attr]


@pytest.mark.parametrize("build", [build_deconvolution, build_upsampling])
def test_without_a_condition_the_class_does_not_matter(build: Callable[..., MaskModel]) -> None:
    model = build(19, 32, latent=8, conditional=False)
    z, picture = torch.randn(1, 8), torch.randn(1, 3, 32, 32)
    for module, inputs in ((model.generator.eval(), z), (model.opponent.eval(), picture)):
        assert torch.equal(*(module(inputs, torch.tensor([number])) for number in (0, 5)))
