from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.tracking import GeneralTracker
from torch import nn

from augkit.core import trackers
from augkit.core.errors import ConfigError
from augkit.core.trackers import require_trackers
from augkit.gan.game import Game
from augkit.gan.players import Player
from augkit.train.machine import accelerator
from augkit.train.tracking import Tracking


class Notes(GeneralTracker):  # type: ignore[misc]  # accelerate has no types
    """A tracker that remembers what it is told."""

    name, requires_logging_directory, tracker = "notes", False, None

    def __init__(self) -> None:
        super().__init__()
        self.config: dict[str, Any] = {}
        self.told: list[tuple[int, dict[str, float]]] = []
        self.finished = False

    def store_init_configuration(self, values: dict[str, Any]) -> None:
        self.config = values

    def log(self, values: dict[str, float], step: int | None, **_: Any) -> None:
        assert step is not None
        self.told.append((step, values))

    def finish(self) -> None:
        self.finished = True


@pytest.fixture(autouse=True)
def state() -> Iterator[None]:
    """Accelerate keeps one state a process."""
    yield
    AcceleratorState._reset_state(True)


def game() -> Game:
    layer = nn.Linear(1, 1)
    player = Player("G", layer, [], torch.optim.SGD(layer.parameters(), 0.1), lambda step: 1.0)
    player.losses = {"l1": torch.tensor(0.5)}
    return Game((player,), {})


def test_trackers_are_told_what_the_run_is_and_its_losses() -> None:
    notes = Notes()
    tracking = Tracking(Accelerator(cpu=True, log_with=[notes]), "mask all", {"lr": 0.1, "parts": ["hood"]}, first=3)
    for step in range(3, 21):
        tracking.after_step(step, game())
    tracking.finish()
    assert notes.config == {"lr": 0.1, "parts": '["hood"]'} and notes.finished
    assert notes.told == [(step, {"G/l1": 0.5}) for step in (3, 10, 20)]


def test_without_trackers_nothing_happens(tmp_path: Path) -> None:
    backend = accelerator("fp32", ["tensorboard"], tmp_path)  # whose curves each run draws anyway
    tracking = Tracking(backend, "mask all", {}, first=1)
    tracking.after_step(1, game())
    tracking.finish()
    assert list(tmp_path.iterdir()) == [] and not backend.log_with


def test_a_package_that_is_not_there_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install wandb mlflow"):
        require_trackers(["wandb", "mlflow"])
