"""Moving averages against their formula, metrics that survive a resume, and when the other hooks act."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from augkit.gan.game import Game
from augkit.gan.players import Player
from augkit.train import hooks
from augkit.train.hooks import Average, Checkpoint, Metrics, ProgressHook, SampleImages

GAME = Game((), {})


def _player(**losses: float) -> Player:
    layer = nn.Linear(1, 1)
    player = Player("G", layer, [], torch.optim.SGD(layer.parameters(), 0.1), lambda step: 1.0)
    player.losses = {name: torch.tensor(value) for name, value in losses.items()}
    return player


def _walk(average: Average, network: nn.Linear, values: list[float]) -> None:
    for step, value in enumerate(values, 1):
        nn.init.constant_(network.weight, value)
        average.after_step(step, GAME)


@pytest.mark.parametrize("decay", [0.0, 0.2, 0.3, 0.999])
def test_the_average_equals_its_formula(decay: float) -> None:
    network, values = nn.Linear(1, 1), [1.0, 2.0, -3.0, 0.5, 7.0]
    average = Average(network, decay)
    _walk(average, network, values)
    expected = values[0]  # the first step is taken as it is
    for t, value in enumerate(values[1:], 2):
        share = min(decay, (1 + t) / (10 + t)) if decay else 0.0
        expected = share * expected + (1 - share) * value
    assert average.network.weight.item() == pytest.approx(expected, rel=1e-5)  # type: ignore[operator, union-attr]
    assert network.weight.item() == 7.0


def test_batch_statistics_are_the_latest_not_averaged() -> None:
    network = nn.BatchNorm1d(2)
    average = Average(network, 0.9)
    for step in (1, 2):
        network(torch.randn(8, 2) + step)
        average.after_step(step, GAME)
    averaged = average.network
    assert torch.equal(averaged.running_mean, network.running_mean)  # type: ignore[arg-type]
    assert averaged.num_batches_tracked == 2 and not averaged.training and network.training


def test_the_average_is_handed_out_as_a_copy() -> None:
    """Sampling moves it to the CPU: the next step must still find its own average where the network is."""
    network = nn.Linear(1, 1)
    average = Average(network, 0.5)
    _walk(average, network, [1.0])
    average.network.to("meta").train()
    average.after_step(2, GAME)
    assert average.network.weight.device.type == "cpu" and not average.network.training


def test_the_average_goes_on_from_its_state() -> None:
    values = [1.0, 2.0, -3.0, 0.5]
    network = nn.Linear(1, 1)
    whole = Average(network, 0.9)
    _walk(whole, network, values)
    other = nn.Linear(1, 1)
    first, second = Average(other, 0.9), Average(nn.Linear(1, 1), 0.9)
    _walk(first, other, values[:2])
    second = Average(other, 0.9)
    second.load_state_dict(first.state_dict())
    _walk(second, other, values[2:])
    assert torch.equal(second.network.weight, whole.network.weight)  # type: ignore[arg-type]


def test_a_network_with_spectral_norm_can_be_averaged() -> None:
    network = nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3))
    average = Average(network, 0.5)
    average.after_step(1, GAME)
    assert average.network(torch.ones(1, 3)).isfinite().all()


def _lines(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_metrics_are_written_of_the_first_and_every_tenth_step(tmp_path: Path) -> None:
    game = Game((_player(l1=0.5),), {})
    metrics = Metrics(tmp_path, 1)
    for step in range(1, 31):
        metrics.after_step(step, game)
    assert [line["step"] for line in _lines(tmp_path)] == [1, 10, 20, 30]
    assert all(line["G/l1"] == 0.5 and line["seconds_per_step"] >= 0 for line in _lines(tmp_path))
    assert list((tmp_path / "tensorboard").iterdir())


def test_a_resume_drops_the_lines_of_steps_to_be_repeated_and_a_torn_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "METRICS_EVERY", 1)
    game = Game((_player(l1=0.5),), {})
    metrics = Metrics(tmp_path, 1)
    for step in range(1, 6):
        metrics.after_step(step, game)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 2, "G/l1": 1 "damaged": 2}\n{"step": 6, "G/l')  # killed while writing
    again = Metrics(tmp_path, 4)
    assert [line["step"] for line in _lines(tmp_path)] == [1, 2, 3]
    again.after_step(4, game)
    assert [line["step"] for line in _lines(tmp_path)] == [1, 2, 3, 4]
    Metrics(tmp_path, 1)
    assert _lines(tmp_path) == []


@pytest.mark.parametrize(("every", "steps", "expected"), [(3, 8, [3, 6, 8]), (4, 8, [4, 8]), (50, 2, [2])])
def test_checkpoints_and_samples_come_when_due_and_at_the_end(
    every: int, steps: int, expected: list[int], tmp_path: Path
) -> None:
    saved: list[int] = []
    picture = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    acting = [Checkpoint(every, steps, saved.append), SampleImages(tmp_path / "s", every, steps, lambda: picture)]
    for step in range(1, steps + 1):
        for hook in acting:
            hook.after_step(step, GAME)
    assert saved == expected
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == [f"step-{step:06d}.png" for step in expected]


def test_every_step_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    hook = ProgressHook("mask all", 2, lambda *about: told.append(about))
    hook.after_step(1, GAME)
    hook.after_step(2, GAME)
    assert told == [("mask all", 1, 2), ("mask all", 2, 2)]
