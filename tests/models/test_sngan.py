"""SN-GAN's residual blocks and widths, and spectral norm itself."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from augkit.core.errors import ConfigError
from augkit.models.attention import SelfAttention
from augkit.models.registries import PictureModel
from augkit.models.sngan import DownBlock, SumPool, UpBlock, build_sngan


def _without_spectral_norm(monkeypatch: pytest.MonkeyPatch, size: int) -> PictureModel:
    """Full width, on the meta device, where power iterations would take seconds."""
    monkeypatch.setattr("augkit.models.sngan.spectral_norm", lambda layer: layer)
    with torch.device("meta"):
        return build_sngan(3, size)


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("size", "g", "d"),
    [
        (64, [1024, 512, 256, 128, 64], [64, 128, 256, 512, 1024]),
        (128, [1024, 1024, 512, 256, 128, 64], [64, 128, 256, 512, 1024, 1024]),
    ],
)
def test_widths_and_parameters_are_the_papers(
    size: int, g: list[int], d: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = _without_spectral_norm(monkeypatch, size)
    assert model.latent == 128 and model.trunk.features == d[-1]
    up = sum(2 * a + (9 * a + 1) * b + 2 * b + (9 * b + 1) * b + (a + 1) * b for a, b in itertools.pairwise(g))
    assert _count(model.generator) == 129 * g[0] * 16 + up + 2 * g[-1] + (9 * g[-1] + 1) * 3
    first = (9 * 3 + 1) * d[0] + (9 * d[0] + 1) * d[0] + (3 + 1) * d[0]
    down = sum((9 * a + 1) * a + (9 * a + 1) * b + (a + 1) * b for a, b in itertools.pairwise(d))
    kept = (d[-2] + 1) * d[-1] if size == 128 else 0  # the last block of 128 px keeps its shape: no 1 x 1 beside it
    assert _count(model.trunk) == first + down - kept


@pytest.mark.parametrize(("size", "last"), [(32, 2), (64, 2), (128, 4), (256, 4)])
def test_the_picture_is_summed_over_its_last_side(size: int, last: int, monkeypatch: pytest.MonkeyPatch) -> None:
    trunk = _without_spectral_norm(monkeypatch, size).trunk
    sides: list[int] = []
    pool = next(layer for layer in trunk.modules() if isinstance(layer, SumPool))
    pool.register_forward_pre_hook(lambda _, inputs: sides.append(inputs[0].shape[-1]))
    trunk(torch.zeros(1, 3, size, size, device="meta"))
    assert sides == [last]


def test_sum_pool_rectifies_and_sums() -> None:
    x = torch.tensor([[[[1.0, -2.0], [3.0, 0.5]], [[-1.0, -1.0], [-1.0, -1.0]]]])
    assert SumPool()(x).tolist() == [[4.5, 0.0]]


@pytest.mark.parametrize("first", [True, False])
def test_a_down_block_without_body_halves_by_the_mean(first: bool) -> None:
    block = DownBlock(3, 3, first=first).eval()
    for layer, draw in ((block.body[3], nn.init.zeros_), (block.shortcut[1], nn.init.dirac_)):
        assert isinstance(layer, nn.Conv2d)
        remove_parametrizations(layer, "weight")
        draw(layer.weight)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    x = torch.randn(2, 3, 4, 4)
    mean = x.unflatten(2, (2, 2)).unflatten(4, (2, 2)).mean((3, 5))
    torch.testing.assert_close(block(x), mean)


@pytest.mark.parametrize("first", [True, False])
def test_only_the_first_block_reads_what_is_below_zero(first: bool) -> None:
    """A picture has signs; a feature map is rectified first."""
    torch.manual_seed(0)
    body, x = DownBlock(3, 4, first=first).eval().body, -torch.rand(1, 3, 4, 4)
    assert torch.equal(body(x), body(2 * x)) is not first


def test_an_up_block_without_body_repeats_pixels() -> None:
    block = UpBlock(3, 3, spectral=False).eval()
    convolutions = (block.body[6], block.shortcut[0])
    assert all(isinstance(layer, nn.Conv2d) for layer in convolutions)
    for layer, draw in zip(convolutions, (nn.init.zeros_, nn.init.dirac_), strict=True):
        draw(layer.weight)  # type: ignore[arg-type]
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    x = torch.randn(2, 3, 2, 2)
    assert torch.equal(block(x), x.repeat_interleave(2, 2).repeat_interleave(2, 3))


def test_blocks_have_second_derivatives() -> None:
    torch.manual_seed(0)
    for block in (DownBlock(2, 3), UpBlock(2, 3, spectral=True)):
        block.double().eval()
        x = torch.randn(2, 2, 2, 2, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradgradcheck(block, (x,), atol=1e-6)


def test_every_layer_of_d_is_under_spectral_norm_and_gs_on_demand() -> None:
    model = build_sngan(3, 32, ch=8)
    weighted = (nn.Conv2d, nn.Linear)
    assert all(is_parametrized(m, "weight") for m in model.trunk.modules() if isinstance(m, weighted))
    assert not any(is_parametrized(m) for m in model.generator.modules()) and model.trunk.spectral
    model = build_sngan(3, 32, ch=8, spectral_generator=True)
    assert all(is_parametrized(m, "weight") for m in model.generator.modules() if isinstance(m, weighted))


def test_sigma_is_the_largest_singular_value() -> None:
    """After many iterations in training mode every normalised matrix has the largest singular value 1."""
    torch.manual_seed(0)
    trunk = build_sngan(3, 32, ch=8).trunk
    layers = [layer for layer in trunk.modules() if isinstance(layer, nn.Conv2d)]
    with torch.no_grad():
        for layer in layers:
            for _ in range(300):
                weight = layer.weight
            original = layer.parametrizations.weight.original  # type: ignore[union-attr]
            sigma = torch.linalg.svdvals(original.flatten(1))[0]  # type: ignore[operator]
            torch.testing.assert_close(weight * sigma, original, rtol=2e-3, atol=1e-5)
            assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1.0, abs=2e-3)


def test_one_more_power_iteration_a_forward_pass_in_training_alone() -> None:
    torch.manual_seed(0)
    trunk = build_sngan(3, 32, ch=8).trunk
    pictures = torch.randn(2, 3, 32, 32)
    before = {name: buffer.clone() for name, buffer in trunk.named_buffers()}
    trunk.eval()(pictures)
    assert all(torch.equal(buffer, before[name]) for name, buffer in trunk.named_buffers())
    trunk.train()(pictures)
    assert any(not torch.equal(buffer, before[name]) for name, buffer in trunk.named_buffers())


@pytest.mark.parametrize("side", [32, 64])
def test_attention_is_in_both_at_its_side(side: int) -> None:
    model = build_sngan(3, 128, ch=4, attention=side)
    for network, inputs in ((model.generator, (128,)), (model.trunk, (3, 128, 128))):
        sides: list[int] = []
        for layer in network.modules():
            if isinstance(layer, SelfAttention):
                layer.register_forward_hook(lambda _, __, output, sides=sides: sides.append(output.shape[-1]))
        with torch.no_grad():
            network(torch.randn(2, *inputs))
        assert sides == [side]


def test_attention_at_the_pictures_own_side_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"self-attention at 64 px(.|\n)*2, 4, 8, 16, 32\n(.|\n)*attention"):
        build_sngan(3, 64, ch=4, attention=64)


def test_a_size_that_the_table_does_not_hold_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"sngan at 512 px(.|\n)*32 px to 256 px"):
        build_sngan(3, 512)
