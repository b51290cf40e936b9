"""The VAEs' layers; the contract test covers the rest."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from augkit.core.errors import ConfigError
from augkit.models.mask_vae import build_mask_vae
from augkit.models.vae import build_convolutional, build_dense


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _outputs(module: nn.Module, kinds: tuple[type[nn.Module], ...]) -> list[int]:
    return [layer.weight.shape[0] for layer in module.modules() if isinstance(layer, kinds)]


def test_mask_vae_keeps_its_widths() -> None:
    """One more base a level, at most five: 48 to 192 at 64 px, 48 to 240 from 128 px on."""
    model = build_mask_vae(19, 64)
    assert model.kind == "vae" and model.latent == 48
    assert _outputs(model.trunk, (nn.Conv2d,)) == [48, 96, 144, 192] and model.trunk.features == 192 * 16
    assert _outputs(model.generator, (nn.Linear, nn.Conv2d)) == [192 * 16, 144, 96, 48, 48]
    assert _outputs(build_mask_vae(19, 256).trunk, (nn.Conv2d,)) == [48, 96, 144, 192, 240, 240]


def test_mask_vae_has_no_batch_statistics() -> None:
    model = build_mask_vae(19, 64)
    assert list(model.generator.buffers()) == list(model.trunk.buffers()) == []


def test_a_base_that_group_norm_cannot_divide_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"base 12(.|\n)*multiple of 8"):
        build_mask_vae(7, 64, base=12)


def test_dense_layers_and_parameters() -> None:
    with torch.device("meta"):
        model = build_dense(3, 64)
    pixels = 3 * 64 * 64
    assert _outputs(model.trunk, (nn.Linear,)) == [512, 256] and model.trunk.features == 256
    assert _outputs(model.generator, (nn.Linear,)) == [256, 512, pixels]
    assert _count(model.trunk) == (pixels + 1) * 512 + 513 * 256
    assert _count(model.generator) == (64 + 1) * 256 + 257 * 512 + 513 * pixels
    assert not any(isinstance(layer, nn.Conv2d) for layer in model.trunk.modules())


def test_too_few_hidden_units_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"1 hidden unit(.|\n)*2 or more"):
        build_dense(3, 64, hidden=1)


def test_convolutional_layers() -> None:
    model = build_convolutional(3, 64)
    assert _outputs(model.trunk, (nn.Conv2d,)) == [32, 64, 128, 256] and model.trunk.features == 256 * 16
    transposed = [layer for layer in model.generator.modules() if isinstance(layer, nn.ConvTranspose2d)]
    assert [(layer.in_channels, layer.out_channels) for layer in transposed] == [
        (256, 128),
        (128, 64),
        (64, 32),
        (32, 3),
    ]
    assert not any(isinstance(layer, nn.Linear) for layer in model.trunk.modules())
