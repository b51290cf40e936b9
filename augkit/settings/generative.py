"""Sections of the generators that make pictures from latents, and of the techniques they are trained with."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from augkit.core.section import Count, Positive, Section, Share, Size
from augkit.settings.training import OptimSettings, StartSettings
from augkit.train.run_options import SelectionOptions


class LatentOptimisationSettings(Section):
    """LOGAN (Wu et al. 2019): latents are moved towards D's approval before G and D see them."""

    alpha: Positive = 0.9
    beta: Positive = 5.0
    weight: Annotated[float, Field(ge=0.0)] = 300.0
    """Of the regulariser: the mean squared length of the moves."""
    share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5
    """Share of the latents that are moved."""
    steps: Count = 1


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


class GenerativeSettings(StartSettings):
    """A generator of pictures from latents: a GAN or a VAE, with the techniques that it is trained with.

    A technique is off where its value is 0, empty or null.
    """

    model: str
    options: dict[str, Any] = Field(default_factory=dict)
    condition: Literal["none", "class", "auxiliary"] = "class"
    """``class``: told to both networks; ``auxiliary``: told to G and asked of D (ACGAN)."""
    initialise: Literal["default", "normal", "xavier", "orthogonal"] = "default"
    optim: OptimSettings = OptimSettings()
    optim_d: OptimSettings = OptimSettings()
    clip: Positive | None = None
    """Largest norm of a player's gradients."""
    kl_weight: Annotated[float, Field(ge=0.0)] = 5e-4
    critic: CriticSettings | None = None
    adversarial: str = "bce"
    d_steps: Count = 1
    """Moves of D for each of G; each sees ``batch`` pairs of its own."""
    auxiliary: Annotated[float, Field(ge=0.0)] = 1.0
    """Weight of ACGAN's class losses."""
    latent_optimisation: LatentOptimisationSettings | None = None
    bidirectional: bool = False
    """An encoder is trained with G, and D judges pairs of picture and latent (BiGAN)."""
    diffaugment: tuple[Literal["colour", "translation", "cutout"], ...] = ()
    lecam: Annotated[float, Field(ge=0.0)] = 0.0
    r1: Annotated[float, Field(ge=0.0)] = 0.0
    r1_every: Count = 1
    gradient_penalty: Annotated[float, Field(ge=0.0)] = 0.0
    orthogonal: Annotated[float, Field(ge=0.0)] = 0.0
    """Weight of the orthogonal penalty on both players (Brock et al. 2019 take 1e-4)."""
    selection: SelectionSettings | None = None

    @property
    def turns(self) -> int:
        """Each move of D has a batch of its own."""
        return self.d_steps

    @model_validator(mode="after")
    def _compose(self) -> GenerativeSettings:
        """Refuses what has no effect or makes no sense together."""
        faults = [reason for wrong, reason in self._clashes() if wrong]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _clashes(self) -> list[tuple[bool, str]]:
        judge = self.critic or self
        bounded = self.gradient_penalty or judge.options.get("spectral") or judge.model == "sngan"
        return [
            (
                self.adversarial == "wgan" and not bounded,
                "wgan bounds D by nothing: set gradient_penalty (10 in the paper), or options.spectral",
            ),
            (self.r1_every > 1 and not self.r1, "r1_every is set, but r1 is 0"),
            (
                self.condition != "auxiliary" and self.auxiliary != 1.0,
                "auxiliary is set, but condition is not auxiliary",
            ),
            (
                self.condition == "auxiliary" and self.bidirectional,
                "a bidirectional D judges pairs of picture and latent and has no class head: set condition to class",
            ),
            (
                self.init_from is not None and self.initialise != "default",
                "initialise is set, but init_from replaces the weights",
            ),
            (
                self.selection is not None and self.selection.every > self.steps,
                f"selection.every is more than the {self.steps} steps: no state would be judged",
            ),
            (
                len(set(self.diffaugment)) < len(self.diffaugment),
                "diffaugment names a policy twice: the second would draw what the first drew",
            ),
        ]


class MaskSettings(GenerativeSettings):
    """Stage I: new part masks."""

    model: str = "mask-vae"
    output: Literal["categorical", "rgb"] = "categorical"
    """A channel a part, so that the mask is exact; or a picture in the schema's colours, snapped to the nearest."""
    optim: OptimSettings = OptimSettings(lr=1e-3, betas=(0.9, 0.999))
    size: Size = 64
    steps: Count = 2000
    batch: Count = 32

    @model_validator(mode="after")
    def _safe_for_masks(self) -> MaskSettings:
        if "colour" in self.diffaugment:
            raise ValueError("diffaugment: colour changes what a mask says; translation and cutout do not")
        return self


class UnconditionalSettings(GenerativeSettings):
    """Photos from latents, without a mask (``augkit train image-unconditional``)."""

    model: str = "dcgan"
    size: Size = 64
    steps: Count = 5000
    batch: Count = 32
