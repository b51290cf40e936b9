"""Guides: what a painter reads besides the label map."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from augkit.gan.conditional_generator import ConditionalGenerator, input_channels
from augkit.gan.conditioning import CONDITIONERS
from augkit.gan.conditioning.conditioning import Conditioning, WarpedExemplars
from augkit.gan.label_map import label_map, paint_by_part, part_colours

PARTS = 3
MASKS = torch.tensor([[[0, 1, 1], [2, 2, 1]], [[0, 0, 0], [1, 1, 2]]])


def _noise(name: str, *shape: int) -> Tensor:
    del name
    return torch.stack([torch.full(shape, 1.0), torch.full(shape, 2.0)])


@pytest.fixture
def conditioning() -> Conditioning:
    torch.manual_seed(0)
    known = torch.ones(2, 1, 2, 3)
    known[0, 0, 1, 2] = 0
    return Conditioning(MASKS, WarpedExemplars(torch.rand(2, 3, 2, 3) * 2 - 1, known, known / 2), _noise)


@pytest.mark.parametrize("name", sorted(CONDITIONERS))
def test_a_guide_keeps_its_promise(name: str) -> None:
    conditioner = CONDITIONERS[name](PARTS)
    side = 2 * max(conditioner.smallest, conditioner.divisor)
    conditioning = Conditioning(
        torch.randint(0, PARTS, (2, side, side)), WarpedExemplars.whole(torch.rand(2, 3, side, side)), _noise
    )
    assert conditioner(conditioning).shape == (2, conditioner.channels, side, side)
    conditioner.settle([conditioning])
    assert conditioner(conditioning).shape == (2, conditioner.channels, side, side)


def test_colours_are_those_of_the_known_pixels(conditioning: Conditioning) -> None:
    found = CONDITIONERS["colours"](PARTS)(conditioning)
    torch.testing.assert_close(
        found[0, :, 0, 1], conditioning.exemplars.photos[0, :, 0, 1:].mean(1)
    )  # part 1, one pixel unknown
    colours = part_colours(conditioning.exemplars.photos, MASKS, PARTS, conditioning.exemplars.valid)
    assert torch.equal(found, paint_by_part(MASKS, colours))


def test_the_exemplar_is_the_source_and_where_it_is_known(conditioning: Conditioning) -> None:
    assert torch.equal(
        CONDITIONERS["exemplar"](PARTS)(conditioning),
        torch.cat([conditioning.exemplars.photos, conditioning.exemplars.valid], 1),
    )
    assert CONDITIONERS["exemplar"](PARTS).wants_cycle_warp and not CONDITIONERS["colours"](PARTS).wants_cycle_warp


def test_confidence_is_the_trust_in_the_warp(conditioning: Conditioning) -> None:
    assert torch.equal(CONDITIONERS["confidence"](PARTS)(conditioning), conditioning.exemplars.trust)


def test_noise_is_a_rows_own_and_the_same_everywhere(conditioning: Conditioning) -> None:
    found = CONDITIONERS["noise"](PARTS)(conditioning)
    assert torch.equal(found[0], torch.ones(64, 2, 3)) and torch.equal(found[1], 2 * torch.ones(64, 2, 3))


def test_a_painter_reads_the_label_map_then_the_conditioners(conditioning: Conditioning) -> None:
    conditioners = [CONDITIONERS[name](PARTS) for name in ("exemplar", "noise")]
    seen: list[Tensor] = []

    class Spy(torch.nn.Module):
        def forward(self, condition: Tensor) -> Tensor:
            seen.append(condition)
            return condition[:, :3] * 0 + 0.25

    made = ConditionalGenerator(Spy(), conditioners, PARTS)(conditioning)
    assert torch.equal(made, torch.full((2, 3, 2, 3), 0.25))
    expected = torch.cat([label_map(MASKS, PARTS), *(conditioner(conditioning) for conditioner in conditioners)], 1)
    assert torch.equal(seen[0], expected) and expected.shape[1] == input_channels(PARTS, conditioners)
    repaired = ConditionalGenerator(Spy(), conditioners, PARTS, repair=True)(conditioning)
    torch.testing.assert_close(repaired, (conditioning.exemplars.photos + 0.25).clamp(-1, 1))


def test_a_source_moves_and_is_cut_with_its_batch() -> None:
    source = WarpedExemplars.whole(torch.rand(4, 3, 2, 2))
    assert torch.equal(source[1:3].photos, source.photos[1:3]) and source[1:3].valid.shape == (2, 1, 2, 2)
    assert torch.equal(source.to(torch.device("cpu")).photos, source.photos)
