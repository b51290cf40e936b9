"""The styles of parts: pooled, clustered, snapped to the clusters in use."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from augkit.core.parts import IGNORE
from augkit.gan.conditioning.conditioning import Conditioning, WarpedExemplars
from augkit.gan.conditioning.styles import CLUSTERS, StyleConditioner, _clusters

PARTS, SIDE = 3, 32


def _no_noise(name: str, *shape: int) -> Tensor:
    raise AssertionError("styles ask for no noise")


def _brief(rows: int = 2) -> Conditioning:
    torch.manual_seed(0)
    masks = torch.zeros(rows, SIDE, SIDE, dtype=torch.long)
    masks[:, :, SIDE // 2 :] = 1
    return Conditioning(masks, WarpedExemplars.whole(torch.rand(rows, 3, SIDE, SIDE) * 2 - 1), _no_noise)


def test_a_parts_style_is_the_mean_of_es_features() -> None:
    conditioner, conditioning = StyleConditioner(PARTS), _brief()
    features = conditioner.encoder(conditioning.exemplars.photos)
    expected = features.clone()
    for part in (0, 1):
        pixels = conditioning.masks == part
        for row in range(2):
            expected[row][:, pixels[row]] = features[row][:, pixels[row]].mean(1, keepdim=True)
    torch.testing.assert_close(conditioner(conditioning), expected)


def test_the_encoder_learns_through_the_generators_input() -> None:
    conditioner, conditioning = StyleConditioner(PARTS), _brief()
    (conditioner(conditioning) * torch.randn(2, 3, SIDE, SIDE)).sum().backward()
    assert all(p.grad is not None for p in conditioner.encoder.parameters())


def test_before_settling_codes_are_what_e_says() -> None:
    codes = torch.randn(2, PARTS, 3)
    assert torch.equal(StyleConditioner(PARTS).nearest(codes), codes)


def test_in_use_every_part_has_its_own_nearest_centre() -> None:
    conditioner = StyleConditioner(2)
    conditioner.centres[0, :2] = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    conditioner.centres[0, 2] = torch.tensor([0.4, 0.4, 0.4])  # beyond the count: no centre
    conditioner.counts[0] = 2
    codes = torch.tensor([[[0.4, 0.4, 0.4], [5.0, 6.0, 7.0]], [[0.9, 0.7, 0.8], [1.0, 2.0, 3.0]]])
    expected = torch.tensor([[[0.0, 0.0, 0.0], [5.0, 6.0, 7.0]], [[1.0, 1.0, 1.0], [1.0, 2.0, 3.0]]])
    assert torch.equal(conditioner.nearest(codes), expected)


def test_settling_keeps_the_codes_of_the_parts_that_are_shown() -> None:
    conditioner, conditioning = StyleConditioner(PARTS), _brief(4)
    conditioner.settle([conditioning])
    assert conditioner.counts.tolist() == [4, 4, 0]  # part 2 is never shown
    codes = conditioner.codes(conditioning)
    torch.testing.assert_close(conditioner.nearest(codes), codes)  # four photos, four centres each
    conditioning.masks[:] = IGNORE
    blind = StyleConditioner(PARTS)
    blind.settle([conditioning])
    assert blind.counts.tolist() == [0, 0, 0]


def test_clusters_are_those_of_the_codes_whatever_their_order() -> None:
    torch.manual_seed(1)
    wanted = torch.stack([torch.arange(CLUSTERS).float(), torch.zeros(CLUSTERS), torch.ones(CLUSTERS)], 1)
    codes = (wanted[:, None] + 1e-3 * torch.randn(CLUSTERS, 9, 3)).flatten(0, 1)
    for given in (codes, codes[torch.randperm(len(codes))]):
        found = _clusters(given)
        torch.testing.assert_close(found, wanted, rtol=0, atol=2e-3)


@pytest.mark.parametrize("count", [0, 1, CLUSTERS])
def test_few_codes_are_their_own_clusters(count: int) -> None:
    codes = torch.arange(3.0 * count).view(count, 3)
    assert torch.equal(_clusters(codes.repeat(2, 1)), codes)


def test_many_equal_codes_need_fewer_clusters() -> None:
    codes = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]).repeat(20, 1)
    assert len(_clusters(codes)) == 2


def test_two_exemplars_give_one_mask_two_styles() -> None:
    conditioner, conditioning = StyleConditioner(PARTS), _brief(2)
    conditioner.settle([conditioning])
    styles = conditioner(conditioning)
    assert (styles[0] - styles[1]).abs().max() > 1e-4
