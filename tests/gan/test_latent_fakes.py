"""One forward pass of a GAN's G for both turns: the same training, with fewer passes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from augkit.gan.batch import Batch
from augkit.gan.game import Game
from augkit.gan.image_tensors import channels_of
from augkit.gan.latent_game import (
    GameNetworks,
    LatentFakes,
    LatentGenerator,
    NoEncoder,
    discriminator_forward,
    generator_forward,
)
from augkit.gan.latents import NormalPrior
from augkit.gan.players import Player
from augkit.gan.slots import Unrefined, Views
from augkit.gan.terms import adversarial_d, adversarial_g
from augkit.losses.adversarial import ADVERSARIAL
from augkit.models.conditioning import Discriminator, LinearHead
from augkit.models.registries import Trunk
from augkit.train.loop import fit
from augkit.train.optim import adam
from augkit.train.run_options import AdamOptions

from .test_players import OneProcess


class Forgetful(LatentFakes):
    """What every turn makes for itself."""

    def take(self, batch: Batch) -> Tensor:
        return self.make(batch)


class CountedGenerator(nn.Module):
    """A small G that counts its passes."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 3 * 8 * 8), nn.Unflatten(1, (3, 8, 8)))
        self.passes = 0

    def forward(self, z: Tensor, classes: Tensor) -> Tensor:
        del classes
        self.passes += 1
        made: Tensor = self.layers(z)
        return made


def _train(kind: type[LatentFakes], shared: bool, microbatches: int) -> CountedGenerator:
    torch.manual_seed(0)
    generator, losses = CountedGenerator(), ADVERSARIAL["bce"]
    trunk = Trunk([nn.Sequential(nn.Conv2d(3, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten())], 64)
    networks = GameNetworks(
        LatentGenerator(generator, NoEncoder()), Discriminator(trunk, LinearHead(64)), NormalPrior(4).batch,
        lambda raw, *_: raw.softmax(1), channels_of(3), Unrefined(), Views(),
    )  # fmt: skip

    def player(name: str, module: nn.Module, terms: list) -> Player:  # type: ignore[type-arg]
        optimiser = adam(module.parameters(), AdamOptions(lr=0.01))
        return Player(name, module, terms, optimiser, lambda step: 1.0, microbatches=microbatches)

    d, g = player("D", networks.discriminator, [adversarial_d(losses)]), player("G", generator, [adversarial_g(losses)])
    fakes = kind(networks)
    forwards = {"D": discriminator_forward(networks, fakes), "G": generator_forward(networks, fakes)}
    masks = torch.randint(0, 3, (4, 8, 8), generator=torch.Generator().manual_seed(0))
    batches = [(step, Batch(torch.zeros(4, 3, 8, 8), masks, torch.zeros(4).long(), step, 0, 4)) for step in (1, 2, 3)]
    fit(Game((d, g), forwards, shared=(g,) if shared else ()), batches, [], OneProcess())  # type: ignore[arg-type]
    return generator


@pytest.mark.parametrize("microbatches", [1, 2])
def test_one_pass_trains_as_two_do(microbatches: int) -> None:
    once, twice = _train(LatentFakes, True, microbatches), _train(Forgetful, False, microbatches)
    for own, other in zip(once.parameters(), twice.parameters(), strict=True):
        assert torch.equal(own, other)
    assert once.passes == twice.passes - 3  # in each step the last microbatch is made once
