"""Whether stage II's discriminator learnt anything: how many patches of held-out photos, real and made, it tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from augkit.core.parts import BACKGROUND, without_ignore
from augkit.data.pair import Pair
from augkit.gan.label_map import label_map, stacked
from augkit.losses.adversarial import ADVERSARIAL
from augkit.stages.model_store import ModelStore
from augkit.stages.photo_discriminator import load_discriminator

Scores = Float[Tensor, "..."]


@dataclass(frozen=True)
class PatchAccuracy:
    """The shares of real patches that D takes for real, and of made ones that it takes for made.

    ``ranked`` is the chance that a photo's real patch has a higher score than a made one on the same mask (the area
    under the ROC curve): well above ``mean`` where D tells them, but draws the line in the wrong place.
    """

    real: float
    made: float
    ranked: float

    @property
    def mean(self) -> float:
        """.5 for one who guesses."""
        return (self.real + self.made) / 2

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"real": self.real, "made": self.made, "mean": self.mean, "ranked": self.ranked}


def patch_accuracy(real: Sequence[Scores], made: Sequence[Scores], even: float) -> PatchAccuracy:
    """Each is a map of scores for every scale, and every scale counts alike; at ``even`` D says neither, which is
    counted as taken for made."""
    shares = [[float((scores > even).float().mean()) for scores in side] for side in (real, made)]
    shares.append([ranked_above(own, other) for own, other in zip(real, made, strict=True)])
    taken, fooled, ranked = (sum(own) / len(own) for own in shares)
    return PatchAccuracy(taken, 1 - fooled, ranked)


def ranked_above(high: Scores, low: Scores) -> float:
    """The share of all pairs of a score of each in which the first is above the second; equal ones count half.

    It is the area under the ROC curve (Mann and Whitney 1947, U over the number of pairs).
    """
    mine, other = high.flatten()[:, None], low.flatten()[None]
    return float(((mine > other).float() + 0.5 * (mine == other).float()).mean())


@torch.inference_mode()
def told_apart(store: ModelStore, real: Sequence[Pair], made: Sequence[Pair]) -> PatchAccuracy | None:
    """Of real pairs and of those made on the same masks, by the D of the model that serves each.

    Of each map the patches count whose middle lies on the car: backgrounds are an exemplar's, and real. None where a D
    is gone. Ignored pixels of the made ones are the real ones', as in training.
    """
    settings, channels = store.settings.image, store.drawn.schema.channels
    names = [store.model("image", pair.car_class) for pair in real]
    discriminators = {
        name: load_discriminator(store.usable("image", name), settings, channels) for name in dict.fromkeys(names)
    }
    found = []
    for name, own, other in zip(names, real, made, strict=True):
        discriminator = discriminators[name]
        if discriminator is None:
            return None
        labels = label_map(own.to_tensor()[1][None], channels)
        scales = discriminator(stacked([labels.expand(2, -1, -1, -1), _photos(own, other)]))
        scores, even = [scale[-1] for scale in scales], ADVERSARIAL[settings.adversarial].even
        cars = [on_car(own, both.shape[-2:]) for both in scores]
        shown = [both[:, 0, car] for both, car in zip(scores, cars, strict=True)]
        found.append(patch_accuracy([own[0] for own in shown], [own[1] for own in shown], even))
    return PatchAccuracy(*(sum(own) / len(found) for own in zip(*map(astuple, found), strict=True)))


def on_car(pair: Pair, size: Sequence[int]) -> Bool[Tensor, "h w"]:
    """Which places of a map are on a part; all, where none is."""
    parts = without_ignore(pair.mask) != BACKGROUND
    small = torch.from_numpy(cv2.resize(parts.astype(np.uint8), tuple(size[::-1]), interpolation=cv2.INTER_NEAREST)) > 0
    return small if bool(small.any()) else torch.ones_like(small)


def _photos(own: Pair, other: Pair) -> Float[Tensor, "2 3 h w"]:
    real, made = own.to_tensor()[0], other.to_tensor()[0]
    outside = torch.from_numpy(own.mask != without_ignore(own.mask))
    return torch.stack([real, torch.where(outside, real, made)])
