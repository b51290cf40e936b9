"""A game in which one side guesses, or has won, is said to be one, for as long as it was."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import torch
from torch import nn

from augkit.gan.game import Game
from augkit.gan.players import Player, Term
from augkit.gan.terms import adversarial_d
from augkit.losses.adversarial import ADVERSARIAL
from augkit.train.health import Health, OneSidedStretch, one_sided

TENS = list(range(10, 410, 10))


def _game(term: Term) -> Game:
    layer = nn.Linear(1, 1)
    return Game((Player("D", layer, [term], torch.optim.SGD(layer.parameters(), 0.1), lambda step: 1.0),), {})


def _folder(folder: Path, losses: list[float]) -> Path:
    lines = [{"step": 1, "D/adversarial": 100.0}]  # what the first step says is not averaged
    lines += [{"step": 10 * place, "D/adversarial": loss} for place, loss in enumerate(losses, 1)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.mark.parametrize(
    "shares, said",
    [
        ([1.0] * 40, [(10, 400, 1.0)]),
        ([0.5] * 40, []),
        ([0.0] * 40, [(10, 400, 0.0)]),
        ([1.0] * 8 + [0.5] * 32, []),  # not for long
        ([1.0] * 10 + [0.0] * 30, [(10, 100, 1.0), (100, 400, pytest.approx(1 / 31))]),
        ([0.5] * 20 + [0.0] * 20, [(190, 400, pytest.approx(1 / 22))]),
        ([1.0] * 20 + [0.5] * 20, [(10, 210, pytest.approx(20.5 / 21))]),
        ([1.0] * 3, []),
    ],
)
def test_what_lasts_as_long_as_the_window_is_said(shares: list[float], said: list[tuple[int, int, float]]) -> None:
    steps = TENS[: len(shares)]
    assert one_sided("D", steps, shares, 10) == [OneSidedStretch("D", *stretch) for stretch in said]


@pytest.mark.parametrize("name", ["bce", "hinge", "lsgan"])
def test_a_d_that_scores_all_pictures_alike_has_at_least_the_loss_of_guessing(name: str) -> None:
    pair = ADVERSARIAL[name]
    alike = torch.linspace(-3, 3, 601, dtype=torch.float64)
    assert min(float(pair.discriminator(one, one)) for one in alike) == pytest.approx(pair.guess, rel=1e-4)


def test_the_folder_and_the_log_say_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    game, folder = _game(adversarial_d(ADVERSARIAL["hinge"])), _folder(tmp_path, [1.98] * 40)
    health = Health(folder, 400)
    with caplog.at_level(logging.WARNING):
        health.after_step(99, game)
        assert not caplog.messages
        health.after_step(100, game)
    (sentence,) = health.sentences(game)
    assert sentence.startswith("D guesses: from step 10 to 400 its loss was 99% of that of guessing")
    assert [message.endswith(sentence) for message in caplog.messages] == [True]  # once


def test_a_game_that_is_even_or_knows_no_guess_or_is_short_says_nothing(tmp_path: Path) -> None:
    hinge, wgan = _game(adversarial_d(ADVERSARIAL["hinge"])), _game(adversarial_d(ADVERSARIAL["wgan"]))
    assert Health(_folder(tmp_path, [1.2] * 40), 400).sentences(hinge) == []
    assert Health(_folder(tmp_path, [0.0] * 40), 400).sentences(wgan) == []
    assert Health(_folder(tmp_path, [2.0] * 9), 9 * 10).sentences(hinge) == []
    (won,) = Health(_folder(tmp_path, [0.02] * 40), 400).sentences(hinge)
    assert won.startswith("D has won: ")
