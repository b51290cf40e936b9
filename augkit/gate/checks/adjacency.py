"""Which parts touch: outlines between parts that do not touch in real masks of the orientation."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from augkit.core.classes import ORIENTATIONS
from augkit.core.parts import without_ignore
from augkit.gate.candidate import Candidate, Sides, Stage
from augkit.gate.gate_check import CHECKS, FittedState
from augkit.gate.reference import ReferenceSet
from augkit.metrics.masks import part_adjacency


@CHECKS.register("adjacency")
class Adjacency:
    """Share of a mask's outlines that lies between parts which touch in next to no real mask of its orientation.

    For each two parts ``seen`` is the share of the orientation's masks in which they touch; an outline between them
    counts as strange by 1 - ``seen`` to the power of 4: fully where they never touch, hardly where they do in half.
    """

    stage: ClassVar[Stage] = "mask"
    sides: ClassVar[Sides] = {"adjacency_strange": (False, True)}

    def __init__(self, kept: FittedState, references: ReferenceSet) -> None:
        self.schema, self.folds = references.schema, references.folds
        self.strange: NDArray[np.float64] = (1 - kept.tensors["seen"].numpy()) ** 4

    @classmethod
    def fit(cls, references: ReferenceSet) -> FittedState:
        """(F + 1, 4, P) shares: without each fold, then over all training masks and their mirror images."""
        channels = references.schema.channels
        found: list[tuple[int, int, Any]] = []
        for item, row in references.training():
            for pair in references.both(item):
                touch = part_adjacency(without_ignore(pair.mask)[None], channels)[0] > 0
                found.append((references.folds[row.id], ORIENTATIONS.index(pair.car_class.orientation), touch))
        folds, views = np.array([f for f, _, _ in found]), np.array([v for _, v, _ in found])
        touches = np.array([touch for _, _, touch in found], np.float64)
        seen = np.zeros((references.folds.count + 1, len(ORIENTATIONS), touches.shape[1]))
        for fold in range(references.folds.count + 1):
            for view in range(len(ORIENTATIONS)):
                mine = touches[(folds != fold) & (views == view)]
                seen[fold, view] = mine.mean(0) if len(mine) else 1.0  # nothing known is nothing strange
        return FittedState({"seen": torch.from_numpy(seen)})

    def score(self, candidate: Candidate) -> dict[str, float]:
        """0 (all outlines are usual) to 1."""
        lengths = part_adjacency(without_ignore(candidate.mask)[None], self.schema.channels)[0]
        strange = self.strange[self.folds.judge(candidate.own), ORIENTATIONS.index(candidate.car_class.orientation)]
        return {"adjacency_strange": float(lengths @ strange)}
