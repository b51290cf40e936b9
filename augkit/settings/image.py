"""Section of stage II."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from augkit.core.presets import load_recipe
from augkit.core.section import Count, CountOrZero, NetworkOptions, Section, Share, Size, Weight
from augkit.core.technique_settings import with_techniques
from augkit.settings.training import OptimSettings, StartSettings


class CoarseSettings(Section):
    """Coarse-to-fine training: the coarse generator alone at half the size, then the whole with it."""

    steps: Count
    """Of the coarse generator alone."""
    fixed: CountOrZero = 0
    """Steps of the whole during which the coarse generator stays as it is."""


WORDS = ("auto", "inpainted", "names", "silhouette")
"""Values that are no paths."""


@with_techniques("image")
class PhotoGameSettings(StartSettings):
    """The networks of stage II and the game that they are trained in, with what is on unless told otherwise."""

    label_warp: ClassVar[bool] = True

    model: str = "translator"
    options: NetworkOptions = Field(default_factory=dict)
    conditioning: tuple[str, ...] = Field(default=("exemplar", "colours", "confidence"), serialization_alias="guides")
    """What G reads besides the mask, by the names of ``augkit/gan/conditioning``; pix2pixHD reads nothing else.
    Descriptions of models say ``guides`` (see ``description``)."""
    repair: bool = True
    """G's output is added to the warped exemplar instead of replacing it."""
    unpaired: bool | None = None
    """Whether D judges photos made from another pair's exemplar, as in use, instead of those that have a real
    counterpart; by default where G reads a warped exemplar."""
    discriminator: NetworkOptions = Field(default_factory=lambda: {"model": "projected"})
    optim: OptimSettings = OptimSettings(lr=1e-3)
    optim_d: OptimSettings = OptimSettings(lr=3e-3)
    adversarial: str = "hinge"
    adversarial_weight: Weight = 0.15
    """Of G's adversarial loss, beside its other losses; with 0 G is trained without D."""
    feature_matching: Weight = 0.0
    perceptual: Weight = 2.0
    l1: Weight = 2.0


class ImageSettings(PhotoGameSettings):
    """Stage II: masks to photos."""

    pool: CountOrZero = 0
    """Earlier fakes kept for D (Shrivastava et al. 2017 keep some tens); 0 shows D the present ones only."""
    coarse: CoarseSettings | None = None
    """For ``pix2pixhd-local``: trains its coarse generator first."""
    background: Literal["learnt", "green", "composite"] = "learnt"
    """``green``: cars are learnt and made on chroma green (51, 255, 51); ``composite``: the made ones are then cut out
    and composited over other scenes."""
    backgrounds: str = "auto"
    """The scenes of ``composite``: a folder of landscapes, ``inpainted`` (training photos without their cars), or
    ``auto``, the landscapes in WORKSPACE/backgrounds where there are any, else ``inpainted``."""
    part_map: str = "names"
    """Which parts of ``init_from`` are which here: ``names``, ``silhouette``, or a YAML file (docs/training.md)."""
    decay_from: Share = 0.5
    """Share of the steps after which the learning rates fall linearly to 0; 1 keeps them constant."""
    size: Size = 128
    steps: Count = 600
    batch: Count = 4

    @field_validator("backgrounds", "part_map")
    @classmethod
    def _from_anywhere(cls, source: str) -> str:
        return source if source in WORDS else str(Path(os.path.expanduser(source)).resolve())  # noqa: PTH111 (any name)

    @model_validator(mode="after")
    def _refuse_idle(self) -> ImageSettings:
        if self.backgrounds != "auto" and self.background != "composite":
            raise ValueError(f"backgrounds is set, but background is {self.background} and composites nothing")
        if self.background != "learnt" and any(name == "Background" for name, _ in load_recipe(self.augment).steps):
            raise ValueError(f"augment {self.augment} replaces backgrounds, but background {self.background} does, too")
        if self.part_map != "names" and not self.init_from:
            raise ValueError("part_map is set, but init_from is not")
        return self

    @model_validator(mode="after")
    def _conditioner(self) -> ImageSettings:
        if self.repair and "exemplar" not in self.conditioning:
            raise ValueError("repair without exemplar in conditioning: there is nothing to repair; set repair to false")
        if self.unpaired and "exemplar" not in self.conditioning:
            raise ValueError("unpaired without exemplar in conditioning: there is nothing to exchange; leave it out")
        if "confidence" in self.conditioning and "exemplar" not in self.conditioning:
            raise ValueError("confidence without exemplar in conditioning: nothing is warped; leave it out")
        if len(set(self.conditioning)) < len(self.conditioning):
            raise ValueError(f"conditioning {list(self.conditioning)}: one is named twice")
        return self

    @model_validator(mode="after")
    def _coarse_to_fine(self) -> ImageSettings:
        if self.coarse is not None:
            self._check_coarse(self.coarse)
        return self

    def _check_coarse(self, coarse: CoarseSettings) -> None:
        if self.model != "pix2pixhd-local":
            raise ValueError(f"coarse is set, but {self.model} has no coarse generator: set model to pix2pixhd-local")
        if self.discriminator.get("model", "patch") != "patch":
            raise ValueError("coarse hands the scales of a PatchGAN over: set discriminator.model to patch")
        if self.size % 32:
            raise ValueError(f"coarse at half of size {self.size}: size must be a multiple of 32")
        if coarse.fixed >= self.steps:
            raise ValueError(
                f"coarse.fixed {coarse.fixed} is not less than the {self.steps} steps: it would never learn"
            )
