"""LOGAN's step against an analytic quadratic."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from augkit.gan.batch import Batch
from augkit.gan.latents import NormalPrior, UniformPrior
from augkit.gan.slots import Unrefined
from augkit.gan.techniques.latent_optimisation import LatentOptimisation, latent_moves

CURVATURE = torch.tensor([0.5, 2.0])


def _batch(rows: int) -> Batch:
    return Batch(torch.zeros(rows, 3, 2, 2), torch.zeros(rows, 2, 2).long(), torch.zeros(rows).long(), 7, 0, rows)


def _score(z: Tensor) -> Tensor:
    """f = z^T A z / 2 with the gradient A z."""
    return (z.square() * CURVATURE).sum(1) / 2


def _expected(z: Tensor, alpha: float, beta: float) -> Tensor:
    g = z * CURVATURE
    return alpha * g / (beta + g.square().sum(1, keepdim=True))


def test_the_step_is_the_natural_gradient_of_each_sample() -> None:
    z = torch.tensor([[0.1, -0.2], [0.4, 0.3], [0.0, 0.0]])
    moved, moves = LatentOptimisation(alpha=0.9, beta=5.0, share=1.0)(z.clone(), _score, _batch(3), "d")
    expected = _expected(z, 0.9, 5.0)
    torch.testing.assert_close(moves.detach(), expected)
    torch.testing.assert_close(moved.detach(), z + expected)


def test_a_sample_does_not_feel_its_neighbours() -> None:
    z = torch.tensor([[0.1, -0.2], [0.4, 0.3]])
    refine = LatentOptimisation(share=1.0)
    together = refine(z.clone(), _score, _batch(2), "d")[0]
    alone = torch.cat([refine(row[None].clone(), _score, _batch(1), "d")[0] for row in z])
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_k_steps_are_k_steps(steps: int) -> None:
    z = torch.tensor([[0.2, 0.1]])
    place = z.clone()
    calls = []

    def score(z: Tensor) -> Tensor:
        calls.append(1)
        return _score(z)

    for _ in range(steps):
        place = (place + _expected(place, 0.9, 5.0)).clamp(-1, 1)
    moved, moves = LatentOptimisation(share=1.0, steps=steps)(z.clone(), score, _batch(1), "d")
    assert len(calls) == steps
    torch.testing.assert_close(moved.detach(), place)
    torch.testing.assert_close(moves.detach(), place - z)


def test_moves_stay_in_the_cube() -> None:
    moved, _ = LatentOptimisation(alpha=50.0, beta=1.0, share=1.0)(torch.full((1, 2), 0.9), _score, _batch(1), "d")
    assert float(moved.detach().max()) == 1.0


def test_who_trains_on_the_move_trains_through_it() -> None:
    """d(dz)/d(curvature) is not 0: the gradient was not cut off."""
    curvature = CURVATURE.clone().requires_grad_()
    refine = LatentOptimisation(share=1.0)
    moved, _ = refine(
        torch.tensor([[0.3, 0.2]]), lambda z: (z.square() * curvature).sum(1) / 2, _batch(1), "d"
    )  # fmt: skip
    moved.sum().backward()
    z = torch.tensor([0.3, 0.2])
    wanted = torch.autograd.functional.jacobian(
        lambda a: (0.9 * z * a / (5 + (z * a).square().sum())).sum(), CURVATURE
    )  # fmt: skip
    torch.testing.assert_close(curvature.grad, wanted)


def test_about_the_share_of_the_latents_is_moved() -> None:
    z = torch.rand(400, 2) * 0.5 + 0.1
    moved, moves = LatentOptimisation(share=0.25)(z.clone(), _score, _batch(400), "d")
    changed = (moved.detach() != z).any(1)
    assert 0.18 < changed.float().mean() < 0.32
    assert torch.equal(changed, (moves.detach() != 0).any(1))


def test_the_default_moves_nothing() -> None:
    z = torch.randn(3, 2)
    moved, moves = Unrefined()(z, _score, _batch(3), "d")
    assert moved is z and not moves.any()


def test_latent_moves_are_squared_lengths() -> None:
    assert float(latent_moves(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))) == pytest.approx(12.5)


def test_latents_come_from_where_their_moves_end() -> None:
    assert isinstance(LatentOptimisation().prior(3), UniformPrior) and isinstance(Unrefined().prior(3), NormalPrior)
