"""Whether a game was one: says in words where a player guessed, or had won, for a long part of the run."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from augkit.gan.game import Game
from augkit.train.hooks import METRICS_EVERY
from augkit.train.step_lines import METRICS, step_lines

LONG, SHORTEST = 0.25, 100
"""Share of a run's steps over which a loss is averaged, and steps that are at least taken: what lasts as long is said.
"""
GUESSES, WON = 0.95, 0.1
"""Shares of the loss of one who guesses: from the first on a player guesses, up to the second it has won."""


@dataclass(frozen=True)
class OneSidedStretch:
    """Steps over which a player's adversarial loss was about ``share`` of that of one who guesses."""

    player: str
    first: int
    last: int
    share: float

    def __str__(self) -> str:
        loss = f"from step {self.first} to {self.last} its loss was {self.share:.0%} of that of guessing"
        if self.share > (GUESSES + WON) / 2:
            return f"{self.player} guesses: {loss}, so that its opponent learnt nothing from it"
        return f"{self.player} has won: {loss}, so that its opponent found no way against it"


class Health:
    """A hook after ``Metrics``, whose lines it reads: of every term that knows what guessing costs.

    What is new goes to the log at once; ``config.json`` has all of it in the end, as the list ``health``.
    """

    def __init__(self, folder: Path, steps: int) -> None:
        self.folder, self.window = folder, max(SHORTEST, round(LONG * steps))
        self._said: set[tuple[str, int]] = set()

    def after_step(self, step: int, game: Game) -> None:
        """Looks a few times in every window."""
        if step % (self.window // 4) == 0:
            self.sentences(game)

    def sentences(self, game: Game) -> list[str]:
        """What there is to say of the steps so far."""
        lines = list(step_lines(self.folder / METRICS))
        found = [stretch for player, key, guess in _guesses(game) for stretch in self._of(player, key, guess, lines)]
        for stretch in found:
            if (stretch.player, stretch.first) not in self._said:
                logging.getLogger(__name__).warning("%s: %s", self.folder, stretch)
        self._said |= {(stretch.player, stretch.first) for stretch in found}
        return [str(stretch) for stretch in found]

    def _of(self, player: str, key: str, guess: float, lines: Sequence[dict[str, float]]) -> list[OneSidedStretch]:
        known = [line for line in lines if key in line and line["step"] % METRICS_EVERY == 0]
        shares = [line[key] / guess for line in known]
        return one_sided(player, [int(line["step"]) for line in known], shares, self.window // METRICS_EVERY)


def one_sided(player: str, steps: Sequence[int], shares: Sequence[float], width: int) -> list[OneSidedStretch]:
    """Where the mean of ``width`` shares in a row says that a player guesses, or has won; what overlaps is one."""
    found: list[tuple[int, int, int]] = []  # first place, last place + 1, side
    for begin in range(len(shares) - width + 1):
        side, end = _side(shares[begin : begin + width]), begin + width
        if side and found and begin <= found[-1][1] and found[-1][2] == side:
            found[-1] = found[-1][0], end, side
        elif side:
            found.append((begin, end, side))
    return [OneSidedStretch(player, steps[a], steps[b - 1], float(np.mean(shares[a:b]))) for a, b, _ in found]


def _side(shares: Sequence[float]) -> int:
    """1 where the mean is that of guessing, -1 where it is that of having won, else 0."""
    mean = float(np.mean(shares))
    return int(mean >= GUESSES) - int(mean <= WON)


def _guesses(game: Game) -> Iterator[tuple[str, str, float]]:
    """Player, key of the metrics, and the weighted loss of guessing, for each term that knows it."""
    for player in dict.fromkeys(game.players):
        for term in player.terms:
            if term.guess * term.weight > 0:
                yield player.name, f"{player.name}/{term.name}", term.guess * term.weight
