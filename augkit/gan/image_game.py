"""Stage II's game: a translator against a multi-scale PatchGAN (Wang et al. 2018)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from augkit.core.parts import IGNORE
from augkit.gan.batch import Batch
from augkit.gan.conditioning.conditioning import Conditioning
from augkit.gan.fake_cache import KeptFakes
from augkit.gan.fake_pool import NoPool
from augkit.gan.label_map import label_map, stacked
from augkit.gan.players import StepOutputs


def paint(painter: nn.Module, batch: Batch) -> Tensor:
    """Photos for the batch's masks after its exemplars, and below them as many after the unpaired ones it may have.

    Ignored pixels (what lies outside the source photo) are the real photo's, so that no loss and no D learns from them.
    """
    photos: Tensor = painter(_conditioning(batch))
    looks = len(photos) // len(batch)
    masks, real = batch.masks.repeat(looks, 1, 1), batch.photos.repeat(looks, 1, 1, 1)
    return torch.where((masks == IGNORE)[:, None], real.to(photos.dtype), photos)


def _conditioning(batch: Batch) -> Conditioning:
    if batch.unpaired is None:
        return Conditioning(batch.masks, batch.exemplars, batch.noise)

    def noise(name: str, *shape: int) -> Tensor:
        return batch.noise(name, *shape).repeat(2, *(1 for _ in shape))

    return Conditioning(batch.masks.repeat(2, 1, 1), batch.exemplars.joined(batch.unpaired), noise)


class FakeCache(KeptFakes):
    """Photos by ``painter``, painted once for both turns."""

    def __init__(self, painter: nn.Module) -> None:
        super().__init__()
        self.painter = painter

    def make(self, batch: Batch) -> Tensor:
        """See ``paint``."""
        return paint(self.painter, batch)


def discriminator_forward(
    cache: FakeCache, discriminator: nn.Module, channels: int, pool: NoPool
) -> Callable[[Batch], StepOutputs]:
    """D's; the pool decides which fakes it sees.

    Where there are unpaired fakes it sees these alone: a paired one is nearly the real photo, and has its own losses.
    """

    def outputs(batch: Batch) -> StepOutputs:
        labels = label_map(batch.masks, channels)
        fake, masks = pool.swap(cache.paint(batch)[-len(batch) :], batch.masks, batch)
        return StepOutputs(
            real=batch.photos,
            fake=fake,
            real_features=discriminator(stacked([labels, batch.photos])),
            fake_features=discriminator(stacked([label_map(masks, channels), fake])),
        )

    return outputs


def generator_forward(
    cache: FakeCache, discriminator: nn.Module, channels: int, matched: bool = True
) -> Callable[[Batch], StepOutputs]:
    """G's: D's features of the real pair are targets, not trained through.

    ``matched`` says whether a term compares them with those of the paired fake; D need not see the two where none does
    and there are unpaired fakes to judge.
    """

    def outputs(batch: Batch) -> StepOutputs:
        labels = label_map(batch.masks, channels)
        painted = cache.take(batch)
        fake, unpaired = painted[: len(batch)], painted[len(batch) :]
        found = StepOutputs(real=batch.photos, fake=fake, masks=batch.masks, unpaired=unpaired)
        if len(unpaired):
            found.unpaired_features = discriminator(stacked([labels, unpaired]))
        if matched or not len(unpaired):
            with torch.no_grad():
                found.real_features = discriminator(stacked([labels, batch.photos]))
            found.fake_features = discriminator(stacked([labels, fake]))
        return found

    return outputs
