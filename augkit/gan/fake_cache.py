"""One forward pass of G for two turns."""

from __future__ import annotations

from torch import Tensor

from augkit.gan.batch import Batch


class KeptFakes:
    """What G made in D's turn stays for G's turn, which follows: G has not moved in between, so its pictures of the
    same rows would be the same, and one forward pass of G in a step is enough.

    G's parameters must take gradients in D's turn as well (``Game.shared``). Only the last pictures are kept: where a
    turn has several microbatches, the others are made twice.
    """

    def __init__(self) -> None:
        self._left: tuple[Batch, Tensor] | None = None

    def make(self, batch: Batch) -> Tensor:
        """G's pictures; every time the same, as long as G has not moved."""
        raise NotImplementedError

    def paint(self, batch: Batch) -> Tensor:
        """For D's turn: cut off from G's graph, which is kept."""
        self._left = None  # before the next graph is made
        pictures = self.make(batch)
        self._left = batch, pictures
        return pictures.detach()

    def take(self, batch: Batch) -> Tensor:
        """For G's turn, with G's graph, which is kept no longer."""
        if self._left is not None and self._left[0].same_rows(batch):
            (_, pictures), self._left = self._left, None
            return pictures
        return self.make(batch)
