"""A game is data: who moves in which order, and what each player's move is."""

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
    """One player's move: on the ``part``-th of ``of`` equal parts of the step's batch."""

    player: Player
    part: int
    of: int

    def batches(self, batch: Batch) -> Iterator[Batch]:
        """The turn's microbatches."""
        own = list(batch.split(self.of))[self.part]
        return own.split(self.player.microbatches)


@dataclass(frozen=True)
class Game:
    """``players`` in the order of their turns (one may appear several times); ``plays`` by the player's name.

    Where a player moves several times in a step, each of its turns has a part of the batch of its own; who moves once
    moves on the first part. ``shared`` are those whose forward pass in another's turn is used in their own as well:
    their parameters take gradients in every turn.
    """

    players: tuple[Player, ...]
    forwards: Mapping[str, Callable[[Batch], StepOutputs]]
    shared: tuple[Player, ...] = ()

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """The turns of a step, in order."""
        most = max(Counter(player.name for player in self.players).values())
        moved: Counter[str] = Counter()
        turns = []
        for player in self.players:
            turns.append(Turn(player, moved[player.name], most))
            moved[player.name] += 1
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
