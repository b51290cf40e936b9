"""Sections of the data, of stage II, of the segmenter, of the gate and of the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from augkit.core.arithmetic import Precision
from augkit.core.presets import load_recipe
from augkit.core.section import Count, Section, Share, Size
from augkit.settings.training import OptimSettings, StartSettings, TrainSettings

Source = Literal[
    "real", "all", "generated", "classical", "painted", "real+classical", "real+painted", "real+generated+classical"
]
SOURCES: dict[Source, tuple[str, ...]] = {
    "real": ("real",),
    "generated": ("generated",),
    "classical": ("classical",),
    "painted": ("painted",),
    "all": ("real", "generated"),
    "real+classical": ("real", "classical"),
    "real+painted": ("real", "painted"),
    "real+generated+classical": ("real", "generated", "classical"),
}
"""What a segmenter may be trained on, by the sources of the pairs; ``all`` is what `augkit balance` writes."""


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


class CoarseSettings(Section):
    """Coarse-to-fine training: the coarse generator alone at half the size, then the whole with it."""

    steps: Count
    """Of the coarse generator alone."""
    fixed: Annotated[int, Field(ge=0)] = 0
    """Steps of the whole during which the coarse generator stays as it is."""


WORDS = ("auto", "inpainted", "names", "silhouette")
"""Values that are no paths."""


class ImageSettings(StartSettings):
    """Stage II: masks to photos."""

    label_warp: ClassVar[bool] = True

    model: str = "translator"
    options: dict[str, Any] = Field(default_factory=dict)
    guides: tuple[str, ...] = ("exemplar", "colours")
    """What G reads besides the mask, by the names of ``augkit/gan/conditioning``; pix2pixHD reads nothing else."""
    repair: bool = True
    """G's output is added to the warped exemplar instead of replacing it."""
    discriminator: dict[str, Any] = Field(default_factory=lambda: {"base": 24, "norm": "spectral"})
    optim: OptimSettings = OptimSettings(lr=1e-3)
    optim_d: OptimSettings = OptimSettings(lr=1e-3)
    adversarial: str = "hinge"
    feature_matching: Annotated[float, Field(ge=0.0)] = 10.0
    perceptual: Annotated[float, Field(ge=0.0)] = 2.0
    l1: Annotated[float, Field(ge=0.0)] = 2.0
    perceptual_network: str = "lite0"
    """``vgg19`` is the published one."""
    perceptual_weights: str | None = None
    """File of vgg19's weights; where none is given, torch's own copy."""
    pool: Annotated[int, Field(ge=0)] = 0
    """Earlier fakes kept for D (Shrivastava et al. 2017 keep some tens); 0 shows D the present ones only."""
    coarse: CoarseSettings | None = None
    """For ``pix2pixhd-local``: trains its coarse generator first."""
    background: Literal["learnt", "green", "composite"] = "learnt"
    """``green``: cars are learnt and made on chroma green (51, 255, 51); ``composite``: the made ones are then cut out
    and laid over other scenes."""
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
        return source if source in WORDS else str(Path(source).expanduser().resolve())

    @model_validator(mode="after")
    def _refuse_idle(self) -> ImageSettings:
        if self.backgrounds != "auto" and self.background != "composite":
            raise ValueError(f"backgrounds is set, but background is {self.background} and lays cars over nothing")
        if self.background != "learnt" and any(name == "Background" for name, _ in load_recipe(self.augment).steps):
            raise ValueError(f"augment {self.augment} replaces backgrounds, but background {self.background} does, too")
        if self.part_map != "names" and not self.init_from:
            raise ValueError("part_map is set, but init_from is not")
        return self

    @model_validator(mode="after")
    def _conditioner(self) -> ImageSettings:
        if self.repair and "exemplar" not in self.guides:
            raise ValueError("repair without the guide exemplar: there is nothing to repair; set repair to false")
        if len(set(self.guides)) < len(self.guides):
            raise ValueError(f"guides {list(self.guides)}: one is named twice")
        return self

    @model_validator(mode="after")
    def _refuse_what_is_not_read(self) -> ImageSettings:
        if not self.perceptual and (self.perceptual_weights or self.perceptual_network != "lite0"):
            raise ValueError("perceptual_network or perceptual_weights is set, but perceptual is 0")
        if self.coarse is not None:
            self._check_coarse(self.coarse)
        return self

    def _check_coarse(self, coarse: CoarseSettings) -> None:
        if self.model != "pix2pixhd-local":
            raise ValueError(f"coarse is set, but {self.model} has no coarse generator: set model to pix2pixhd-local")
        if self.size % 32:
            raise ValueError(f"coarse at half of size {self.size}: size must be a multiple of 32")
        if coarse.fixed >= self.steps:
            raise ValueError(
                f"coarse.fixed {coarse.fixed} is not less than the {self.steps} steps: it would never learn"
            )


MIXING = ("generated_share", "generated_until")
"""Settings of a segmenter that mean something only where real and made pairs are mixed."""


class SegmenterSettings(TrainSettings):
    """The segmentation network that reads the result."""

    model: str = "unet"
    options: dict[str, Any] = Field(default_factory=dict)
    optim: OptimSettings = OptimSettings(lr=1e-3, betas=(0.9, 0.999))
    source: Source = "all"
    """``classical`` pairs are those of `augkit augment`, ``painted`` ones those of `augkit paint from --shards`."""
    generated_share: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.25
    """Share of made pairs (generated, classical) in what the segmenter sees, where the source has real ones too."""
    generated_until: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """Share of the steps, from the first on, in which made pairs come; the last steps see real pairs alone."""
    rare_classes: Share = 0.0
    """Pairs of a class are drawn with weight count^-this, among the real and among the made ones: 0 as often as they
    come, 1 all classes equally often."""
    augment: str = "strong"
    size: Size = 128
    steps: Count = 800
    batch: Count = 16


class GateSettings(Section):
    """The gate. Bounds of its checks come from real pairs: all of them at the quantile that keeps to ``budget``."""

    checks: tuple[str, ...] = ("adjacency", "view", "palette", "copied-mask", "agreement", "copied-photo", "detail")
    """The fitted checks, beside the rule of parts and views; none: [] (docs/gate.md lists them)."""
    budget: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.05
    """Share of real pairs that the gate may reject by all its checks together."""
    folds: Annotated[int, Field(ge=2, le=10)] = 2
    """Parts of the training pairs; what judges a real pair was fitted on the others."""
    pixel_budget: Annotated[float, Field(gt=0.0, le=1.0)] = 0.05
    """Pixels that cost the segmenters more than all but this share of their part's pixels on real photos are ignored;
    at 1 ``pixel_factor`` alone counts."""
    pixel_factor: Annotated[float, Field(ge=1.0)] = 1.25
    """No pixel is ignored that costs at most this times what its part costs on real photos in the mean."""
    segmenter: SegmenterSettings = SegmenterSettings(
        source="real", size=64, steps=1000, batch=8, augment="strong", sample_every=1000, save_every=1000
    )
    """The segmenters of the check ``agreement``: one for each fold."""
    min_part_pixels: Annotated[int, Field(ge=0)] = 12
    """Connected specks below this many pixels (at 128 px; scaled by area) are removed from generated masks."""
    quantile: Annotated[float, Field(ge=0.0, lt=0.5)] = 0.0
    """Area ranges run from this quantile of the real masks to its mirror image."""
    slack: Annotated[float, Field(ge=1.0)] = 2.0
    """Factor by which the area ranges are widened at both ends, and the bound on off-palette colours."""
    required_share: Share = 0.99
    """A part that at least this share of the class's real masks show must be present."""

    @model_validator(mode="after")
    def _refuse_what_is_not_read(self) -> GateSettings:
        if len(set(self.checks)) < len(self.checks):
            raise ValueError(f"checks {list(self.checks)}: one is named twice")
        if self.segmenter.source != "real":
            raise ValueError(f"segmenter.source is {self.segmenter.source}, but the gate's judges see real pairs alone")
        return self


class BalanceSettings(Section):
    """The main job."""

    target_per_class: Count = 500
    target_parts: dict[str, Annotated[float, Field(gt=0.0, lt=1.0)]] = Field(default_factory=dict)
    """Shares of the cars' pixels, over all pairs for training, that parts should have; by the part's name."""
    shard_size: Count = 64
    workers: Count = 2
    threads: Count = 1
    """CPU threads of one worker; part of what makes bytes repeat, so equal for every executor."""
    precision: Precision = "auto"
    """What stage II computes in (docs/balance.md); ``auto``: that of the shards at hand, else this processor's."""
    attempts: Annotated[float, Field(ge=1.0)] = 12.0
    """Candidates that a class may cost for each pair that it lacks, before it is given up."""
    hard_sampling: Annotated[float, Field(ge=0.0, le=8.0)] = 0.0
    """Masks start from hard real ones more often: with chances proportional to (rank of its hardness)^this among the
    real masks of the class; 0 all equally often, 1 as FreeMask does. Needs the gate's check ``agreement``."""
    retries: Annotated[int, Field(ge=0)] = 2
    quality: Annotated[int, Field(ge=1, le=100)] = 95
    lossless: bool = False
    style_from: str | None = None
    """Id of a real pair, or a photo with its mask beside it (photo.mask.png), after which all photos are painted."""
