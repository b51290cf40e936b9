"""Section of the gate."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from augkit.core.section import LARGEST, Count, CountOrZero, Section, Share
from augkit.settings.segmenter import SegmenterSettings, Source


class JudgeSegmenterSettings(SegmenterSettings):
    """A segmenter of the gate. Those of real pairs alone can tell what is wrong with others."""

    source: Source = "real"
    steps: Count = 500
    batch: Count = 8
    sample_every: Count = 500


class GateSettings(Section):
    """The gate. Bounds of its checks come from real pairs: all of them at the quantile that keeps to ``budget``."""

    checks: tuple[str, ...] = ("adjacency", "view", "palette", "copied-mask", "agreement", "copied-photo", "detail")
    """The fitted checks, beside the rule of parts and views; none: [] (docs/gate.md lists them)."""
    budget: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.05
    """Share of real pairs that the gate may reject by all its checks together."""
    folds: Annotated[int, Field(ge=2, le=10)] = 2
    """Parts of the training pairs; what judges a real pair was fitted on the others."""
    pixel_budget: Annotated[float, Field(gt=0.0, le=1.0)] = 0.05
    """Pixels that cost the segmenters more than all but this share of their part's pixels on real photos are ignored;
    at 1 ``pixel_factor`` alone counts."""
    pixel_factor: Annotated[float, Field(ge=1.0, le=LARGEST)] = 1.25
    """No pixel is ignored that costs at most this times what its part costs on real photos in the mean."""
    segmenter: JudgeSegmenterSettings = JudgeSegmenterSettings()
    """The segmenters of the check ``agreement``: one for each fold."""
    min_part_pixels: CountOrZero = 12
    """Connected specks below this many pixels (at 128 px; scaled by area) are removed from generated masks."""
    quantile: Annotated[float, Field(ge=0.0, lt=0.5)] = 0.0
    """Area ranges run from this quantile of the real masks to its mirror image."""
    slack: Annotated[float, Field(ge=1.0, le=LARGEST)] = 2.0
    """Factor by which the area ranges are widened at both ends, and the bound on off-palette colours."""
    required_share: Share = 0.99
    """A part that at least this share of the class's real masks show must be present."""

    @model_validator(mode="after")
    def _refuse_what_is_not_read(self) -> GateSettings:
        if len(set(self.checks)) < len(self.checks):
            raise ValueError(f"checks {list(self.checks)}: one is named twice")
        if self.segmenter.source != "real":
            raise ValueError(f"segmenter.source is {self.segmenter.source}, but the gate's judges see real pairs alone")
        return self
