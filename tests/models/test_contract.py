"""What every photo generator and segmenter must do: build, give its shapes, train throughout, refuse a bad size.

``test_picture_models`` has stage I's networks.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from augkit.core.errors import ConfigError
from augkit.models.registries import PHOTO_GENERATORS, SEGMENTERS
from augkit.stages.image import build_photo_generator
from augkit.stages.segmenter import build_segmenter

CHANNELS = 5
SMALL: dict[str, dict[str, Any]] = {
    "translator": {"base": 4, "levels": 2, "blocks": 1},
    "pix2pixhd-global": {"base": 4, "levels": 2, "blocks": 1},
    "pix2pixhd-local": {"base": 4, "levels": 2, "blocks": 1},
    "fpn": {"pretrained": False, "widths": (8, 8, 8)},
    "unet": {"pretrained": False, "widths": (16, 8, 8, 8, 8)},
}
"""Options that make a network small; one that is not here is built as it comes."""

SIZES = (32, 64, 128)


def _small(name: str) -> dict[str, Any]:
    return SMALL.get(name, {})


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", sorted(PHOTO_GENERATORS))
def test_a_photo_generator_keeps_its_promise(name: str, size: int) -> None:
    torch.manual_seed(0)
    generator = build_photo_generator(name, _small(name), CHANNELS + 4, size)
    photos = generator(torch.randn(2, CHANNELS + 1 + 3, size, size))
    assert photos.shape == (2, 3, size, size) and photos.abs().max() <= 1
    # Not the sum of squares alone: instance-normed features have a fixed one.
    (photos * torch.randn(photos.shape)).sum().backward()
    assert _unreached(generator) == []


@pytest.mark.parametrize("name", sorted(PHOTO_GENERATORS))
def test_a_photo_generator_computes_in_bf16(name: str) -> None:
    torch.manual_seed(0)
    generator = build_photo_generator(name, _small(name), CHANNELS + 4, 32).eval()
    condition = torch.randn(1, CHANNELS + 4, 32, 32)
    with torch.inference_mode():
        exact, made = generator(condition), generator.bfloat16()(condition.bfloat16())
    assert made.dtype == torch.bfloat16 and (made.float() - exact).abs().mean() < 0.03


def _unreached(module: nn.Module) -> list[str]:
    return [name for name, p in module.named_parameters() if p.requires_grad and p.grad is None]


@pytest.mark.parametrize("name", sorted(PHOTO_GENERATORS))
def test_a_photo_generator_takes_its_smallest_size_and_refuses_others(name: str) -> None:
    levels = 3 if name == "pix2pixhd-local" else 4  # the enhancer halves once more
    options = {"base": 4, "levels": levels, "blocks": 1}
    generator = build_photo_generator(name, options, CHANNELS + 4, 32)
    assert generator(torch.randn(1, CHANNELS + 4, 32, 32)).shape == (1, 3, 32, 32)
    for size, hint in ((40, "set image.size to 32 or 48"), (16, "set image.size to 32")):
        with pytest.raises(ConfigError, match=rf"image.size {size}(.|\n)*multiple of 16, at least 32(.|\n)*{hint}$"):
            build_photo_generator(name, options, CHANNELS + 4, size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", sorted(SEGMENTERS))
def test_a_segmenter_keeps_its_promise(name: str, size: int) -> None:
    torch.manual_seed(0)
    network = build_segmenter(name, _small(name), CHANNELS, size)
    logits = network(torch.randn(2, 3, size, size))
    assert logits.shape == (2, CHANNELS, size, size)
    (logits * torch.randn(logits.shape)).sum().backward()
    assert any(p.requires_grad for p in network.encoder.parameters())  # type: ignore[union-attr]
    assert _unreached(network) == []


@pytest.mark.parametrize("name", sorted(SEGMENTERS))
def test_a_segmenter_refuses_a_size_it_cannot_read(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"segmenter\.size 48(.|\n)*multiple of 32 for {name}"):
        build_segmenter(name, _small(name), CHANNELS, 48)


@pytest.mark.parametrize("name", [*sorted(PHOTO_GENERATORS), *sorted(SEGMENTERS)])
def test_an_option_that_there_is_not_is_refused_by_name(name: str) -> None:
    options = {"bass": 3}
    with pytest.raises(ConfigError, match=rf"(image|segmenter)\.options .*bass.* for {name}"):
        if name in PHOTO_GENERATORS:
            build_photo_generator(name, options, CHANNELS + 4, 64)
        else:
            build_segmenter(name, options, CHANNELS, 64)
