"""Does the mask show the class it was made for? A classifier on masks, beside the rule of ``augkit.data.orientation``.

Multinomial logistic regression on the parts' shares of the fields of an 8 x 8 grid (their square roots, which spread
small parts), one for the orientation and one for the doors. On ~320 training masks and their mirror images it tells
held-out orientations better than linear discriminant analysis on the same numbers (docs/gate.md).
"""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from augkit.core.classes import DOORS, ORIENTATIONS, CarClass
from augkit.core.parts import BACKGROUND, Mask
from augkit.gate.candidate import Candidate, Sides, Stage
from augkit.gate.gate_check import CHECKS, FittedState
from augkit.gate.reference import ReferenceSet

SIDE, GRID = 64, 8
PENALTY = 1e-3
ITERATIONS = 100
_HEADS = {"view": ORIENTATIONS, "doors": DOORS}


@CHECKS.register("view")
class ViewCheck:
    """The chances that the classifier gives the asked orientation and the asked doors."""

    stage: ClassVar[Stage] = "mask"
    sides: ClassVar[Sides] = {"view_chance": (True, False), "doors_chance": (True, False)}

    def __init__(self, kept: FittedState, references: ReferenceSet) -> None:
        self.channels, self.folds, self.heads = references.schema.channels, references.folds, kept.tensors

    @classmethod
    def fit(cls, references: ReferenceSet) -> FittedState:
        """For each head (F + 1, D + 1, C) weights, the last row of which are the offsets."""
        rows, folds, classes = [], [], []
        for item, row in references.training():
            for pair in references.both(item):
                rows.append(describe(pair.mask, references.schema.channels))
                folds.append(references.folds[row.id])
                classes.append(pair.car_class)
        table, fold_of = torch.from_numpy(np.stack(rows)), torch.tensor(folds)
        heads = {}
        for name, words in _HEADS.items():
            truth = torch.tensor([words.index(_word(name, shown)) for shown in classes])
            fits = [
                _regress(table[fold_of != f], truth[fold_of != f], len(words)) for f in range(references.folds.count)
            ]
            heads[name] = torch.stack([*fits, _regress(table, truth, len(words))])
        return FittedState(heads)

    def score(self, candidate: Candidate) -> dict[str, float]:
        """0 to 1 each."""
        row, judge = torch.from_numpy(describe(candidate.mask, self.channels)), self.folds.judge(candidate.own)
        found = {}
        for name, words in _HEADS.items():
            weights = self.heads[name][judge]
            chances = (row @ weights[:-1] + weights[-1]).softmax(0)
            found[f"{name}_chance"] = float(chances[words.index(_word(name, candidate.car_class))])
        return found


def describe(mask: Mask, channels: int) -> NDArray[np.float64]:
    """(H, W) ids -> ((K - 1) * 64,) roots of each part's share of each field of the grid."""
    small = cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    parts = np.arange(BACKGROUND + 1, channels, dtype=np.uint8)[:, None, None]
    shown = (small[None] == parts).reshape(-1, GRID, SIDE // GRID, GRID, SIDE // GRID)
    return np.asarray(np.sqrt(shown.mean((2, 4))).reshape(-1), np.float64)


def _word(head: str, car_class: CarClass) -> str:
    return car_class.orientation if head == "view" else car_class.doors


def _regress(table: Tensor, truth: Tensor, count: int) -> Tensor:
    """(N, D), (N,) -> (D + 1, C): the minimum of cross-entropy + PENALTY |weights|^2, which is convex."""
    weights = torch.zeros(table.shape[1] + 1, count, dtype=torch.float64, requires_grad=True)
    centre = table.mean(0)
    optimiser = torch.optim.LBFGS([weights], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        logits = (table - centre) @ weights[:-1] + weights[-1]
        value = functional.cross_entropy(logits, truth) + PENALTY * (weights[:-1] ** 2).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    found = weights.detach()
    return torch.cat([found[:-1], found[-1:] - centre @ found[:-1]])
