"""Where latents come from."""

from __future__ import annotations

import pytest
import torch

from augkit.core.classes import CarClass
from augkit.gan.batch import Batch
from augkit.gan.latents import NormalPrior, UniformPrior, mixed_latents

A5, B5 = CarClass("A", "5"), CarClass("B", "5")


def _batch(classes: list[int]) -> Batch:
    rows = len(classes)
    return Batch(torch.zeros(rows, 3, 2, 2), torch.zeros(rows, 2, 2).long(), torch.tensor(classes), 5, 0, rows)


@pytest.mark.parametrize("prior", [NormalPrior, UniformPrior])
def test_training_and_sampling_draw_from_one_distribution(prior: type[NormalPrior] | type[UniformPrior]) -> None:
    trained = prior(4000).batch(_batch([0]), "d")[0]
    drawn = prior(4000).draw(A5, 1)
    assert torch.equal(drawn, prior(4000).draw(B5, 1)) and not torch.equal(drawn, prior(4000).draw(A5, 2))
    for latents in (trained, drawn):
        assert abs(float(latents.mean())) < 0.06
        assert abs(float(latents.std()) - (1 if prior is NormalPrior else 3**-0.5)) < 0.06
    if prior is UniformPrior:
        assert float(drawn.abs().max()) <= 1 and float(trained.abs().max()) <= 1


def test_latents_are_mixed_with_the_nearest_of_their_class() -> None:
    means = torch.tensor([[0.0, 0.0], [1.0, 0.0], [5.0, 0.0], [0.1, 0.1]])
    mixed = mixed_latents(means, torch.tensor([1, 1, 1, 2]), _batch([1, 1, 1, 2]), noise=0.0)
    assert 0 <= mixed[0, 0] <= 1 and mixed[0, 1] == 0  # towards (1, 0), not towards another class's (.1, .1)
    assert 1 <= mixed[2, 0] <= 5
    assert torch.equal(mixed[3], means[3])  # alone of its class


def test_noise_is_added_in_units_of_the_spread() -> None:
    means = torch.randn(64, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 10.0])
    alone = torch.arange(64)
    quiet, loud = (mixed_latents(means, alone, _batch([0] * 64), noise) for noise in (0.0, 0.5))
    torch.testing.assert_close((loud - quiet).std(0) / means.std(0), torch.full((2,), 0.5), rtol=0.25, atol=0)


def test_a_latent_alone_in_its_batch_stays_where_it_is() -> None:
    means = torch.tensor([[0.5, -2.0]])
    assert torch.equal(mixed_latents(means, torch.tensor([1]), _batch([1]), noise=0.5), means)
