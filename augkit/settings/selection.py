"""Choosing the state of a run that becomes the model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from augkit.core.section import Count, Section, Share
from augkit.train.run_options import SelectionOptions


class SelectionSettings(Section):
    """Choosing the checkpoint by its distance to real pictures that were kept out of the training."""

    every: Count = 250
    share: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.15
    """Share of the training pairs that judge and do not train."""
    figure: Literal["frechet", "kernel"] = "frechet"
    diversity: Share = 0.3
    """The run stops where samples differ from each other by less than this share of what real pictures do."""
    patience: Count = 3
    """The run stops after so many judgements in a row that found D or G collapsed."""

    @property
    def limits(self) -> SelectionOptions:
        """What of it the run itself reads, as plain values."""
        return SelectionOptions(self.every, self.diversity, self.patience)
