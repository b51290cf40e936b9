"""Section of stage I."""

from __future__ import annotations

from typing import Literal

from augkit.core.section import Count, Size
from augkit.settings.generative import GenerativeSettings
from augkit.settings.training import OptimSettings


class MaskSettings(GenerativeSettings):
    """Stage I: new part masks."""

    model: str = "mask-vae"
    output: Literal["categorical", "rgb"] = "categorical"
    """A channel a part, so that the mask is exact; or a picture in the schema's colours, snapped to the nearest."""
    optim: OptimSettings = OptimSettings(lr=1e-3, betas=(0.9, 0.999))
    size: Size = 64
    steps: Count = 2000
    batch: Count = 32
