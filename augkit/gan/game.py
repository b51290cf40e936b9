"""A game is data: whose turn comes when, and what each player's forward pass is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from augkit.gan.batch import Batch
from augkit.gan.players import Player, StepOutputs, turn


@dataclass(frozen=True)
class Turn:
    """One player's turn: on the ``part``-th of ``of`` equal parts of the step's batch."""

    player: Player
    part: int
    of: int

    def batches(self, batch: Batch) -> Iterator[Batch]:
        """The turn's microbatches."""
        own = list(batch.split(self.of))[self.part]
        return own.split(self.player.microbatches)


@dataclass(frozen=True)
class Game:
    """``players`` in the order of their turns (one may appear several times); ``forwards`` by the player's name.

    Where a player has several turns in a step, each has a part of the batch of its own; who has one turn takes the
    first part. ``shared`` are those whose forward pass in another's turn is used in their own as well:
    their parameters take gradients in every turn.
    """

    players: tuple[Player, ...]
    forwards: Mapping[str, Callable[[Batch], StepOutputs]]
    shared: tuple[Player, ...] = ()

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """The turns of a step, in order."""
        most = max(Counter(player.name for player in self.players).values())
        had: Counter[str] = Counter()
        turns = []
        for player in self.players:
            turns.append(Turn(player, had[player.name], most))
            had[player.name] += 1
        return tuple(turns)

    def forward(self, player: Player, batch: Batch) -> StepOutputs:
        """What the player's terms read for this batch."""
        return self.forwards[player.name](batch)

    @contextmanager
    def turn(self, player: Player) -> Iterator[None]:
        """Only this player's parameters take gradients, and those of the shared ones."""
        with turn(player, self.players, self.shared):
            yield

    def state_dict(self) -> dict[str, Any]:
        """The state of every player."""
        return {player.name: player.state_dict() for player in self.players}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse of ``state_dict``."""
        for player in dict.fromkeys(self.players):
            player.load_state_dict(state[player.name])
