"""Section of the teacher, which labels photos that nobody labelled."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from augkit.core.section import Count, CountOrZero, Positive, Section, Share
from augkit.settings.segmenter import SegmenterSettings, Source


class TeacherSegmenterSettings(SegmenterSettings):
    """A segmenter of the teacher."""

    source: Source = "real"
    generated_share: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    """Share of what a student sees that its teacher read."""
    rendered_steps: CountOrZero = 700
    """As of every segmenter; a teacher starts without rendered cars where these lack parts of the workspace."""
    augment: str = "strong"
    steps: Count = 900
    batch: Count = 8
    sample_every: Count = 900


class TeacherSettings(Section):
    """The teacher: segmenters of labelled pairs that read other photos."""

    folds: Annotated[int, Field(ge=2, le=10)] = 3
    """Parts of the labelled training pairs; each segmenter learns from the others, and is judged by this one."""
    rounds: Annotated[int, Field(ge=1, le=10)] = 2
    """At most so many teachers one after the other: each learns from what the one before it read, too, as long as they
    agree better with labels that they have not seen."""
    scales: tuple[Positive, ...] = (1.0, 1.25)
    """Sizes at which a photo is read, and its mirror image, in sizes that the segmenters were trained at."""
    right: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.9
    """Share of a part's kept pixels that should be right, on labelled photos that the segmenter has not seen."""
    least_kept: Share = 0.8
    """Share of a part's pixels that are kept whatever is right of them, so that hard parts are not starved."""
    least_sure: Share = 0.3
    """Share of a car's pixels that have to be kept; a photo with fewer makes no pair."""
    photos: Count = 2000
    """Of the photos that a teacher read, at most so many teach the next one."""
    segmenter: TeacherSegmenterSettings = TeacherSegmenterSettings()
    """The segmenters."""

    @model_validator(mode="after")
    def _refuse_what_is_not_read(self) -> TeacherSettings:
        if self.segmenter.source != "real":
            raise ValueError(f"segmenter.source is {self.segmenter.source}, but a teacher learns from labelled pairs")
        if not self.scales or max(self.scales) > 4:
            raise ValueError(f"scales {list(self.scales)}: one or more, none above 4")
        return self
