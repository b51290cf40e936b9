"""Ending a run before its last step."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import torch
from accelerate import Accelerator

from augkit.gan.batch import Batch
from augkit.gan.game import Game


class StopSignal:
    """Whoever pulls it, in any process, ends the run in all of them after the present step.

    ``reason`` says why and is empty until then; ``reached`` is the last step that was taken.
    """

    def __init__(self, backend: Accelerator) -> None:
        self.backend, self.reason, self.reached = backend, "", 0

    def request(self, reason: str) -> None:
        """Ends the run; the first reason counts."""
        self.reason = self.reason or reason

    def until(self, batches: Iterable[tuple[int, Batch]]) -> Iterator[tuple[int, Batch]]:
        """The batches, until the brake is requested."""
        for step, batch in batches:
            yield step, batch
            self.reached = step
            if self._requested():
                return

    def _requested(self) -> bool:
        if self.backend.num_processes == 1:
            return bool(self.reason)
        requested = torch.tensor(float(bool(self.reason)), device=self.backend.device)
        return bool(self.backend.reduce(requested, "sum") > 0)


class Deadline:
    """A hook that pulls the brake when the time for the steps is over."""

    def __init__(self, seconds: float, stop: StopSignal) -> None:
        self.seconds, self.stop = seconds, stop
        self.began = time.monotonic()

    def after_step(self, step: int, game: Game) -> None:
        """Looks at the clock."""
        del game
        if time.monotonic() - self.began >= self.seconds:
            self.stop.request(f"step {step}: the {self.seconds:g} s of the budget are over")
