"""What every training run has."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from augkit.core.errors import ConfigError
from augkit.core.presets import NO_LABEL_WARP, NO_MIXING, absolute_recipe, load_recipe
from augkit.core.section import Count, CountOrZero, Decay, Positive, Section, Size, Weight
from augkit.core.technique_settings import TechniqueSection, with_techniques
from augkit.train.run_options import AdamOptions, RunOptions


class OptimSettings(Section):
    """Adam of one player."""

    lr: Positive = 2e-4
    betas: tuple[Decay, Decay] = (0.5, 0.999)
    weight_decay: Weight = 0.0

    @property
    def adam(self) -> AdamOptions:
        """The same as plain values."""
        return AdamOptions(self.lr, self.betas, self.weight_decay)


class TrainSettings(Section):
    """What every training run has."""

    size: Size = 128
    steps: Count = 1000
    batch: Count = 8
    microbatches: Count = 1
    augment: str = "mild"
    """Name or path of an augmentation preset (docs/augmentation.md)."""
    ema: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.999
    sample_every: Count = 500
    save_every: Count = 500
    per_class_from: Count = 1000
    """A class with at least this many training pairs gets a model of its own; the others share ``all``."""
    workers: CountOrZero = 0

    label_warp: ClassVar[bool] = False
    """Whether the mask may be moved away from its photo."""
    mixes_pairs: ClassVar[bool] = False
    """Whether what is trained may see two cars in one picture."""

    @field_validator("augment")
    @classmethod
    def _read_augment(cls, source: str) -> str:
        try:
            recipe = load_recipe(source)
        except ConfigError as error:
            raise ValueError(str(error)) from error
        if recipe.warps_labels and not cls.label_warp:
            raise ValueError(NO_LABEL_WARP)
        if recipe.mixes_pairs and not cls.mixes_pairs:
            raise ValueError(NO_MIXING)
        return absolute_recipe(source)  # read again from elsewhere

    def description(self, exclude: Collection[str] = ()) -> dict[str, Any]:
        """The section as models describe themselves by it, as plain data. Their keys stay when a setting is renamed."""
        return self.model_dump(mode="json", by_alias=True, exclude=set(exclude))

    @property
    def turns(self) -> int:
        """Batches that one step takes from the data."""
        return 1

    @property
    def run(self) -> RunOptions:
        """What of it the run itself reads, as plain values."""
        return RunOptions(
            steps=self.steps, batch=self.batch, turns=self.turns, microbatches=self.microbatches, ema=self.ema,
            sample_every=self.sample_every, save_every=self.save_every, workers=self.workers,
        )  # fmt: skip

    @model_validator(mode="after")
    def _split_evenly(self) -> TrainSettings:
        if self.batch % self.microbatches:
            raise ValueError(f"batch {self.batch} cannot be cut into {self.microbatches} equal microbatches")
        return self


@with_techniques("start")
class StartSettings(TrainSettings, TechniqueSection):
    """A run that may start from another run's networks."""

    init_from: str | None = None
    """Folder of another run whose networks are the start of this one; relative to the workspace."""

    def rooted(self, root: Path) -> Self:
        """The same with ``init_from`` as a path from anywhere."""
        start = self.init_from
        return self if start is None else self.model_copy(update={"init_from": str(root / start)})
