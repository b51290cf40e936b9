"""What the sections of generators share that make pictures from latents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from augkit.core.section import Count, NetworkOptions, Positive, Section, Weight
from augkit.core.technique_settings import with_techniques
from augkit.settings.selection import SelectionSettings
from augkit.settings.training import OptimSettings, StartSettings


class CriticSettings(Section):
    """A discriminator beside a VAE: it judges what the decoder makes of latents mixed within the batch."""

    model: str = "dcgan"
    options: NetworkOptions = Field(default_factory=dict)
    weight: Positive = 0.1
    """Of its opinion, against the reconstruction."""
    noise: Weight = 0.15
    """Standard deviation of what is added to the mixed latents, in standard deviations of the batch."""


@with_techniques("latent")
class LatentGameSettings(StartSettings):
    """The networks of a GAN or a VAE, and the game that they are trained in."""

    model: str
    options: NetworkOptions = Field(default_factory=dict)
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
