"""Section of the photos and masks as they are imported."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from augkit.core.section import Section, Share, Size
from augkit.data.ingest.ingest_options import IngestOptions


class DataSettings(Section):
    """How photos become canonical pairs, and how the data is split."""

    size: Size = 256
    margin: Annotated[float, Field(ge=0.0, le=1.0)] = 0.06
    val_share: Share = 0.2
    test_share: Share = 0.0

    @model_validator(mode="after")
    def _leave_training_rows(self) -> DataSettings:
        if self.val_share + self.test_share >= 1:
            raise ValueError("val_share + test_share leave no rows to train on; make their sum less than 1")
        return self

    def options(self, seed: int) -> IngestOptions:
        """The same as plain values, with the seed of the splits."""
        return IngestOptions(self.size, self.margin, self.val_share, self.test_share, seed)
