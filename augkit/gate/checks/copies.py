"""Memorisation: how near a pair comes to a training pair, against how near real pairs come to one another."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from augkit.data.crop import Photo, resize_mask
from augkit.gate.candidate import Candidate, Sides, Stage
from augkit.gate.gate_check import CHECKS, FittedState
from augkit.gate.reference import ReferenceSet
from augkit.metrics.copies import SIDE, KnownMasks
from augkit.metrics.neighbours import nearest
from augkit.models.extractors import EXTRACTORS


class _Known:
    """What training rows look like; near duplicates of a real pair are left out where it is judged itself."""

    def __init__(self, kept: FittedState, references: ReferenceSet) -> None:
        self.groups = references.folds.groups
        self.group_of = np.array([self.groups[id] for id in kept.facts["ids"]])

    def others(self, own: str) -> NDArray[np.intp]:
        """(N,) the training rows that ``own`` is compared with."""
        return np.flatnonzero(self.group_of != self.groups.get(own, ""))


@CHECKS.register("copied-mask")
class CopiedMask(_Known):
    """Distance to the nearest training mask or its mirror image (see ``augkit.metrics.copies``: 0 is equal).

    All masks are resized to 64 px in one way, so a copy of whatever size is at 0: that is the floor.
    """

    stage: ClassVar[Stage] = "mask"
    sides: ClassVar[Sides] = {"mask_distance": (True, False)}

    def __init__(self, kept: FittedState, references: ReferenceSet) -> None:
        super().__init__(kept, references)
        self.known = KnownMasks(list(kept.tensors["masks"].numpy()), references.schema)

    @classmethod
    def fit(cls, references: ReferenceSet) -> FittedState:
        """(N, 64, 64) training masks and their ids."""
        found = [(resize_mask(item.mask, SIDE), row.id) for item, row in references.training()]
        masks, ids = zip(*found, strict=True)
        return FittedState({"masks": torch.from_numpy(np.stack(masks))}, {"ids": list(ids)}, {"mask_distance": 0.0})

    def score(self, candidate: Candidate) -> dict[str, float]:
        """0 to 1."""
        distances = self.known.distances(resize_mask(candidate.mask, SIDE))
        return {"mask_distance": float(distances[:, self.others(candidate.own)].min())}


@CHECKS.register("copied-photo")
class CopiedPhoto(_Known):
    """Distance to the nearest training photo or its mirror image, in features of EfficientNet-Lite0.

    A copy comes back from a shard a little changed by its codec. The floor is the largest distance that this makes
    between a training photo (or its mirror image) and itself, so each one handed out unchanged lies below the bound.
    """

    stage: ClassVar[Stage] = "photo"
    sides: ClassVar[Sides] = {"photo_distance": (True, False)}

    def __init__(self, kept: FittedState, references: ReferenceSet) -> None:
        super().__init__(kept, references)
        self.features, self.extractor = kept.tensors["features"].double().numpy(), EXTRACTORS["lite0"]()

    def on(self, device: torch.device) -> None:
        """See ``NetworkCheck``."""
        self.extractor = EXTRACTORS["lite0"](device)

    @classmethod
    def fit(cls, references: ReferenceSet) -> FittedState:
        """(N, 2, 1280) features of the training photos and their mirror images, and the photos' ids."""
        extractor, features, ids, floor = EXTRACTORS["lite0"](), [], [], 0.0
        total = len(references.folds.numbers)
        for item, row in references.training():
            both = references.both(item)
            own = torch.cat([extractor.features(_one(pair.photo)) for pair in both])
            stored = torch.cat([extractor.features(_one(references.stored(pair.photo))) for pair in both])
            floor = max(floor, float(nearest(stored.numpy(), own.numpy())[0].max()))
            features.append(own)
            ids.append(row.id)
            references.progress("gate: features of training photos", len(ids), total)
        return FittedState({"features": torch.stack(features)}, {"ids": ids}, {"photo_distance": floor})

    def score(self, candidate: Candidate) -> dict[str, float]:
        """Euclidean."""
        own = self.extractor.features(_one(candidate.pair.photo)).double().numpy()
        squares = np.square(self.features - own).sum(2)  # many times as fast for one photo as ``nearest`` of many
        others = self.others(candidate.own)
        row, side = np.unravel_index(squares[others].argmin(), (len(others), 2))
        return {"photo_distance": float(nearest(own, self.features[others[row], side][None])[0][0])}


def _one(photo: Photo) -> torch.Tensor:
    """One at a time: sums inside a network depend on how many photos it sees at once."""
    return torch.from_numpy(photo).permute(2, 0, 1)[None]
