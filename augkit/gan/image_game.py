"""Stage II's game: a translator against a multi-scale PatchGAN (Wang et al. 2018)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from augkit.core.parts import IGNORE
from augkit.gan.batch import Batch
from augkit.gan.conditioning.conditioning import Conditioning
from augkit.gan.fake_pool import NoPool
from augkit.gan.label_map import label_map
from augkit.gan.players import StepOutputs


def paint(painter: nn.Module, batch: Batch) -> Tensor:
    """Photos for the batch's masks, after the batch's exemplars.

    Ignored pixels (what lies outside the source photo) are the real photo's, so that no loss and no D learns from them.
    """
    photos: Tensor = painter(Conditioning(batch.masks, batch.exemplars, batch.noise))
    return torch.where((batch.masks == IGNORE)[:, None], batch.photos.to(photos.dtype), photos)


class FakeCache:
    """What ``painter`` painted in D's turn stays for G's turn, which follows: G has not moved in between, so its photos
    of the same rows would be the same, and one forward pass of G in a step is enough.

    G's parameters must take gradients in D's turn as well (``Game.shared``). Only the last photos are kept: where a
    turn has several microbatches, the others are painted twice.
    """

    def __init__(self, painter: nn.Module) -> None:
        self.painter = painter
        self._left: tuple[Batch, Tensor] | None = None

    def paint(self, batch: Batch) -> Tensor:
        """For D's turn: cut off from G's graph, which is kept."""
        self._left = None  # before the next graph is made
        photos = paint(self.painter, batch)
        self._left = batch, photos
        return photos.detach()

    def take(self, batch: Batch) -> Tensor:
        """For G's turn, with G's graph, which is kept no longer."""
        if self._left is not None and self._left[0].same_rows(batch):
            (_, photos), self._left = self._left, None
            return photos
        return paint(self.painter, batch)


def discriminator_forward(
    cache: FakeCache, discriminator: nn.Module, channels: int, pool: NoPool
) -> Callable[[Batch], StepOutputs]:
    """D's; the pool decides which fakes it sees."""

    def outputs(batch: Batch) -> StepOutputs:
        labels = label_map(batch.masks, channels)
        fake, masks = pool.swap(cache.paint(batch), batch.masks, batch)
        return StepOutputs(
            real=batch.photos,
            fake=fake,
            real_features=discriminator(torch.cat([labels, batch.photos], 1)),
            fake_features=discriminator(torch.cat([label_map(masks, channels), fake], 1)),
        )

    return outputs


def generator_forward(cache: FakeCache, discriminator: nn.Module, channels: int) -> Callable[[Batch], StepOutputs]:
    """G's: D's features of the real pair are targets, not trained through."""

    def outputs(batch: Batch) -> StepOutputs:
        labels = label_map(batch.masks, channels)
        fake = cache.take(batch)
        with torch.no_grad():
            real_features = discriminator(torch.cat([labels, batch.photos], 1))
        return StepOutputs(
            real=batch.photos,
            fake=fake,
            masks=batch.masks,
            real_features=real_features,
            fake_features=discriminator(torch.cat([labels, fake], 1)),
        )

    return outputs
