"""Adversarial pairs against their formulas."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from augkit.losses.adversarial import ADVERSARIAL

REAL, FAKE = torch.tensor([0.5, -2.0, 3.0]), torch.tensor([-0.5, 2.0])
scores = st.lists(st.floats(-30, 30), min_size=1, max_size=8).map(lambda xs: torch.tensor(xs, dtype=torch.float64))


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


# (name, D's loss, G's loss) written out term by term.
BY_HAND = {
    "bce": (
        -_mean([math.log(_sigmoid(x)) for x in (0.5, -2.0, 3.0)])
        - _mean([math.log(1 - _sigmoid(x)) for x in (-0.5, 2.0)]),
        -_mean([math.log(_sigmoid(x)) for x in (-0.5, 2.0)]),
    ),
    "hinge": (_mean([0.5, 3.0, 0.0]) + _mean([0.5, 3.0]), -0.75),
    "lsgan": ((_mean([0.25, 9.0, 4.0]) + _mean([0.25, 4.0])) / 2, _mean([2.25, 1.0])),
    "wgan": (0.75 - 0.5, -0.75),
}


def test_the_table_covers_every_entry() -> None:
    assert set(BY_HAND) == set(ADVERSARIAL)


@pytest.mark.parametrize("name", BY_HAND)
def test_losses_equal_their_formula(name: str) -> None:
    pair, (d, g) = ADVERSARIAL[name], BY_HAND[name]
    assert pair.discriminator(REAL, FAKE).item() == pytest.approx(d, rel=1e-5)
    assert pair.generator(FAKE).item() == pytest.approx(g, rel=1e-5)


@pytest.mark.parametrize("name", sorted(ADVERSARIAL))
@given(real=scores, fake=scores)
def test_ds_loss_is_a_finite_mean_that_never_falls_below_its_bound(name: str, real: Tensor, fake: Tensor) -> None:
    pair = ADVERSARIAL[name]
    loss = pair.discriminator(real, fake)
    assert loss.shape == () and torch.isfinite(loss) and (loss >= 0 or name == "wgan")  # Wasserstein's has none
    torch.testing.assert_close(pair.discriminator(real.repeat(2), fake.repeat(3)), loss)


@pytest.mark.parametrize("name", sorted(ADVERSARIAL))
def test_players_pull_fake_scores_in_opposite_directions(name: str) -> None:
    pair, fake = ADVERSARIAL[name], torch.tensor([0.2, -0.3], requires_grad=True)
    (up,) = torch.autograd.grad(pair.generator(fake), fake)
    assert (up < 0).all()  # G's loss falls as the scores of its fakes rise
    real = torch.tensor([0.1], requires_grad=True)
    (up,) = torch.autograd.grad(pair.discriminator(real, torch.tensor([0.2, 0.4])), real)
    assert (up < 0).all()
    fake = torch.tensor([0.2, 0.4], requires_grad=True)
    (down,) = torch.autograd.grad(pair.discriminator(real.detach(), fake), fake)
    assert (down > 0).all()


def test_bce_stays_finite_for_scores_whose_sigmoid_rounds_to_zero() -> None:
    far = torch.tensor([-500.0])
    assert ADVERSARIAL["bce"].generator(far).item() == pytest.approx(500.0)
