"""Section of photos without masks."""

from __future__ import annotations

from augkit.core.section import Count, Size
from augkit.settings.generative import GenerativeSettings


class UnconditionalSettings(GenerativeSettings):
    """Photos from latents, without a mask (``augkit train image-unconditional``)."""

    model: str = "dcgan"
    size: Size = 64
    steps: Count = 5000
    batch: Count = 32
