"""A game is data: who moves in which order, and what each player's move is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from augkit.gan.batch import Batch
from augkit.gan.players import Play, Player, turn


@dataclass(frozen=True)
class Game:
    """``players`` in the order of their turns (one may appear several times); ``plays`` by the player's name."""

    players: tuple[Player, ...]
    plays: Mapping[str, Callable[[Batch], Play]]

    def play(self, player: Player, batch: Batch) -> Play:
        """What the player's terms read for this batch."""
        return self.plays[player.name](batch)

    @contextmanager
    def turn(self, player: Player) -> Iterator[None]:
        """Only this player's parameters take gradients."""
        with turn(player, self.players):
            yield

    def state_dict(self) -> dict[str, Any]:
        """The state of every player."""
        return {player.name: player.state_dict() for player in self.players}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse of ``state_dict``."""
        for player in dict.fromkeys(self.players):
            player.load_state_dict(state[player.name])
