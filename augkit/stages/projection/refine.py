"""Refinement: a latent is moved by gradient descent until the generator makes the picture, G frozen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from augkit.core.classes import CarClass
from augkit.core.errors import TrainingError
from augkit.losses.perceptual import perceptual
from augkit.stages.projection.forms import ProjectionTarget
from augkit.stages.projection.latent_model import LatentModel
from augkit.train.optim import linear_decay

RATE = 0.05
"""Adam's learning rate, in standard deviations of the latents."""
STEADY = 0.5
"""Share of the steps before the rate falls."""

Errors = dict[str, Tensor]


class ReconstructionError:
    """How far what G makes of a latent is from a target: an error a pixel plus ``weight`` x a perceptual one.

    ``features`` is a perceptual network for colours in [-1, 1]; it is not asked where the weight is 0.
    """

    def __init__(
        self, model: LatentModel, car_class: CarClass, target: ProjectionTarget, features: nn.Module, weight: float
    ) -> None:
        self.model, self.car_class, self.target = model, car_class, target
        self.features, self.weight = features, weight
        with torch.no_grad():
            self._maps = self._look(target.colours) if weight else []

    def parts(self, z: Float[Tensor, "1 latent"]) -> Errors:
        """The errors by name, without their weights."""
        raw = self.model.raw(z, self.car_class)
        errors = {self.model.form.error: self.model.form.distance(raw, self.target)}
        if self.weight:
            errors["perceptual"] = self._likeness(raw)
        return errors

    def total(self, errors: Errors) -> Tensor:
        """Their weighted sum: what is minimised."""
        return torch.stack([self.weight * e if name == "perceptual" else e for name, e in errors.items()]).sum()

    def _likeness(self, raw: Tensor) -> Tensor:
        network: Any = self.features
        maps = self._look(self.model.form.paint(raw))
        return perceptual(self._maps, maps, network.weights, network.relative)

    def _look(self, colours: Tensor) -> list[Tensor]:
        maps: list[Tensor] = self.features(colours * self.target.known)
        return maps


@dataclass(frozen=True)
class Refined:
    """The best latent that was met, the step after which it was met, and its error; ``before`` is the start's."""

    z: Float[Tensor, "1 latent"]
    step: int
    error: float
    before: float


def refine(
    start: Float[Tensor, "1 latent"],
    error: Callable[[Tensor], Tensor],
    steps: int,
    rate: float,
    clip: Callable[[Tensor], Tensor],
) -> Refined:
    """Adam on z from ``start``, clipped after each step; the best z is kept, the start among them, so none is worse.

    Raises TrainingError where the error is not finite.
    """
    z = start.detach().clone().requires_grad_()
    optimiser, decay = torch.optim.Adam([z], rate), linear_decay(steps, STEADY)
    best, least, chosen, before = start.detach(), float("inf"), 0, float("inf")
    for step in range(steps + 1):
        loss = error(z)
        value = float(loss.detach())
        if not loss.isfinite():
            raise TrainingError(f"refinement step {step}: error is {value}", "a finite error", "train the model again")
        before = value if step == 0 else before
        if value < least:
            best, least, chosen = z.detach().clone(), value, step
        (z.grad,) = torch.autograd.grad(loss, [z])
        optimiser.param_groups[0]["lr"] = rate * decay(step)
        optimiser.step()
        with torch.no_grad():
            z.copy_(clip(z))
    return Refined(best, chosen, least, before)
