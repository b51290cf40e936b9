"""What a run asks about its best state, and the answer of a run that judges nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from augkit.gan.game import Game
from augkit.train.stopping import StopSignal


class Selector(Protocol):
    """What a run asks about its best state."""

    def after_step(self, step: int, game: Game) -> None:
        """Judges when due."""

    def choose(self, module: nn.Module) -> dict[str, Any]:
        """Puts the best state into the finished module; what to write down about it."""

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run has to know."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse of ``state_dict``."""


class LastState:
    """No choice: a run ends with its last state."""

    def after_step(self, step: int, game: Game) -> None:
        """Nothing."""

    def choose(self, module: nn.Module) -> dict[str, Any]:
        """Leaves the module as it is."""
        del module
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Empty."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to load."""


def last_state(make: Callable[[], nn.Module], folder: Path, stop: StopSignal) -> Selector:
    """The selector of a run that judges nothing."""
    del make, folder, stop
    return LastState()
