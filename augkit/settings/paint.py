"""Section of SinGAN, which one photo trains (``augkit paint``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from augkit.core.section import Count, Share, Weight
from augkit.core.technique_settings import TechniqueSection, with_techniques
from augkit.settings.training import OptimSettings
from augkit.train.run_options import RunOptions

DISCRIMINATOR_REACH = 11
"""Side of the patches that D judges, in pixels."""


@with_techniques("paint")
class ScaleGameSettings(TechniqueSection):
    """The networks of every scale and their game; the paper has ``size`` 250 and 2000 ``steps``, as preset ``gpu``."""

    size: Annotated[int, Field(ge=16, le=1024)] = 128
    """Longest side of the finest scale, in px; a smaller photo keeps its size."""
    coarsest: Annotated[int, Field(ge=DISCRIMINATOR_REACH + 1, le=1024)] = 25
    """Shorter side of the coarsest scale, in px."""
    factor: Annotated[float, Field(gt=0.3, lt=0.95)] = 0.75
    """Size of a scale over that of the next finer one; fitted to the photo."""
    channels: Count = 32
    double_every: Count = 4
    """Channels double every so many scales, twice at most."""
    steps: Count = 600
    """Of each scale."""
    batch: Count = 1
    """Pictures of a turn; all show the same photo."""
    d_steps: Count = 3
    g_steps: Count = 3
    adversarial: Literal["wgan", "sinkhorn"] = "wgan"


class PaintSettings(ScaleGameSettings):
    """A pyramid of networks for one photo."""

    reconstruction: Weight = 10.0
    """Weight of the squared error of the photo made from the fixed noise."""
    noise: Weight = 0.1
    """Noise of a scale, over the error of what the coarser ones make of the fixed noise."""
    optim: OptimSettings = OptimSettings(lr=5e-4)
    optim_d: OptimSettings = OptimSettings(lr=5e-4)
    drop_at: Share = 0.8
    """Share of the steps after which the learning rates fall to a tenth; 1 keeps them."""
    sample_every: Count = 1000
    save_every: Count = 500

    def clashes(self) -> Iterator[str]:
        """What cannot be."""
        if self.coarsest > self.size:
            yield f"coarsest {self.coarsest} is more than size {self.size}"

    @property
    def run(self) -> RunOptions:
        """The training of one scale: a row of data for every turn, and the latest weights are kept."""
        return RunOptions(
            steps=self.steps, batch=self.batch, turns=max(self.d_steps, self.g_steps), ema=0.0,
            sample_every=self.sample_every, save_every=self.save_every,
        )  # fmt: skip
