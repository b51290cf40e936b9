"""Sections of the generators that make pictures from latents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from augkit.core.section import Count, Positive, Section, Share, Size, Weight
from augkit.gan.technique_set import with_techniques
from augkit.settings.training import OptimSettings, StartSettings
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


class CriticSettings(Section):
    """A discriminator beside a VAE: it judges what the decoder makes of latents mixed within the batch."""

    model: str = "dcgan"
    options: dict[str, Any] = Field(default_factory=dict)
    weight: Positive = 0.1
    """Of its opinion, against the reconstruction."""
    noise: Annotated[float, Field(ge=0.0)] = 0.15
    """Standard deviation of what is added to the mixed latents, in standard deviations of the batch."""


@with_techniques("latent")
class LatentGameSettings(StartSettings):
    """The networks of a GAN or a VAE, and the game that they are trained in."""

    model: str
    options: dict[str, Any] = Field(default_factory=dict)
    condition: Literal["none", "class", "auxiliary"] = "class"
    """``class``: told to both networks; ``auxiliary``: told to G and asked of D (ACGAN)."""
    initialise: Literal["default", "normal", "xavier", "orthogonal"] = "default"
    optim: OptimSettings = OptimSettings()
    optim_d: OptimSettings = OptimSettings()
    clip: Positive | None = None
    """Largest norm of a player's gradients."""
    kl_weight: Weight = 5e-4
    critic: CriticSettings | None = None
    adversarial: str = "bce"
    d_steps: Count = 1
    """Turns of D for each of G; each sees ``batch`` pairs of its own."""


class GenerativeSettings(LatentGameSettings):
    """A generator of pictures from latents, with the techniques that it is trained with (``augkit/gan/techniques``).

    A technique is off where its value is 0, empty or null.
    """

    selection: SelectionSettings | None = None

    @property
    def turns(self) -> int:
        """Each turn of D has a batch of its own."""
        return self.d_steps

    def clashes(self) -> Iterator[str]:
        """What has no effect."""
        if self.init_from is not None and self.initialise != "default":
            yield "initialise is set, but init_from replaces the weights"
        if self.selection is not None and self.selection.every > self.steps:
            yield f"selection.every is more than the {self.steps} steps: no state would be judged"


class MaskSettings(GenerativeSettings):
    """Stage I: new part masks."""

    model: str = "mask-vae"
    output: Literal["categorical", "rgb"] = "categorical"
    """A channel a part, so that the mask is exact; or a picture in the schema's colours, snapped to the nearest."""
    optim: OptimSettings = OptimSettings(lr=1e-3, betas=(0.9, 0.999))
    size: Size = 64
    steps: Count = 2000
    batch: Count = 32


class UnconditionalSettings(GenerativeSettings):
    """Photos from latents, without a mask (``augkit train image-unconditional``)."""

    model: str = "dcgan"
    size: Size = 64
    steps: Count = 5000
    batch: Count = 32
