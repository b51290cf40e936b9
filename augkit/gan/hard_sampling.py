"""Which real mask a draw starts from: any, or the harder ones more often.

FreeMask (Yang et al. 2023, section 3.3) makes more photos of masks that are hard to segment. It sorts its N masks by
hardness and makes a number of photos that grows linearly with the rank: N_max r / N for the r-th, the hardest last.
Stage I draws masks one by one, so here the same ratio is a chance: proportional to (r / n)^power among the n masks of a
class, which is FreeMask's with power 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Generator, Tensor

Pick = Callable[[Int[Tensor, " n"], Generator], Tensor]
"""``(places, generator) -> the number of one of them``."""


def evenly(places: Int[Tensor, " n"], generator: Generator) -> Tensor:
    """Each as often."""
    return torch.randint(len(places), (), generator=generator)


@dataclass(frozen=True)
class HardFirst:
    """Harder ones more often; ``hardness`` has a number for every place."""

    hardness: Float[Tensor, " m"]
    power: float

    def __call__(self, places: Int[Tensor, " n"], generator: Generator) -> Tensor:
        """See ``Pick``."""
        chances = torch.from_numpy(rank_chances(self.hardness[places].numpy(), self.power))
        return torch.multinomial(chances, 1, generator=generator)[0]


def rank_chances(hardness: NDArray[Any], power: float) -> NDArray[np.float64]:
    """(n,) -> (n,) chances that sum to 1, proportional to (r / n)^power with r = n for the hardest; equally hard ones
    share their mean rank."""
    weights = (rankdata(hardness) / len(hardness)) ** power
    return np.asarray(weights / weights.sum(), np.float64)
