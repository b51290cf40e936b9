"""What the gate is handed by whoever builds it: its numbers as plain values, and what trains its segmenters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from augkit.core.progress import Progress
from augkit.data.catalogue import CatalogueRow

JUDGED_AGAIN = frozenset({"budget", "pixel_budget", "pixel_factor", "quantile", "slack", "required_share"})
"""Options that finished shards can be judged again under. Not ``min_part_pixels``: a speck that is removed changes the
mask itself."""


@dataclass(frozen=True)
class RuleOptions:
    """Of the rule on masks.

    ``min_part_pixels``: connected specks below this many pixels (at 128 px, scaled by area) are removed. Area ranges
    run from the ``quantile`` of the real masks to its mirror image, widened by the factor ``slack`` at both ends. Parts
    that at least ``required_share`` of the class's real masks show are required.
    """

    min_part_pixels: int
    quantile: float
    slack: float
    required_share: float


@dataclass(frozen=True)
class GateOptions:
    """Names of the fitted ``checks``; the share of real pairs that all of them may reject (``budget``); the ``folds``
    that training pairs are dealt into; when a pixel costs too much (``pixel_budget``, ``pixel_factor``).

    ``size`` is that of the pairs, ``mask_size`` that of stage I's masks; ``quality`` and ``lossless`` say how photos
    are stored. Random choices follow from ``seed``.
    """

    checks: tuple[str, ...]
    budget: float
    folds: int
    pixel_budget: float
    pixel_factor: float
    rule: RuleOptions
    seed: int
    size: int
    mask_size: int
    quality: int
    lossless: bool

    def of_judges(self) -> dict[str, Any]:
        """What judges are fitted with, as plain data, but for that of segmenters."""
        return {"checks": list(self.checks), "folds": self.folds}

    def of_bounds(self) -> dict[str, Any]:
        """What judges need not be fitted again for, as plain data."""
        own = {"budget": self.budget, "pixel_budget": self.pixel_budget, "pixel_factor": self.pixel_factor}
        return own | asdict(self.rule)


class Segmenters(Protocol):
    """Segmenters of one workspace, all with the same settings: the gate itself trains nothing."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What they follow from beside pairs and seed, as plain data: a gate is found again by it."""

    def train(self, rows: Sequence[CatalogueRow], folder: Path, seed: int, progress: Progress) -> None:
        """Trains one on the rows' pairs, and leaves it in the folder; what was there is removed."""

    def load(self, folder: Path) -> tuple[nn.Module, int]:
        """One that was trained, and the side of the photos that it reads: (N, 3, S, S) in -1..1 -> (N, K, S, S) logits.

        Raises CheckpointError where the folder does not hold one.
        """
