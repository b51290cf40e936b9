"""The moving averages of D's mean scores of real and of made pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from augkit.gan.players import Backend, TermState


class RunningMeans(TermState):
    """The anchors a_R and a_F: moving averages (decay .99) of D's mean scores, equal on all processes.

    Until the first step is over there is none; ``seen`` counts the steps.
    """

    DECAY = 0.99

    anchors: Tensor
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("anchors", torch.zeros(2))  # of real, of fake
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))
        self._observed: list[Tensor] = []

    def observe(self, real: Tensor, fake: Tensor) -> None:
        """Takes note of a microbatch's scores."""
        self._observed.append(torch.stack([real.detach().mean(), fake.detach().mean()]))

    def settle(self, backend: Backend) -> None:
        """Moves the anchors."""
        means = torch.stack(self._observed).mean(0)
        self._observed.clear()
        if backend.num_processes > 1:
            means = backend.reduce(means, "mean")
        kept = self.DECAY if int(self.seen) else 0.0
        self.anchors.copy_(kept * self.anchors + (1 - kept) * means.to(self.anchors))
        self.seen += 1
