"""From counts of pixels to figures: IoU over all, over the tail, by part and by class, with what is needed for
their intervals."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from augkit.metrics.intervals import Estimate, estimate, photo_draws
from augkit.metrics.overlap import iou_where_it_is

if TYPE_CHECKING:
    from augkit.evaluate.utility.held_out import HeldOut
    from augkit.evaluate.utility.tail import Tail

DRAWS = 1000
OVERALL, TAIL_PARTS, TAIL_CLASSES = MEANS = "overall", "tail parts", "tail classes"

Counts = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class ArmFigures:
    """The figures of one arm: ``seeds`` (S, Q), and the same on each draw of the photos, ``drawn`` (B, S, Q)."""

    seeds: Values
    drawn: Values

    def __sub__(self, other: ArmFigures) -> ArmFigures:
        """How much more, seed by seed and draw by draw."""
        return ArmFigures(self.seeds - other.seeds, self.drawn - other.drawn)


class UtilityMeasure:
    """What is measured on given held-out pairs.

    The figures' ``names``, in order: ``overall``, the two of the tail, ``part NAME`` for each part that the pairs show,
    ``class NAME`` for each of their classes; ``photos``: how many pairs each is about. A figure over parts is the mean
    of their IoUs, each over all pixels of all pairs; the figure of the tail's classes is the mean over these classes.
    """

    def __init__(self, held: HeldOut, tail: Tail, draws: int = DRAWS) -> None:
        shown = np.stack([item.histogram(held.schema.channels) > 0 for item in held.items])
        classes = np.array(held.classes)
        self.parts = [part for part in range(1, held.schema.channels) if shown[:, part].any()]
        self.classes = sorted(set(held.classes))
        self.tail_parts = [place for place, part in enumerate(self.parts) if part in tail.parts]
        self.tail_classes = [place for place, name in enumerate(self.classes) if name in tail.classes]
        self.members = np.stack([classes == name for name in self.classes])
        about: dict[str, int] = {
            OVERALL: len(classes),
            TAIL_PARTS: int(shown[:, [self.parts[place] for place in self.tail_parts]].any(1).sum()),
            TAIL_CLASSES: int(self.members[self.tail_classes].sum()),
        }
        about |= {f"part {held.schema.names[part]}": int(shown[:, part].sum()) for part in self.parts}
        about |= {f"class {name}": int(own.sum()) for name, own in zip(self.classes, self.members, strict=True)}
        self.names, self.photos = tuple(about), tuple(about.values())
        self._draws = photo_draws(len(classes), draws)

    def read(self, counts: Counts) -> ArmFigures:
        """(S, pairs, channels, 3) pixels -> the figures of an arm."""
        once = np.ones((1, counts.shape[1]))
        return ArmFigures(self._figures(counts, once)[0], self._figures(counts, self._draws))

    def mean(self, counts: Counts) -> float:
        """The overall figure of one run: (pairs, channels, 3) pixels."""
        return float(self._figures(counts[None], np.ones((1, len(counts))))[0, 0, 0])

    def estimates(self, reading: ArmFigures) -> dict[str, Estimate]:
        """By name; figures that no pair is about are left out."""
        return {
            name: estimate(reading.seeds[:, q], reading.drawn[:, :, q], self.photos[q])
            for q, name in enumerate(self.names)
            if self.photos[q]
        }

    def _figures(self, counts: Counts, weights: Values) -> Values:
        """(draws, S, Q)."""
        own = counts[:, :, self.parts].astype(float)
        parts = iou_where_it_is(_pooled(own, weights))
        classes = np.stack([_mean(iou_where_it_is(_pooled(own, weights * member))) for member in self.members], axis=-1)
        means = (_mean(parts), _mean(parts[..., self.tail_parts]), _mean(classes[..., self.tail_classes]))
        return np.concatenate([np.stack(means, axis=-1), parts, classes], axis=-1)


def _pooled(counts: Values, weights: Values) -> Values:
    """(S, N, P, 3) pixels, (B, N) how often each pair counts -> (B, S, P, 3)."""
    return np.asarray(np.tensordot(weights, counts, axes=(1, 1)))


def _mean(values: Values) -> Values:
    """Over the last axis, what is not defined left out; NaN where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(values, axis=-1)) if values.shape[-1] else np.full(values.shape[:-1], np.nan)
