"""Stage II's game: a translator against a multi-scale PatchGAN (Wang et al. 2018)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from augkit.gan.batch import Batch
from augkit.gan.brief import Brief
from augkit.gan.condition import label_map
from augkit.gan.players import Play
from augkit.gan.pool import NoPool
from augkit.parts import IGNORE


def paint(painter: nn.Module, batch: Batch) -> Tensor:
    """Photos for the batch's masks, after the batch's sources.

    Ignored pixels (what lies outside the source photo) are the real photo's, so that no loss and no D learns from them.
    """
    photos: Tensor = painter(Brief(batch.masks, batch.lent, batch.noise))
    return torch.where((batch.masks == IGNORE)[:, None], batch.photos.to(photos.dtype), photos)


def discriminator_play(
    painter: nn.Module, discriminator: nn.Module, channels: int, pool: NoPool
) -> Callable[[Batch], Play]:
    """D's move; the pool decides which fakes it sees."""

    def play(batch: Batch) -> Play:
        labels = label_map(batch.masks, channels)
        with torch.no_grad():
            fake, masks = pool.swap(paint(painter, batch), batch.masks, batch)
        return Play(
            real=batch.photos,
            fake=fake,
            real_features=discriminator(torch.cat([labels, batch.photos], 1)),
            fake_features=discriminator(torch.cat([label_map(masks, channels), fake], 1)),
        )

    return play


def generator_play(painter: nn.Module, discriminator: nn.Module, channels: int) -> Callable[[Batch], Play]:
    """G's move: D's features of the real pair are targets, not trained through."""

    def play(batch: Batch) -> Play:
        labels = label_map(batch.masks, channels)
        fake = paint(painter, batch)
        with torch.no_grad():
            real_features = discriminator(torch.cat([labels, batch.photos], 1))
        return Play(
            real=batch.photos,
            fake=fake,
            masks=batch.masks,
            real_features=real_features,
            fake_features=discriminator(torch.cat([labels, fake], 1)),
        )

    return play
