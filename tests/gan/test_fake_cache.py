"""One forward pass of stage II's G for both turns: the same training, with fewer passes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from augkit.gan.batch import Batch
from augkit.gan.conditioning.conditioning import Conditioning
from augkit.gan.fake_pool import NoPool
from augkit.gan.game import Game
from augkit.gan.image_game import FakeCache, discriminator_forward, generator_forward, paint
from augkit.gan.players import Player
from augkit.gan.techniques.l1 import L1
from augkit.gan.terms import adversarial_d, adversarial_g
from augkit.losses.adversarial import ADVERSARIAL
from augkit.models.patch import MultiScaleDiscriminator
from augkit.train.loop import fit
from augkit.train.optim import adam
from augkit.train.run_options import AdamOptions

from .test_players import OneProcess


class Forgetful(FakeCache):
    """What every turn painted for itself."""

    def take(self, batch: Batch) -> Tensor:
        return paint(self.painter, batch)


class Counted(nn.Module):
    """A small G that counts its passes."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 3, padding=1))
        self.passes = 0

    def forward(self, conditioning: Conditioning) -> Tensor:
        self.passes += 1
        painted: Tensor = self.layers(conditioning.exemplars.photos)
        return painted


def _batch(step: int) -> Batch:
    generator = torch.Generator().manual_seed(step)
    masks = torch.randint(0, 3, (2, 16, 16), generator=generator)
    return Batch(torch.randn(2, 3, 16, 16, generator=generator), masks, torch.arange(2), step, 0, 2)


def _train(cache: type[FakeCache], shared: bool, microbatches: int = 1) -> Counted:
    torch.manual_seed(0)
    painter, critic = Counted(), MultiScaleDiscriminator(3 + 1 + 3, base=4, layers=1, scales=1)
    losses, fakes = ADVERSARIAL["lsgan"], cache(painter)

    def player(name: str, module: nn.Module, terms: list) -> Player:  # type: ignore[type-arg]
        optimiser = adam(module.parameters(), AdamOptions(lr=0.01))
        return Player(name, module, terms, optimiser, lambda step: 1.0, microbatches=microbatches)

    d = player("D", critic, [adversarial_d(losses)])
    g = player("G", painter, [adversarial_g(losses), *L1(l1=1.0).terms("G", painter)])
    forwards = {"D": discriminator_forward(fakes, critic, 3, NoPool()), "G": generator_forward(fakes, critic, 3)}
    game = Game((d, g), forwards, shared=(g,) if shared else ())
    fit(game, [(step, _batch(step)) for step in (1, 2, 3)], [], OneProcess())  # type: ignore[arg-type]
    return painter


@pytest.mark.parametrize("microbatches", [1, 2])
def test_one_pass_trains_as_two_do(microbatches: int) -> None:
    once, twice = _train(FakeCache, True, microbatches), _train(Forgetful, False, microbatches)
    for own, other in zip(once.parameters(), twice.parameters(), strict=True):
        assert torch.equal(own, other)
    assert twice.passes == 3 * 2 * microbatches
    assert once.passes == twice.passes - 3  # in each step the last microbatch is painted once


def test_what_is_left_is_for_the_same_rows_of_the_same_step_and_for_one_turn() -> None:
    painter = Counted()
    cache, batch = FakeCache(painter), _batch(1)
    assert not cache.paint(batch).requires_grad
    others = replace(batch, start=2, total=4), replace(batch, seed=2)
    assert all(cache.take(other).requires_grad for other in others) and painter.passes == 3
    assert cache.take(batch).requires_grad and painter.passes == 3
    assert cache.take(batch).requires_grad and painter.passes == 4
