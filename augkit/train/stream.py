"""Which rows a step sees. A step's batch is a function of (seed, step), so a resumed run needs no sampler state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from augkit.data.pairs import Draw, PairItem, Pairs
from augkit.gan.batch import Batch
from augkit.gan.photo_sampler import scaled, source_of
from augkit.seeds import derive


@dataclass(frozen=True)
class Share:
    """This process's place among all that train together."""

    rank: int = 0
    world: int = 1


@dataclass(frozen=True)
class Plan:
    """Length of the run, a step's rows over all processes, the seed, and the turns that share a step's rows."""

    steps: int
    batch: int
    seed: int
    turns: int = 1


def draws(rows: int, plan: Plan, step: int) -> list[Draw]:
    """The rows of one step: consecutive places in an endless sequence of shuffled epochs."""
    places = range((step - 1) * plan.batch, step * plan.batch)
    orders: dict[int, np.ndarray] = {}
    chosen = []
    for place in places:
        epoch, offset = divmod(place, rows)
        if epoch not in orders:
            orders[epoch] = np.random.default_rng(derive(plan.seed, "epoch", epoch)).permutation(rows)
        chosen.append(Draw(int(orders[epoch][offset]), derive(plan.seed, "draw", place)))
    return chosen


class _Steps(Dataset[Batch]):
    """Item ``i`` is this process's share of step ``i``'s batch."""

    def __init__(self, pairs: Pairs, plan: Plan, share: Share) -> None:
        self.pairs, self.plan, self.share = pairs, plan, share

    def __getitem__(self, step: int) -> Batch:
        plan, whole = self.plan, draws(len(self.pairs), self.plan, step)
        size = plan.batch // plan.turns // self.share.world
        start = self.share.rank * size
        firsts = [turn * plan.batch // plan.turns + start for turn in range(plan.turns)]
        items = [self.pairs[draw] for first in firsts for draw in whole[first : first + size]]
        return replace(collate(items, derive(plan.seed, "noise", step), start, plan.batch), turns=plan.turns)


def collate(items: list[PairItem], seed: int, start: int, total: int) -> Batch:
    """Pairs -> one batch."""
    photos = scaled([item.photo for item in items])
    masks = torch.from_numpy(np.stack([item.mask for item in items]))
    classes = torch.tensor([item.car_class.number for item in items])
    laid = [item.source for item in items if item.source is not None]
    assert len(laid) in (0, len(items)), "all pairs of a batch have a source, or none has"
    return Batch(photos, masks.long(), classes, seed, start, total, source=source_of(laid) if laid else None)


def stream(  # noqa: PLR0917  # each is a different thing
    pairs: Pairs, plan: Plan, share: Share, first: int, workers: int, device: torch.device
) -> Iterator[tuple[int, Batch]]:
    """Steps ``first`` to ``plan.steps`` with their batches on ``device``."""
    steps = range(first, plan.steps + 1)
    loader = DataLoader(
        _Steps(pairs, plan, share),
        batch_size=None,
        sampler=steps,
        num_workers=workers,
        persistent_workers=False,
    )
    for step, batch in zip(steps, loader, strict=True):
        yield step, batch.to(device)
