"""Which rows a step sees. A step's batch is a function of (seed, step), so a resumed run needs no sampler state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from augkit.core.seeds import derive
from augkit.data.draws import Draw, ExemplarPair, Pairs
from augkit.data.pair import Pair, photos_to_tensor
from augkit.data.warp.part_warp import WarpedPhoto
from augkit.gan.batch import Batch
from augkit.gan.conditioning.conditioning import WarpedExemplars
from augkit.train.sampling import Sampling, evenly


@dataclass(frozen=True)
class ProcessShare:
    """This process's place among all that train together."""

    rank: int = 0
    world: int = 1


@dataclass(frozen=True)
class StreamPlan:
    """Length of the run, a step's rows over all processes, the seed, and the turns that share a step's rows."""

    steps: int
    batch: int
    seed: int
    turns: int = 1


def draws(sampling: Sampling, plan: StreamPlan, step: int) -> list[Draw]:
    """The rows of one step: the next places of the run."""
    places = range((step - 1) * plan.batch, step * plan.batch)
    return [Draw(sampling.row(plan.seed, place), derive(plan.seed, "draw", place)) for place in places]


class _Steps(Dataset[Batch]):
    """Item ``i`` is this process's share of step ``i``'s batch."""

    def __init__(self, pairs: Pairs, sampling: Sampling, plan: StreamPlan, share: ProcessShare) -> None:
        self.pairs, self.sampling, self.plan, self.share = pairs, sampling, plan, share

    def __getitem__(self, step: int) -> Batch:
        plan, whole = self.plan, draws(self.sampling, self.plan, step)
        size = plan.batch // plan.turns // self.share.world
        start = self.share.rank * size
        firsts = [turn * plan.batch // plan.turns + start for turn in range(plan.turns)]
        items = [self.pairs[draw] for first in firsts for draw in whole[first : first + size]]
        return replace(collate(items, derive(plan.seed, "noise", step), start, plan.batch), turns=plan.turns)


def collate(items: Sequence[Pair | ExemplarPair], seed: int, start: int, total: int) -> Batch:
    """Pairs -> one batch."""
    pairs = [item.pair if isinstance(item, ExemplarPair) else item for item in items]
    photos = photos_to_tensor([pair.photo for pair in pairs])
    masks = torch.from_numpy(np.stack([pair.mask for pair in pairs]))
    classes = torch.tensor([pair.car_class.number for pair in pairs])
    exemplars = [item for item in items if isinstance(item, ExemplarPair)]
    warped = _stacked([item.warped for item in exemplars], len(items))
    unpaired = _stacked([item.unpaired for item in exemplars if item.unpaired is not None], len(items))
    return Batch(photos, masks.long(), classes, seed, start, total, warped=warped, unpaired=unpaired)


def _stacked(warped: Sequence[WarpedPhoto], rows: int) -> WarpedExemplars | None:
    assert len(warped) in (0, rows), "all pairs of a batch have an exemplar, or none has"
    return WarpedExemplars.stack(warped) if warped else None


def stream(  # noqa: PLR0917  # each is a different thing
    pairs: Pairs,
    plan: StreamPlan,
    share: ProcessShare,
    first: int,
    workers: int,
    device: torch.device,
    sampling: Callable[[int], Sampling] = evenly,
) -> Iterator[tuple[int, Batch]]:
    """Steps ``first`` to ``plan.steps`` with their batches on ``device``; ``sampling`` takes the number of pairs."""
    steps = range(first, plan.steps + 1)
    loader = DataLoader(
        _Steps(pairs, sampling(len(pairs)), plan, share),
        batch_size=None,
        sampler=steps,
        num_workers=workers,
        persistent_workers=False,
    )
    for step, batch in zip(steps, loader, strict=True):
        yield step, batch.to(device)
