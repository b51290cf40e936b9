"""A gain in labels: how many of them the opponent needs to read as well.

The opponent's figures at some numbers of labels make a curve, linear in the logarithm of the number between them. It is
taken never to fall (a figure below an earlier one counts as that one), which is in the opponent's favour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augkit.core.seeds import derive

Values = NDArray[np.float64]
FEWER, MORE = 0.0, float("inf")
"""Than the fewest and than the most labels that the opponent was trained with."""
_TAILS = (2.5, 97.5)


@dataclass(frozen=True)
class LabelWorth:
    """``labels`` with augkit are worth ``worth`` without; ``low`` and ``high`` are the ends of the 95 % interval."""

    labels: float
    worth: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data: ``fewer`` and ``more`` where it lies beyond the curve."""
        words = {FEWER: "fewer", MORE: "more"}
        return {name: words.get(value, value) for name, value in vars(self).items()}


def labels_for(value: float, labels: Sequence[float], curve: Values) -> float:
    """Labels at which the ``curve`` (N,) over ``labels`` (N,) first reaches a value; ``FEWER``, or ``MORE``."""
    rising = np.maximum.accumulate(curve)
    place = int(np.searchsorted(rising, value))
    if place == len(rising):
        return MORE
    if place == 0:
        return labels[0] if value == rising[0] else FEWER
    share = (value - rising[place - 1]) / (rising[place] - rising[place - 1])
    return float(labels[place - 1] * (labels[place] / labels[place - 1]) ** share)


def label_worth(place: int, labels: Sequence[float], ours: Values, opponent: Sequence[Values]) -> LabelWorth:
    """What the ``place``-th number of labels is worth. ``ours`` (1 + draws, S) and ``opponent``, for each number of
    labels, are figures of S seeds: first on the photos as they are, then on draws of them.

    The interval is that of the percentiles when photos and seeds are drawn together; a seed's runs stay together.
    """
    random = np.random.default_rng(derive(0, "label worth"))
    draws, seeds = ours.shape
    curves = np.stack(opponent, axis=-1)
    drawn = []
    for draw in range(1, draws):
        picked = random.integers(0, seeds, seeds)
        value, curve = float(ours[draw, picked].mean()), curves[draw, picked].mean(0)
        if np.isfinite([value, *curve]).all():  # else the draw shows nothing of what the figure is about
            drawn.append(labels_for(value, labels, curve))
    low, high = np.percentile(drawn, _TAILS, method="nearest") if drawn else (FEWER, MORE)
    worth = labels_for(float(ours[0].mean()), labels, curves[0].mean(0))
    return LabelWorth(labels[place], worth, float(low), float(high))
