"""Optimisers and learning-rate schedules."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn

from augkit.gan.players import ASLEEP_FOR
from augkit.train.run_options import AdamOptions


def adam(parameters: Iterable[nn.Parameter], options: AdamOptions) -> torch.optim.Optimizer:
    """Adam over the parameters that are to be trained."""
    owned = [parameter for parameter in parameters if parameter.requires_grad]
    return torch.optim.Adam(owned, options.lr, options.betas, weight_decay=options.weight_decay, fused=True)


def adam_in_turns(
    late: Iterable[nn.Parameter], others: Iterable[nn.Parameter], asleep_for: int, options: AdamOptions
) -> torch.optim.Optimizer:
    """Adam over ``others`` from the start, and over ``late`` after ``asleep_for`` steps."""
    optimiser = adam(others, options)
    optimiser.add_param_group({"params": list(late), ASLEEP_FOR: asleep_for})
    return optimiser


def adam_at_two_rates(
    encoder: Iterable[nn.Parameter], lr: float, others: Iterable[nn.Parameter], options: AdamOptions
) -> torch.optim.Optimizer:
    """Adam over what is to be trained: an encoder's parameters at the rate ``lr``, others at that of the options."""
    optimiser = adam(others, options)
    optimiser.add_param_group({"params": [parameter for parameter in encoder if parameter.requires_grad], "lr": lr})
    return optimiser


def linear_decay(steps: int, decay_from: float) -> Callable[[int], float]:
    """Factor 1 for the first share ``decay_from`` of the steps, then linearly towards 0 after the last."""
    start = decay_from * steps

    def rate(step: int) -> float:
        return 1.0 if step <= start or start == steps else max(0.0, (steps - step) / (steps - start))

    return rate


def poly_decay(steps: int, warm_up: int = 20, power: float = 0.9) -> Callable[[int], float]:
    """(1 - step / steps)^power (Chen et al. 2017, DeepLab), after a linear rise over the first ``warm_up`` steps."""

    def rate(step: int) -> float:
        return float(min(1.0, (step + 1) / warm_up) * max(0.0, 1 - step / steps) ** power)

    return rate


def constant(step: int) -> float:
    """Factor 1 throughout."""
    del step
    return 1.0
