"""The one training loop. It names no technique: players and their terms are data (see ``augkit.gan``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from accelerate import Accelerator

from augkit.gan.batch import Batch
from augkit.gan.game import Game


class Hook(Protocol):
    """Something that happens beside the training."""

    def after_step(self, step: int, game: Game) -> None:
        """Called when all players have moved; ``step`` counts from 1."""


def fit(game: Game, batches: Iterable[tuple[int, Batch]], hooks: Sequence[Hook], accelerator: Accelerator) -> None:
    """Plays the game over the batches. Raises TrainingError where a loss is not finite."""
    for step, batch in batches:
        for turn in game.turns:
            player = turn.player
            with game.turn(player):
                for part in turn.batches(batch):
                    with accelerator.autocast():
                        outputs = game.forward(player, part)
                        losses = player.evaluate(outputs, step)
                    player.backward(losses, step, accelerator)
                player.step(accelerator)
        for hook in hooks:
            hook.after_step(step, game)
