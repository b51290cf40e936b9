"""The numbers of the gate, as plain values: whoever builds it takes them from its settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

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
