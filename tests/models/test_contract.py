"""What every registered network must do: build, give the shapes it promises, train throughout, refuse a bad size."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from augkit.config import MaskSettings
from augkit.errors import ConfigError
from augkit.models.registries import MASK_MODELS, PHOTO_GENERATORS, SEGMENTERS
from augkit.train.image import build_photo_generator
from augkit.train.mask import build_mask_model
from augkit.train.segmenter import build_segmenter

CHANNELS = 5
SMALL: dict[str, dict[str, Any]] = {
    "mask-vae": {"base": 8, "latent": 6},
    "dcgan-deconvolution": {"latent": 6},
    "dcgan-upsampling": {"latent": 6},
    "translator": {"base": 4, "levels": 2, "blocks": 1},
    "pix2pixhd-global": {"base": 4, "levels": 2, "blocks": 1},
    "unet": {"pretrained": False, "widths": (16, 8, 8, 8, 8)},
}
"""Options that make a network small; one that is not here is built as it comes."""

SIZES = (32, 64, 128)


def _small(name: str) -> dict[str, Any]:
    return SMALL.get(name, {})


def _without_gradient(module: nn.Module) -> list[str]:
    """Parameters that a backward pass has not reached, or not moved."""
    return [n for n, p in module.named_parameters() if p.numel() and (p.grad is None or not p.grad.any())]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", sorted(MASK_MODELS))
def test_a_mask_model_keeps_its_promise(name: str, size: int) -> None:
    torch.manual_seed(0)
    model = MASK_MODELS[name](CHANNELS, size, **_small(name))
    z, classes = torch.randn(2, model.latent), torch.tensor([0, 7])
    made = model.generator(z, classes)
    depth = CHANNELS if model.output == "categorical" else 3
    assert made.shape == (2, depth, size, size)
    assert model.output == "categorical" or made.abs().max() <= 1
    judged = model.opponent(torch.rand_like(made), classes)
    if model.kind == "vae":
        mean, log_variance = judged
        assert mean.shape == log_variance.shape == (2, model.latent)
        (mean.square().sum() + (log_variance - 1).square().sum()).backward()
    else:
        assert judged.shape == (2,)
        judged.square().sum().backward()
    made.square().sum().backward()
    assert _without_gradient(model.generator) == [] and _without_gradient(model.opponent) == []


@pytest.mark.parametrize("name", sorted(MASK_MODELS))
def test_a_mask_model_is_told_the_class(name: str) -> None:
    torch.manual_seed(0)
    model = MASK_MODELS[name](CHANNELS, 32, **_small(name))
    model.generator.eval(), model.opponent.eval()
    z, picture = torch.randn(1, model.latent), torch.rand(1, CHANNELS if model.output == "categorical" else 3, 32, 32)
    for module, inputs in ((model.generator, z), (model.opponent, picture)):
        one, other = (module(inputs, torch.tensor([number])) for number in (0, 1))
        pairs = zip(_tensors(one), _tensors(other), strict=True)
        assert any(not torch.equal(a, b) for a, b in pairs)


def _tensors(output: Any) -> list[Tensor]:
    return list(output) if isinstance(output, tuple) else [output]


@pytest.mark.parametrize("size", [48, 96, 8])
@pytest.mark.parametrize("name", sorted(MASK_MODELS))
def test_a_mask_model_refuses_a_size_it_cannot_make(name: str, size: int) -> None:
    with pytest.raises(ConfigError, match=rf"{size} px(.|\n)*power of two(.|\n)*mask\.size"):
        MASK_MODELS[name](CHANNELS, size, **_small(name))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", sorted(PHOTO_GENERATORS))
def test_a_photo_generator_keeps_its_promise(name: str, size: int) -> None:
    torch.manual_seed(0)
    generator = build_photo_generator(name, _small(name), CHANNELS, size)
    photos = generator(torch.randn(2, CHANNELS + 1 + 3, size, size))
    assert photos.shape == (2, 3, size, size) and photos.abs().max() <= 1
    # Not the sum of squares alone: instance-normed features have a fixed one.
    (photos * torch.randn(photos.shape)).sum().backward()
    assert _unreached(generator) == []


def _unreached(module: nn.Module) -> list[str]:
    return [name for name, p in module.named_parameters() if p.grad is None]


@pytest.mark.parametrize("name", sorted(PHOTO_GENERATORS))
def test_a_photo_generator_takes_its_smallest_size_and_refuses_others(name: str) -> None:
    options = {"base": 4, "levels": 4, "blocks": 1}
    generator = build_photo_generator(name, options, CHANNELS, 32)
    assert generator(torch.randn(1, CHANNELS + 4, 32, 32)).shape == (1, 3, 32, 32)
    for size, hint in ((40, "set image.size to 32 or 48"), (16, "set image.size to 32")):
        with pytest.raises(ConfigError, match=rf"image.size {size}(.|\n)*multiple of 16, at least 32(.|\n)*{hint}$"):
            build_photo_generator(name, options, CHANNELS, size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", sorted(SEGMENTERS))
def test_a_segmenter_keeps_its_promise(name: str, size: int) -> None:
    torch.manual_seed(0)
    network = build_segmenter(name, _small(name), CHANNELS, size)
    logits = network(torch.randn(2, 3, size, size))
    assert logits.shape == (2, CHANNELS, size, size)
    (logits * torch.randn(logits.shape)).sum().backward()
    assert _unreached(network) == []


@pytest.mark.parametrize("name", sorted(SEGMENTERS))
def test_a_segmenter_refuses_a_size_it_cannot_read(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"segmenter\.size 48(.|\n)*multiple of 32 for {name}"):
        build_segmenter(name, _small(name), CHANNELS, 48)


@pytest.mark.parametrize("name", [*sorted(MASK_MODELS), *sorted(PHOTO_GENERATORS), *sorted(SEGMENTERS)])
def test_an_option_that_there_is_not_is_refused_by_name(name: str) -> None:
    options = {"bass": 3}
    with pytest.raises(ConfigError, match=rf"(mask|image|segmenter)\.options .*bass.* for {name}"):
        if name in MASK_MODELS:
            build_mask_model(MaskSettings(model=name, options=options), CHANNELS)
        elif name in PHOTO_GENERATORS:
            build_photo_generator(name, options, CHANNELS, 64)
        else:
            build_segmenter(name, options, CHANNELS, 64)
