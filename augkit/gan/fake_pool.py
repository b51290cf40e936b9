"""A pool of earlier fakes for D (Shrivastava et al. 2017, section 2.3, in the form of pix2pixHD's code)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from augkit.gan.batch import Batch
from augkit.gan.players import Backend, TermState

SWAP = 0.5
"""Chance that D sees an earlier fake instead of the new one, which then takes its place."""


class NoPool(TermState):
    """D sees the fakes of this step."""

    def swap(
        self, fake: Float[Tensor, "n 3 h w"], masks: Int[Tensor, "n h w"], batch: Batch
    ) -> tuple[Float[Tensor, "n 3 h w"], Int[Tensor, "n h w"]]:
        """The pairs that D is shown."""
        del batch
        return fake, masks


class FakePool(NoPool):
    """``places`` earlier fakes with their masks.

    While there is room, a step's fakes are shown and kept; then each is shown (half of the time), or takes the place of
    a kept one that is shown in its stead. What is kept is a function of the seeds alone: every process holds the same
    pool, and takes the step's fakes in when D has had its turn. A step's own fakes never meet in it.
    """

    photos: Tensor
    masks: Tensor
    kept: Tensor

    def __init__(self, places: int, size: int) -> None:
        super().__init__()
        self.register_buffer("photos", torch.zeros(places, 3, size, size))
        self.register_buffer("masks", torch.zeros(places, size, size, dtype=torch.uint8))
        self.register_buffer("kept", torch.zeros((), dtype=torch.long))
        self._taken: dict[int, tuple[int, Tensor, Tensor]] = {}  # row of the step -> place, photo, mask
        self._rows = 0

    def swap(
        self, fake: Float[Tensor, "n 3 h w"], masks: Int[Tensor, "n h w"], batch: Batch
    ) -> tuple[Float[Tensor, "n 3 h w"], Int[Tensor, "n h w"]]:
        """The pairs that D is shown; see the class."""
        assert batch.turns == 1, "D has one turn in a step"
        size, kept = len(self.photos), int(self.kept)
        chance = batch.uniform("pool", 2).cpu()
        rows = torch.arange(batch.start, batch.start + len(batch))
        fresh = kept + rows < size
        swapped = ~fresh & (chance[:, 0] < SWAP)
        place = torch.where(fresh, kept + rows, (chance[:, 1] * size).long())
        # Where a step's fakes do not all fit, a drawn place may be one that the others are only just filling.
        swapped &= place < kept
        self._rows = batch.total
        for own in torch.nonzero(fresh | swapped).flatten().tolist():
            self._taken[int(rows[own])] = int(place[own]), fake[own].detach(), masks[own]
        shown = swapped.to(fake.device)[:, None, None]
        old_fake, old_masks = self.photos[place].to(fake), self.masks[place].to(masks)
        return old_fake.where(shown[:, None], fake), old_masks.where(shown, masks)

    def settle(self, backend: Backend) -> None:
        """Takes the step's fakes in; of two for one place the later row's stays."""
        for place, photo, mask in self._gathered(backend):
            self.photos[place], self.masks[place] = photo.float(), mask
        self.kept.copy_((self.kept + self._rows).clamp(max=len(self.photos)))

    def _gathered(self, backend: Backend) -> list[tuple[int, Tensor, Tensor]]:
        """The fakes of all processes, in the order of the step's rows: each process adds its own to zeros."""
        taken, self._taken = self._taken, {}
        if backend.num_processes == 1:
            return [taken[row] for row in sorted(taken)]
        device = backend.device
        places = torch.zeros(self._rows, dtype=torch.long, device=device)
        photos = torch.zeros(self._rows, *self.photos.shape[1:], device=device)
        masks = torch.zeros(self._rows, *self.masks.shape[1:], dtype=torch.long, device=device)
        for row, (place, photo, mask) in taken.items():
            places[row], photos[row], masks[row] = place + 1, photo, mask
        places, photos, masks = (backend.reduce(part, "sum") for part in (places, photos, masks))
        return [(int(places[row]) - 1, photos[row], masks[row]) for row in torch.nonzero(places).flatten().tolist()]
