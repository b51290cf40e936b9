"""A batch of pairs, and noise that does not depend on how many processes share the batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from augkit.core.seeds import derive
from augkit.gan.conditioning.conditioning import WarpedExemplars


@dataclass(frozen=True)
class Batch:
    """One process's share of a step's batch: rows ``start`` to ``start + len`` of ``total``.

    ``photos`` (N, 3, H, W) in [-1, 1]; ``masks`` (N, H, W) part ids; ``classes`` (N,) class numbers. ``seed`` is the
    step's: noise is drawn for all ``total`` rows and cut, so that any number of processes sees the same draws. Where a
    player has several turns in a step, the step's rows are dealt out to its ``turns``, and a process has a share of
    each: rows ``start`` onwards of every ``total / turns``. ``warped`` are the exemplars of stage II where these are
    not the photos themselves; ``unpaired`` are those of other pairs, on the same masks.
    """

    photos: Float[Tensor, "n 3 h w"]
    masks: Int[Tensor, "n h w"]
    classes: Int[Tensor, " n"]
    seed: int
    start: int
    total: int
    turns: int = 1
    warped: WarpedExemplars | None = None
    unpaired: WarpedExemplars | None = None

    @property
    def exemplars(self) -> WarpedExemplars:
        """What lies on the masks; the photos themselves where there is nothing else."""
        return WarpedExemplars.whole(self.photos) if self.warped is None else self.warped

    def __len__(self) -> int:
        return len(self.masks)

    def same_rows(self, other: Batch) -> bool:
        """Whether both are the same rows of the same step, so that all that is drawn for them is the same too."""
        places = [(batch.seed, batch.start, len(batch), batch.total, batch.turns) for batch in (self, other)]
        return places[0] == places[1]

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        moved = (tensor.to(device, non_blocking=True) for tensor in (self.photos, self.masks, self.classes))
        photos, masks, classes = moved
        warped, unpaired = (None if own is None else own.to(device) for own in (self.warped, self.unpaired))
        return replace(self, photos=photos, masks=masks, classes=classes, warped=warped, unpaired=unpaired)

    def split(self, parts: int) -> Iterator[Batch]:
        """Equal parts in order. The length must divide evenly (the settings see to it)."""
        size, rest = divmod(len(self), parts)
        assert rest == 0, f"{len(self)} rows cannot be cut into {parts}"
        assert self.turns in (1, parts), f"rows of {self.turns} turns cannot be cut into {parts}"
        apart = size if self.turns == 1 else self.total // self.turns
        for number in range(parts):
            rows = slice(number * size, (number + 1) * size)
            yield replace(
                self,
                photos=self.photos[rows],
                masks=self.masks[rows],
                classes=self.classes[rows],
                start=self.start + number * apart,
                turns=1,
                warped=None if self.warped is None else self.warped[rows],
                unpaired=None if self.unpaired is None else self.unpaired[rows],
            )

    def noise(self, name: str, *shape: int) -> Float[Tensor, "n *shape"]:  # noqa: F821
        """Standard normal noise (N, *shape) for the draw ``name`` of this step."""
        return self._cut(torch.randn(self.total, *shape, generator=self._generator(name)))

    def uniform(self, name: str, *shape: int) -> Float[Tensor, "n *shape"]:  # noqa: F821
        """Noise (N, *shape), uniform on [0, 1), for the draw ``name`` of this step."""
        return self._cut(torch.rand(self.total, *shape, generator=self._generator(name)))

    def _generator(self, name: str) -> torch.Generator:
        return torch.Generator().manual_seed(derive(self.seed, name))

    def _cut(self, rows: Tensor) -> Tensor:
        size = len(self) // self.turns
        own = [turn[self.start : self.start + size] for turn in rows.tensor_split(self.turns)]
        return torch.cat(own).to(self.masks.device)
