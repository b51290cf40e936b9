"""SinGAN's moves: what is made anew, what is held, what the terms read."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from augkit.gan.batch import Batch
from augkit.gan.game import Game
from augkit.gan.players import Player
from augkit.gan.singan_game import ScaleNetworks, discriminator_forward, generator_forward
from augkit.gan.terms import place_gradient_penalty_term, rebuilding_term
from augkit.gan.transport_terms import SinkhornTerm, _places
from augkit.losses.sinkhorn import sinkhorn_divergence
from augkit.models.singan import Pyramid, ScaleDiscriminator, ScaleGenerator, enlarge

SIDE = (16, 18)


@pytest.fixture
def table() -> ScaleNetworks:
    torch.manual_seed(0)
    below = Pyramid([ScaleGenerator(4)], [(12, 14)], torch.randn(1, 3, 12, 14)).requires_grad_(False)
    base = enlarge(below.rebuild(), SIDE)
    return ScaleNetworks(
        below, ScaleGenerator(4, 0.1), ScaleDiscriminator(4, 5), SIDE, base, torch.zeros(()), patches=6
    )


@pytest.fixture
def batch() -> Batch:
    photos = torch.rand(3, 3, *SIDE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return Batch(photos[:1].expand(3, -1, -1, -1), torch.zeros(3, 1, 1).long(), torch.zeros(3).long(), 5, 0, 3, 3)


def test_every_turn_of_g_makes_another_fake(table: ScaleNetworks, batch: Batch) -> None:
    def player(name: str, module: nn.Module) -> Player:
        return Player(name, module, [], torch.optim.SGD(module.parameters()), lambda _: 1.0)

    d, g = player("D", table.discriminator), player("G", table.generator)
    game = Game((d, d, g, g, g), {"D": discriminator_forward(table), "G": generator_forward(table)})
    fakes = [game.forward(turn.player, part).fake.detach() for turn in game.turns for part in turn.batches(batch)]
    assert len(fakes) == 5
    assert all(not torch.allclose(a, b) for i, a in enumerate(fakes) for b in fakes[:i])
    again = [game.forward(turn.player, part).fake.detach() for turn in game.turns for part in turn.batches(batch)]
    assert all(torch.equal(a, b) for a, b in zip(fakes, again, strict=True))


def test_noise_is_fresh_at_every_scale_and_grey_at_the_coarsest(table: ScaleNetworks, batch: Batch) -> None:
    seen: list[tuple[Tensor, Tensor]] = []
    part = next(iter(batch.split(3)))
    for module in (table.below.generators[0], table.generator):
        module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs))
    table.make(part, "g")
    (nothing, coarse), (before, fine) = seen
    assert (
        nothing.abs().max() == 0 and coarse.shape[2:] == (12, 14) and tuple(before.shape[2:]) == SIDE == fine.shape[2:]
    )
    assert torch.equal(coarse[:, 0], coarse[:, 2]) and not torch.equal(fine[:, 0], fine[:, 2])


def test_only_the_own_scale_learns(table: ScaleNetworks, batch: Batch) -> None:
    part = next(iter(batch.split(3)))
    outputs = generator_forward(table)(part)
    (rebuilding_term(10.0).scaled(outputs) + outputs.fake_features[0][-1].square().mean()).backward()
    assert all(p.grad is not None for p in table.generator.parameters())
    assert all(p.grad is None for p in table.below.parameters())
    assert not discriminator_forward(table)(part).fake.requires_grad


def test_the_reconstruction_is_the_squared_error_of_the_fixed_noise(table: ScaleNetworks, batch: Batch) -> None:
    part = next(iter(batch.split(3)))
    outputs = generator_forward(table)(part)
    expected = (table.generator(table.base, torch.zeros(())) - part.photos).square().mean()
    assert torch.allclose(rebuilding_term(10.0).scaled(outputs), 10 * expected)


def test_the_penalty_reads_ds_map(table: ScaleNetworks, batch: Batch) -> None:
    outputs = discriminator_forward(table)(next(iter(batch.split(3))))
    assert float(place_gradient_penalty_term(0.1).scaled(outputs).detach()) > 0


@pytest.mark.parametrize("positions", [False, True])
def test_sinkhorns_players_pull_in_opposite_directions(positions: bool, table: ScaleNetworks, batch: Batch) -> None:
    transport = SinkhornTerm(0.1, 20, positions)
    part = next(iter(batch.split(3)))
    ours, theirs = generator_forward(table)(part), discriminator_forward(table)(part)
    assert len(set(ours.patches.tolist())) == 6 and not torch.equal(ours.patches, theirs.patches)
    values = [transport.term_d().scaled(theirs).detach(), transport.term_g().scaled(ours).detach()]
    assert float(values[0]) < 0 < float(values[1])
    real, fake = theirs.real_features[0][-1][0], theirs.fake_features[0][-1][0]
    chosen = [(map.flatten(1)[:, theirs.patches]).T for map in (real, fake)]
    where = _places(theirs.patches, *real.shape[1:])
    expected = sinkhorn_divergence(*chosen, (where, where) if positions else None)
    assert torch.allclose(transport.term_d().scaled(theirs), -expected)


def test_places_run_from_corner_to_corner() -> None:
    assert _places(torch.tensor([0, 5, 2]), 2, 3).tolist() == [[0, 0], [1, 1], [0, 1]]
