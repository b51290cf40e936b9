"""What typed settings are made of: sections, and the kinds of numbers in them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Size = Annotated[int, Field(ge=16, le=1024, multiple_of=16)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(ge=0.0)]
"""Of a loss among a player's; 0 leaves it out."""


class Section(BaseModel):
    """Base of every part of the settings: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
