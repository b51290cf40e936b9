"""pix2pixHD's learnt styles: what its encoder E says of each part of the exemplar (Wang et al. 2018, section 3.4).

E is trained with G. After the training the codes of the training photos are clustered part by part; in use every part
of the exemplar has the nearest centre of its clusters. So a made photo takes its styles from among those that were
learnt, and they suit each other, since one exemplar chose them all (the authors draw every part's by itself).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from torch import Tensor

from augkit.core.parts import IGNORE
from augkit.gan.conditioning import CONDITIONERS, Conditioner
from augkit.gan.conditioning.conditioning import Conditioning
from augkit.gan.label_map import one_hot, paint_by_part, part_colours
from augkit.models.pix2pixhd import StyleEncoder

CLUSTERS = 10
"""Of a part, at most; as published."""
RESTARTS = 10
"""Of k-means; the best result is kept."""


@CONDITIONERS.register("styles")
class StyleConditioner(Conditioner):
    """3 channels: E's features of the exemplar, averaged over each part (published: over each instance).

    ``centres`` (K, CLUSTERS, 3) are valid up to ``counts`` (K,), which is 0 until ``settle``.
    """

    channels = 3
    divisor = 16
    smallest = 32

    centres: Tensor
    counts: Tensor

    def __init__(self, parts: int) -> None:
        super().__init__()
        self.parts, self.encoder = parts, StyleEncoder(self.channels)
        self.register_buffer("centres", torch.zeros(parts, CLUSTERS, self.channels))
        self.register_buffer("counts", torch.zeros(parts, dtype=torch.long))

    def forward(self, conditioning: Conditioning) -> Float[Tensor, "n 3 h w"]:
        """See the class."""
        return paint_by_part(conditioning.masks, self.nearest(self.codes(conditioning)))

    def codes(self, conditioning: Conditioning) -> Float[Tensor, "n k 3"]:
        """E's mean feature of every part; of one that the exemplar does not show, that of its car."""
        features = self.encoder(conditioning.exemplars.photos)
        return part_colours(features, conditioning.masks, self.parts, conditioning.exemplars.valid)

    def nearest(self, codes: Float[Tensor, "n k 3"]) -> Float[Tensor, "n k 3"]:
        """The nearest centre of each part; the code itself where the part has none."""
        places = torch.arange(CLUSTERS, device=codes.device)
        distances = (codes[:, :, None] - self.centres).square().sum(3)
        picked = distances.masked_fill(places >= self.counts[:, None], torch.inf).argmin(2)
        snapped = self.centres.expand(len(codes), -1, -1, -1).gather(
            2, picked[..., None, None].expand(-1, -1, 1, self.channels)
        )
        return torch.where(self.counts[:, None] > 0, snapped[:, :, 0].to(codes.dtype), codes)

    @torch.no_grad()
    def settle(self, conditionings: Sequence[Conditioning]) -> None:
        """Clusters the codes that the photos show, part by part (k-means)."""
        codes = torch.cat([self.codes(conditioning).float().cpu() for conditioning in conditionings])
        shown = torch.cat([_shown(conditioning, self.parts).cpu() for conditioning in conditionings])
        for part in range(self.parts):
            centres = _clusters(codes[shown[:, part], part])
            self.centres[part, : len(centres)] = centres.to(self.centres)
            self.counts[part] = len(centres)


def _shown(conditioning: Conditioning, parts: int) -> Bool[Tensor, "n k"]:
    visible = (conditioning.masks != IGNORE)[:, None] & (conditioning.exemplars.valid > 0)
    return (one_hot(conditioning.masks, parts) * visible).flatten(2).any(2)


def _clusters(codes: Float[Tensor, "m 3"]) -> Float[Tensor, "c 3"]:
    """At most ``CLUSTERS`` centres, in a fixed order; as many as there are codes that differ, where these are fewer."""
    distinct = np.unique(codes.numpy(), axis=0)
    if len(distinct) <= CLUSTERS:
        return torch.from_numpy(distinct)
    points = codes.double().numpy()
    return torch.from_numpy(np.unique(min((_k_means(points, seed) for seed in range(RESTARTS)), key=_cost)[0], axis=0))


def _k_means(points: NDArray[np.float64], seed: int) -> tuple[NDArray[np.float32], float]:
    """Centres that have members, and the mean squared distance to them, from one start (k-means++)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a cluster lost all its members: it is left out below
        centres, labels = kmeans2(points, CLUSTERS, minit="++", seed=seed)
    cost = float(np.square(points - centres[labels]).sum(1).mean())
    return centres[np.unique(labels)].astype(np.float32), cost


def _cost(found: tuple[NDArray[np.float32], float]) -> float:
    return found[1]
