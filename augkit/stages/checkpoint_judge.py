"""What a generator's states are judged by: pairs kept out of its training, seen through EfficientNet-Lite0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from augkit.core.classes import CarClass
from augkit.core.errors import DataError
from augkit.core.seeds import derive
from augkit.data.catalogue import TrainingRows
from augkit.data.dataset import PairDataset
from augkit.data.pair import Pair
from augkit.losses.adversarial import ADVERSARIAL
from augkit.models.extractors import EXTRACTORS
from augkit.settings import GenerativeSettings
from augkit.stages.holdout import HeldOutRows, hold_out
from augkit.train.selection import BestState, CheckpointJudge, Features
from augkit.train.selector import Selector, last_state
from augkit.train.stopping import StopSignal

Pictures = NDArray[np.uint8]
"""(N, S, S, 3) RGB."""

Show = Callable[[Pair], NDArray[np.uint8]]
Sample = Callable[[nn.Module, CarClass, Sequence[int]], Pictures]
Select = Callable[[Callable[[], nn.Module], Path, StopSignal], Selector]

FEWEST = 8
EXTRACTOR = "lite0"


def split_for_judging(rows: TrainingRows, settings: GenerativeSettings) -> tuple[TrainingRows, HeldOutRows]:
    """The rows that train and those that judge; all train where nothing is selected.

    Raises DataError where too few are left to judge.
    """
    if settings.selection is None:
        return rows, HeldOutRows(())
    train, judging = hold_out(rows, settings.selection.share, derive(0, "selection"))
    if len(judging.rows) < FEWEST:
        raise DataError(
            f"{len(judging.rows)} of {len(rows)} training pairs can be kept out to choose a checkpoint by",
            f"at least {FEWEST}",
            "add photos, raise selection.share, or set selection to null",
        )
    return train, judging


def selector_of(pairs: PairDataset | None, show: Show, sample: Sample, settings: GenerativeSettings) -> Select:
    """How a run of ``settings`` chooses its state, judged by ``pairs`` and their mirror images."""
    asked = settings.selection
    if pairs is None or asked is None:
        return last_state
    judge = judge_of(pairs, show, sample, asked.figure)
    watched = ADVERSARIAL[settings.adversarial].ends_at_0
    return lambda make, folder, stop: BestState(asked.limits, judge, make, folder, stop, watched)


def judge_of(pairs: PairDataset, show: Show, sample: Sample, figure: str) -> CheckpointJudge:
    """Compares as many samples of each class as there are held-out pairs of it."""
    extractor = EXTRACTORS[EXTRACTOR]()
    items = with_mirrors(pairs)

    def features(pictures: Iterable[NDArray[np.uint8]]) -> Features:
        stack = torch.from_numpy(np.stack(list(pictures))).permute(0, 3, 1, 2)
        chunks = (stack[begin : begin + 64] for begin in range(0, len(stack), 64))
        return np.concatenate([extractor.features(chunk).numpy() for chunk in chunks])

    def made(module: nn.Module) -> Features:
        drawn: list[NDArray[np.uint8]] = []
        for car_class, count in sorted(Counter(item.car_class for item in items).items()):
            drawn += list(
                sample(module.eval(), car_class, [derive(0, "judge", car_class.name, n) for n in range(count)])
            )
        return features(drawn)

    return CheckpointJudge(features(show(item) for item in items), made, figure)


def with_mirrors(pairs: PairDataset) -> list[Pair]:
    """All pairs as they are, then all of them in the mirror."""
    plain = [pairs.plain(index) for index in range(len(pairs))]
    return [*plain, *(pair.flip(pairs.schema) for pair in plain)]
