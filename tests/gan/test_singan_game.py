"""SinGAN's forward passes: what is made anew, what is held, what the terms read."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from augkit.gan.batch import Batch
from augkit.gan.game import Game
from augkit.gan.players import Player
from augkit.gan.singan_game import ScaleNetworks, discriminator_forward, generator_forward
from augkit.gan.techniques.gradient_penalty import PlaceGradientPenalty
from augkit.gan.techniques.sinkhorn import Sinkhorn, coordinates
from augkit.gan.terms import rebuilding_term
from augkit.losses.adversarial import ADVERSARIAL
from augkit.losses.sinkhorn import sinkhorn_divergence
from augkit.models.singan import Pyramid, ScaleDiscriminator, ScaleGenerator, enlarge

SIDE = (16, 18)


@pytest.fixture
def networks() -> ScaleNetworks:
    torch.manual_seed(0)
    below = Pyramid([ScaleGenerator(4)], [(12, 14)], torch.randn(1, 3, 12, 14)).requires_grad_(False)
    base = enlarge(below.rebuild(), SIDE)
    return ScaleNetworks(below, ScaleGenerator(4, 0.1), ScaleDiscriminator(4, 5), SIDE, base, torch.zeros(()))


@pytest.fixture
def batch() -> Batch:
    photos = torch.rand(3, 3, *SIDE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return Batch(photos[:1].expand(3, -1, -1, -1), torch.zeros(3, 1, 1).long(), torch.zeros(3).long(), 5, 0, 3, 3)


def test_every_turn_of_g_makes_another_fake(networks: ScaleNetworks, batch: Batch) -> None:
    def player(name: str, module: nn.Module) -> Player:
        return Player(name, module, [], torch.optim.SGD(module.parameters()), lambda _: 1.0)

    d, g = player("D", networks.discriminator), player("G", networks.generator)
    game = Game((d, d, g, g, g), {"D": discriminator_forward(networks), "G": generator_forward(networks)})
    fakes = [game.forward(turn.player, part).fake.detach() for turn in game.turns for part in turn.batches(batch)]
    assert len(fakes) == 5
    assert all(not torch.allclose(a, b) for i, a in enumerate(fakes) for b in fakes[:i])
    again = [game.forward(turn.player, part).fake.detach() for turn in game.turns for part in turn.batches(batch)]
    assert all(torch.equal(a, b) for a, b in zip(fakes, again, strict=True))


def test_noise_is_fresh_at_every_scale_and_grey_at_the_coarsest(networks: ScaleNetworks, batch: Batch) -> None:
    seen: list[tuple[Tensor, Tensor]] = []
    part = next(iter(batch.split(3)))
    for module in (networks.below.generators[0], networks.generator):
        module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs))
    networks.generate(part, "g")
    (nothing, coarse), (before, fine) = seen
    assert (
        nothing.abs().max() == 0 and coarse.shape[2:] == (12, 14) and tuple(before.shape[2:]) == SIDE == fine.shape[2:]
    )
    assert torch.equal(coarse[:, 0], coarse[:, 2]) and not torch.equal(fine[:, 0], fine[:, 2])


def test_only_the_own_scale_learns(networks: ScaleNetworks, batch: Batch) -> None:
    part = next(iter(batch.split(3)))
    outputs = generator_forward(networks)(part)
    (rebuilding_term(10.0).scaled(outputs) + outputs.fake_features[0][-1].square().mean()).backward()
    assert all(p.grad is not None for p in networks.generator.parameters())
    assert all(p.grad is None for p in networks.below.parameters())
    assert not discriminator_forward(networks)(part).fake.requires_grad


def test_the_reconstruction_is_the_squared_error_of_the_fixed_noise(networks: ScaleNetworks, batch: Batch) -> None:
    part = next(iter(batch.split(3)))
    outputs = generator_forward(networks)(part)
    expected = (networks.generator(networks.base, torch.zeros(())) - part.photos).square().mean()
    assert torch.allclose(rebuilding_term(10.0).scaled(outputs), 10 * expected)


def test_the_penalty_reads_ds_map(networks: ScaleNetworks, batch: Batch) -> None:
    outputs = discriminator_forward(networks)(next(iter(batch.split(3))))
    [term] = PlaceGradientPenalty(adversarial="wgan").terms("D", networks.discriminator)
    assert float(term.scaled(outputs).detach()) > 0


@pytest.mark.parametrize("positions", [False, True])
def test_sinkhorns_players_pull_in_opposite_directions(positions: bool, networks: ScaleNetworks, batch: Batch) -> None:
    technique = Sinkhorn(adversarial="sinkhorn", sinkhorn={"patches": 6, "positions": positions})
    part = next(iter(batch.split(3)))
    ours, theirs = generator_forward(networks)(part), discriminator_forward(networks)(part)
    assert sorted(ours.places.tolist()) == list(range(6 * 8)) and not torch.equal(ours.places, theirs.places)
    of_d, of_g = (technique.adversarial_term(player, ADVERSARIAL["wgan"]) for player in "DG")
    assert float(of_d.scaled(theirs).detach()) < 0 < float(of_g.scaled(ours).detach())
    real, fake = theirs.real_features[0][-1][0], theirs.fake_features[0][-1][0]
    chosen = theirs.places[:6]
    where = coordinates(chosen, *real.shape[1:])
    embedded = [map.flatten(1)[:, chosen].T for map in (real, fake)]
    expected = sinkhorn_divergence(*embedded, (where, where) if positions else None)
    assert torch.allclose(of_d.scaled(theirs), -expected)


def test_coordinates_run_from_corner_to_corner() -> None:
    assert coordinates(torch.tensor([0, 5, 2]), 2, 3).tolist() == [[0, 0], [1, 1], [0, 1]]
