"""Does the photo show the mask? Segmenters read the photo, and what they read is held against the mask.

They are cross-fitted: one for each fold of the training photos, trained on the others. A pair whose exemplar is a
training photo is judged by the segmenter that has not seen it; any other pair by all of them together.

A pixel whose loss is beyond what its part's pixels cost on real photos is not to be trained on: beyond all but
``gate.pixel_budget`` of them, and beyond ``gate.pixel_factor`` times their mean. FreeMask (Yang et al. 2023, section
3.2) has the mean alone, 1.25 times; where judges are unsure the losses are skewed, and that takes much of real cars.
"""

from __future__ import annotations

from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from augkit.core.parts import BACKGROUND, IGNORE, Mask
from augkit.core.progress import renamed
from augkit.core.seeds import derive
from augkit.gate.candidate import Candidate, Sides, Stage
from augkit.gate.gate_check import CHECKS, FittedState
from augkit.gate.reference import ReferenceSet

SHARES = np.linspace(0.0, 1.0, 201)
"""Shares of a part's real pixels at which the fit notes their loss."""

EACH = 4096
"""Pixels of a photo that the fit takes."""


@CHECKS.register("agreement")
class Agreement:
    """Mean IoU, over the parts that the mask shows, of the mask and what the segmenters read; and how much less of the
    parts' chances lies under the mask than under that reading, which tells a wrong mask from a hard photo.
    """

    stage: ClassVar[Stage] = "photo"
    sides: ClassVar[Sides] = {"agreement": (True, False), "mismatch": (False, True)}

    def __init__(self, kept: FittedState, references: ReferenceSet) -> None:
        self.folds = references.folds
        folders = [references.folder / f"segmenter-{fold}" for fold in range(references.folds.count)]
        loaded = [references.segmenters.load(folder) for folder in folders]
        self.networks, self.size = [network for network, _ in loaded], loaded[0][1]
        self._device = torch.device("cpu")
        self._last: tuple[Candidate, tuple[Tensor, Mask]] | None = None
        self.limits = np.zeros(0)
        if kept.tensors:
            mean, levels = kept.tensors["mean"].numpy(), kept.tensors["levels"].numpy()
            self.limits = pixel_limits(mean, levels, references.options.pixel_budget, references.options.pixel_factor)

    def on(self, device: torch.device) -> None:
        """See ``NetworkCheck``."""
        self._device, self.networks = device, [network.to(device) for network in self.networks]
        self._last = None

    @classmethod
    def fit(cls, references: ReferenceSet) -> FittedState:
        """Trains the segmenters; then the parts' losses over training photos that the segmenter had not seen."""
        for fold in range(references.folds.count):
            _train(references, fold)
        judge = cls(FittedState(), references)
        real = (Candidate(pair, own=row.id) for pair, row in references.training())
        read = [[_some(one) for one in judge.costs(candidate)] for candidate in real]
        masks, costs = (np.concatenate(each) for each in zip(*read, strict=True))
        whole = costs[masks != IGNORE]
        own = [costs[masks == part] for part in range(references.schema.channels)]
        shown = [one if len(one) else whole for one in own]  # a part that nobody shows costs what pixels cost
        mean, levels = np.array([one.mean() for one in shown]), np.stack([np.quantile(one, SHARES) for one in shown])
        return FittedState({"mean": torch.from_numpy(mean), "levels": torch.from_numpy(levels)})

    def score(self, candidate: Candidate) -> dict[str, float]:
        """Agreement: 0 to 1; 0 for a mask that shows no part. Mismatch: 0 for the mask that is read, up to 1."""
        chances, mask = self._read(candidate)
        each, read = chances[0].double().numpy(), chances.argmax(1)[0].numpy()
        gap = soft_iou(each, np.where(mask == IGNORE, IGNORE, read)) - soft_iou(each, mask)
        return {"agreement": mean_iou(read, mask), "mismatch": gap}

    def costs(self, candidate: Candidate) -> tuple[Mask, NDArray[np.float64]]:
        """The mask at the segmenters' size, and each pixel's loss (the negative logarithm of its part's chance)."""
        chances, mask = self._read(candidate)
        shown = torch.from_numpy(mask).long()
        costs = functional.nll_loss(chances.clamp_min(1e-9).log(), shown[None], ignore_index=IGNORE, reduction="none")
        return mask, costs[0].double().numpy()

    def filter(self, candidate: Candidate) -> Mask:
        """The pair's mask to train with: pixels that cost too much for their part are to be ignored."""
        mask, costs = self.costs(candidate)
        limit = np.append(self.limits, np.full(256 - len(self.limits), np.inf))
        small = (costs > limit[mask]).astype(np.uint8)
        doubtful = cv2.resize(small, candidate.mask.shape[::-1], interpolation=cv2.INTER_NEAREST)
        return np.where(doubtful > 0, IGNORE, candidate.mask).astype(np.uint8)

    def _read(self, candidate: Candidate) -> tuple[Tensor, Mask]:
        """(1, K, s, s) chances of the parts, and the mask at that size; kept for who asks next, as a filter after the
        score."""
        last = self._last
        if last is None or last[0] is not candidate:
            self._last = last = candidate, self._read_anew(candidate)
        return last[1]

    @torch.inference_mode()
    def _read_anew(self, candidate: Candidate) -> tuple[Tensor, Mask]:
        known = self.folds.judge(candidate.own or candidate.exemplar)
        judges = self.networks if known == self.folds.count else [self.networks[known]]
        small = candidate.pair.resize(self.size)
        photo, _ = small.to_tensor()
        shown = photo[None].to(self._device)
        chances = torch.stack([network(shown).float().softmax(1) for network in judges]).mean(0)
        return chances.cpu(), small.mask


def pixel_limits(
    mean: NDArray[np.float64], levels: NDArray[np.float64], budget: float, factor: float
) -> NDArray[np.float64]:
    """The largest loss of a part's pixel, (K,), from (K,) means and (K, S) quantiles at ``SHARES`` of real pixels."""
    quantiles = np.array([np.interp(1 - budget, SHARES, level) for level in levels])
    return np.asarray(np.maximum(mean * factor, quantiles))


def mean_iou(read: NDArray[Any], mask: Mask) -> float:
    """(H, W) ids that were read, (H, W) mask -> IoU averaged over the parts of the mask; ignored pixels left out."""
    seen = mask != IGNORE
    parts = [part for part in np.unique(mask[seen]) if part != BACKGROUND]
    each = [((read == p) & (mask == p))[seen].sum() / ((read == p) | (mask == p))[seen].sum() for p in parts]
    return float(np.mean(each)) if each else 0.0


def _some(pixels: NDArray[Any]) -> NDArray[Any]:
    """At most about ``EACH`` of the pixels, at even steps: enough to tell shares of them, whatever the size."""
    return pixels.reshape(-1)[:: max(1, pixels.size // EACH)].copy()


def soft_iou(chances: NDArray[np.float64], mask: NDArray[Any]) -> float:
    """(K, H, W) chances of the parts, (H, W) mask -> IoU averaged over the parts of the mask, chances counted as shares
    of a pixel: sum of c over the part's pixels / (their number + sum of c elsewhere). Ignored pixels are left out."""
    seen = mask != IGNORE
    shown, each = mask[seen], []
    for part in np.setdiff1d(np.unique(shown), [BACKGROUND]):
        own, there = chances[part][seen], shown == part
        each.append(own[there].sum() / (there.sum() + own[~there].sum()))
    return float(np.mean(each)) if each else 0.0


def _train(references: ReferenceSet, fold: int) -> None:
    """The segmenter of a fold, on the rows outside it."""
    seed = derive(references.options.seed, "gate", "segmenter", fold)
    told = renamed(references.progress, f"gate: segmenter {fold + 1} of {references.folds.count}")
    references.segmenters.train(references.without(fold), references.folder / f"segmenter-{fold}", seed, told)
