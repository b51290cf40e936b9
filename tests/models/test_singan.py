"""SinGAN's pyramid and networks, against the paper's figures."""

from __future__ import annotations

import pytest
import torch

from augkit.core.errors import DataError
from augkit.models.singan import (
    Pyramid,
    ScaleDiscriminator,
    ScaleGenerator,
    channels_at,
    enlarge,
    pyramid_sizes,
    shrink,
)


def test_the_sizes_of_the_paper_for_a_square_photo() -> None:
    """250 * (25 / 250)^(k / 8), k = 8 .. 0: log(.1) / log(.75) = 8.004 steps."""
    sides = [25, 33, 44, 59, 79, 105, 141, 187, 250]
    assert pyramid_sizes(256, 256, 25, 0.75, 250) == [(side, side) for side in sides]


def test_a_wide_photo_keeps_its_proportions_and_a_small_one_its_size() -> None:
    """500 x 250 shrinks by half; its shorter side goes from 125 to 25 in log(.2) / log(.5) = 2.3 steps, two of .447."""
    assert pyramid_sizes(250, 500, 25, 0.5, 250) == [(25, 50), (56, 112), (125, 250)]
    assert pyramid_sizes(40, 48, 25, 0.75, 250)[-1] == (40, 48)
    assert pyramid_sizes(25, 25, 25, 0.75, 250) == [(25, 25)]


@pytest.mark.parametrize(("height", "width", "text"), [(20, 64, "20 px"), (100, 2000, "12 px")])
def test_a_photo_below_the_coarsest_scale_is_refused(height: int, width: int, text: str) -> None:
    with pytest.raises(DataError, match=rf"{text}(.|\n)*coarsest scale, 25 px(.|\n)*paint.coarsest"):
        pyramid_sizes(height, width, 25, 0.75, 250)


def test_channels_double_every_four_scales() -> None:
    assert [channels_at(scale, 32, 4) for scale in (0, 3, 4, 7, 8, 12)] == [32, 32, 64, 64, 128, 128]


def test_both_networks_have_the_layers_of_the_paper() -> None:
    """Convolutions 3-32, three of 32-32, 32-3 (or 1), norms of two numbers a channel, a bias in the last alone."""
    count = 9 * (3 * 32 + 3 * 32 * 32) + 4 * 2 * 32
    generator, discriminator = ScaleGenerator(32), ScaleDiscriminator(32)
    assert sum(p.numel() for p in generator.parameters()) == count + 9 * 32 * 3 + 3
    assert sum(p.numel() for p in discriminator.parameters()) == count + 9 * 32 + 1
    assert discriminator(torch.rand(2, 3, 20, 26)).shape == (2, 1, 10, 16)
    assert ScaleDiscriminator(4, 7)(torch.rand(1, 3, 12, 12)).shape == (1, 7, 2, 2)


def test_a_generator_adds_what_is_missing() -> None:
    torch.manual_seed(0)
    generator, before, noise = ScaleGenerator(4, 0.5), torch.rand(2, 3, 12, 14), torch.randn(2, 3, 12, 14)
    made = generator(before, noise)
    assert made.shape == before.shape and float((made - before).detach().abs().max()) < 1
    assert torch.allclose(made, generator(before + 0.5 * noise, noise * 0) - 0.5 * noise, atol=1e-6)
    alone = generator(before[1:], noise[1:])
    assert torch.allclose(made[1:], alone, atol=1e-6)  # no picture depends on those beside it


def test_the_fixed_noise_is_at_the_coarsest_scale_alone() -> None:
    torch.manual_seed(0)
    scales = [ScaleGenerator(4), ScaleGenerator(4, 0.3)]
    fixed = torch.randn(1, 3, 12, 12)
    pyramid = Pyramid(scales, [(12, 12), (16, 16)], fixed)
    coarse = scales[0](torch.zeros(1, 3, 12, 12), fixed)
    assert torch.equal(pyramid.rebuild(1), coarse)
    assert torch.equal(pyramid.rebuild(), scales[1](enlarge(coarse, (16, 16)), torch.zeros(())))
    longer = Pyramid(scales[:1], [(12, 12)], fixed).with_scale(scales[1], (16, 16))
    assert torch.equal(longer.rebuild(), pyramid.rebuild())


def test_shrinking_takes_every_pixel_in() -> None:
    board = (torch.arange(64).view(8, 8) % 2 * 1.0).expand(1, 3, 8, 8)
    assert torch.allclose(shrink(board, (2, 2)), torch.full((1, 3, 2, 2), 0.5), atol=0.05)
    assert shrink(board, (8, 8)) is board and enlarge(board, (8, 8)) is board
